# SPDX-License-Identifier: MIT
# Settings of our own targets (tests, benchmarks, tool). Nothing here reaches a consumer.

set(hunyuan_reso_gnu_warnings -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion)
# Releases that nobody has tried may warn about other things: that must not keep a user from running the tests.
if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 17)
   OR (CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 20))
  list(APPEND hunyuan_reso_gnu_warnings -Werror)
endif()

# Warnings, as errors where the compiler is known, for one target.
function(hunyuan_reso_strict target)
  if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${hunyuan_reso_gnu_warnings}>")
  elseif(MSVC)
    target_compile_options(${target} PRIVATE /W4)
  endif()
endfunction()

# A package that our own targets need: found, or an error that says what to install.
function(hunyuan_reso_require name target apt_package)
  find_package(${name} QUIET)
  if(NOT TARGET ${target})
    message(FATAL_ERROR "${name} was not found. Install it (Debian, Ubuntu: apt-get install ${apt_package}) or point "
                        "CMAKE_PREFIX_PATH at it.")
  endif()
endfunction()
