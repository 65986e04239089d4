# SPDX-License-Identifier: Apache-2.0
# How every folder is built: one static library per folder, strict warnings,
# and only the links that the folder is allowed.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON) # libsalus.so is made of these.
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

option(SALUS_TESTS "build the tests" ON)
option(SALUS_WERROR "warnings are errors" ON)
set(SALUS_SANITIZE "" CACHE STRING "a list for -fsanitize=, or empty")
option(SALUS_COVERAGE "instrument for gcov" OFF)
option(SALUS_FUZZ "build the fuzzers (clang only)" OFF)

add_library(salus_flags INTERFACE)
target_compile_options(salus_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wpointer-arith -Wvla -Wundef -Wwrite-strings -Wformat=2
  -fno-common -fstack-protector-strong
  # Texts for people are cut where they are too long, on purpose.
  $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>)
target_compile_definitions(salus_flags INTERFACE
  SALUS_VERSION="${PROJECT_VERSION}")
if(SALUS_WERROR)
  target_compile_options(salus_flags INTERFACE -Werror)
endif()
if(SALUS_SANITIZE)
  add_compile_options(-fsanitize=${SALUS_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SALUS_SANITIZE})
else()
  target_compile_definitions(salus_flags INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()
if(SALUS_COVERAGE)
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()
if(SALUS_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# A folder may be absent while the tree grows.
macro(salus_folder name)
  if(EXISTS ${CMAKE_SOURCE_DIR}/${name}/CMakeLists.txt)
    add_subdirectory(${name})
  endif()
endmacro()

# salus_library(NAME SOURCES a.c ... LINKS salus_x ...)
# Headers are found from the root: #include "consensus/pbft.h".
function(salus_library name)
  cmake_parse_arguments(ARG "POSIX" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_LINKS}
    PRIVATE salus_flags ${ARG_PRIVATE_LINKS})
  if(ARG_POSIX)
    target_compile_definitions(${name} PRIVATE _POSIX_C_SOURCE=200809L
      _DEFAULT_SOURCE)
  endif()
endfunction()

# salus_program(NAME SOURCES a.c ... LINKS ...)
function(salus_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_definitions(${name} PRIVATE _POSIX_C_SOURCE=200809L
    _DEFAULT_SOURCE)
  target_link_libraries(${name} PRIVATE salus_flags ${ARG_LINKS})
endfunction()
