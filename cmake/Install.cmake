# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: the programs, their man pages, systemd's unit, and the snippets of packaging/ for whom they suit.
# Nothing that an engine reads by itself: that a hook is asked for every container is for the administrator to say.
include(GNUInstallDirs)
install(TARGETS nacre nacre-fs nacre-procfs nacre-runtime)
install(DIRECTORY docs/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# They name the programs where a distribution has them. Where these are put is known only when that is done:
# `cmake --install BUILD --prefix /usr`.
file(GLOB nacre_snippets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/packaging/*)
install(CODE "set(snippets \"${nacre_snippets}\")
set(programs \"${CMAKE_INSTALL_BINDIR}\")
set(data \"${CMAKE_INSTALL_DATADIR}\")
set(edited \"${CMAKE_BINARY_DIR}/edited\")")
install(CODE [[
set(prefix "${CMAKE_INSTALL_PREFIX}")
cmake_path(ABSOLUTE_PATH prefix)
cmake_path(ABSOLUTE_PATH programs BASE_DIRECTORY "${prefix}")
cmake_path(ABSOLUTE_PATH data BASE_DIRECTORY "${prefix}")
string(RANDOM LENGTH 12 unique)
string(APPEND edited ".${unique}")
foreach(snippet ${snippets})
  cmake_path(GET snippet FILENAME name)
  file(READ "${snippet}" text)
  string(REPLACE "/usr/bin/nacre" "${programs}/nacre" text "${text}")
  file(WRITE "${edited}/${name}" "${text}")
  set(folder "${data}/nacre")
  if(name MATCHES "[.]service$")
    set(folder "${prefix}/lib/systemd/system")
  endif()
  file(INSTALL "${edited}/${name}" DESTINATION "${folder}")
endforeach()
file(REMOVE_RECURSE "${edited}")
]])
