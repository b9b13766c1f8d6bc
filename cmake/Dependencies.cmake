# SPDX-License-Identifier: Apache-2.0
# Everything comes from the distribution; see tools/setup.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
# Both without their shared libraries: see nacre_program().
set_target_properties(spdlog::spdlog_header_only PROPERTIES INTERFACE_LINK_LIBRARIES fmt::fmt-header-only)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
# An older build folder may remember shared ones.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
unset(pkgcfg_lib_seccomp_seccomp CACHE)
unset(pkgcfg_lib_cap_cap CACHE)
unset(pkgcfg_lib_fuse3_fuse3 CACHE)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(cap REQUIRED IMPORTED_TARGET libcap)

# Debian 12's libfuse is too old: tools/setup builds a newer one into .deps.
set(ENV{PKG_CONFIG_PATH} "${CMAKE_SOURCE_DIR}/.deps/fuse3/lib/pkgconfig:$ENV{PKG_CONFIG_PATH}")
pkg_check_modules(fuse3 IMPORTED_TARGET fuse3>=3.17)
if(NOT fuse3_FOUND)
  message(FATAL_ERROR "libfuse 3.17 or newer is missing: run tools/setup")
endif()
foreach(library seccomp_seccomp cap_cap fuse3_fuse3)
  if(NOT pkgcfg_lib_${library} MATCHES "\\.a$")
    message(FATAL_ERROR "no static library for ${library}: run tools/setup, or install it")
  endif()
endforeach()
if(NACRE_TESTS)
  find_package(GTest REQUIRED)
endif()
