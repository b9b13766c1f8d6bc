# SPDX-License-Identifier: Apache-2.0
# What every target of ours is compiled with: nacre::options.
add_library(nacre_options INTERFACE)
add_library(nacre::options ALIAS nacre_options)
target_include_directories(nacre_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(nacre_options INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64 NACRE_VERSION="${PROJECT_VERSION}")
target_compile_options(nacre_options INTERFACE -fPIE -Wall -Wextra -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-qual -Wmissing-declarations)
# g++ 12 sees overlaps in std::string (GCC bug 105651) and frees of what std::expected does not
# hold that are not there.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(nacre_options INTERFACE -Wno-restrict -Wno-free-nonheap-object)
endif()
if(NACRE_WERROR)
  target_compile_options(nacre_options INTERFACE -Werror)
endif()
if(NACRE_SANITIZE)
  target_compile_options(nacre_options INTERFACE -fsanitize=${NACRE_SANITIZE} -fno-omit-frame-pointer -g -O1)
  target_link_options(nacre_options INTERFACE -fsanitize=${NACRE_SANITIZE})
endif()
if(NACRE_SANITIZE OR NACRE_COVERAGE)
  target_compile_definitions(nacre_options INTERFACE NACRE_INSTRUMENTED)
endif()
if(NACRE_FUZZ)
  # Coverage feedback in everything; the fuzzer's main() only in the targets.
  target_compile_options(nacre_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(NACRE_COVERAGE)
  target_compile_options(nacre_options INTERFACE --coverage -O0 -g)
  target_link_options(nacre_options INTERFACE --coverage)
endif()

# nacre_optimise_less(TARGET LEVEL): for code whose speed nobody measures, command lines and tests,
# which are templates for the most part: a third of the whole build's time.
function(nacre_optimise_less target level)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:${level}>)
endfunction()

# nacre_program(NAME sources…): one that people start. Without shared libraries: looking up the symbols of eight took
# most of the time until main(), and `nacre run` executes six programs. Nor does the environment of whoever starts
# it load anything into it. The linker's warning of dlopen(3) is about libfuse's modules, which nobody here asks for.
function(nacre_program name)
  add_executable(${name} ${ARGN})
  if(NOT NACRE_SANITIZE)
    target_link_options(${name} PRIVATE -static-pie)
  endif()
endfunction()

# nacre_library(NAME LINK targets…): a static library of the .cpp files in this folder and
# the given sub-folders. New files are found by themselves; CONFIGURE_DEPENDS looks again
# at every build.
function(nacre_library name)
  cmake_parse_arguments(arg "" "" "FOLDERS;EXCLUDE;LINK;PRIVATE_LINK" ${ARGN})
  set(sources)
  foreach(folder . ${arg_FOLDERS})
    file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
    list(APPEND sources ${found})
  endforeach()
  foreach(pattern main.cpp ${arg_EXCLUDE})
    list(FILTER sources EXCLUDE REGEX "/${pattern}$")
  endforeach()
  add_library(${name} STATIC ${sources})
  add_library(nacre::${name} ALIAS ${name})
  target_link_libraries(${name} PUBLIC nacre::options ${arg_LINK} PRIVATE ${arg_PRIVATE_LINK})
endfunction()
