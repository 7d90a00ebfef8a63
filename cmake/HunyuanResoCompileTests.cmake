# SPDX-License-Identifier: MIT
# Tests that run a compiler on one program, which must compile or must not. They run under every GNU-like compiler
# found here, not only under the configured one.

# Sets `result` to the compilers found, the configured one first, each release once, and each name once: tests are named
# after it.
function(hunyuan_reso_find_compilers result)
  set(compilers)
  set(releases)
  set(names)
  foreach(candidate "${CMAKE_CXX_COMPILER}" g++ clang++ g++-11 g++-12 g++-13 g++-14 g++-15 clang++-14 clang++-15
                    clang++-16 clang++-17 clang++-18 clang++-19 clang++-20)
    find_program(hunyuan_reso_candidate NAMES "${candidate}")
    set(path "${hunyuan_reso_candidate}")
    unset(hunyuan_reso_candidate CACHE)
    if(NOT path)
      continue()
    endif()
    execute_process(COMMAND "${path}" --version OUTPUT_VARIABLE release ERROR_QUIET)
    if(NOT release MATCHES "[Cc]lang|Free Software Foundation")
      continue()
    endif()
    # "g++-12 (Debian 12.2.0-14) 12.2.0" is the same release as "g++ (Debian 12.2.0-14) 12.2.0".
    string(REGEX REPLACE "\n.*" "" release "${release}")
    string(REGEX REPLACE "^[^ ]*\\+\\+[^ ]* " "" release "${release}")
    get_filename_component(name "${path}" NAME)
    if(NOT release IN_LIST releases AND NOT name IN_LIST names)
      list(APPEND releases "${release}")
      list(APPEND names "${name}")
      list(APPEND compilers "${path}")
    endif()
  endforeach()
  set(${result} "${compilers}" PARENT_SCOPE)
endfunction()

# Sets `result` to the flag for C++ `standard` (17, 20 or 23), or to nothing where the compiler has none.
function(hunyuan_reso_standard_flag compiler standard result)
  set(drafts_17 17)
  set(drafts_20 20 2a)
  set(drafts_23 23 2b)
  set(empty_file "${CMAKE_CURRENT_BINARY_DIR}/empty.cpp")
  file(WRITE "${empty_file}" "")
  set(${result} "" PARENT_SCOPE)
  foreach(draft ${drafts_${standard}})
    execute_process(COMMAND "${compiler}" -std=c++${draft} -fsyntax-only "${empty_file}"
                    RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
    if(status EQUAL 0)
      set(${result} -std=c++${draft} PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# A test that passes when the compiler accepts the flags and sources in ARGN.
function(hunyuan_reso_add_compile_test name compiler)
  add_test(NAME ${name} COMMAND "${compiler}" -fsyntax-only ${hunyuan_reso_gnu_warnings}
                                "-I${hunyuan_reso_SOURCE_DIR}/include" ${ARGN})
endfunction()

# A test that cannot run here, and says why.
function(hunyuan_reso_add_skipped_test name reason)
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E echo "skipped: ${reason}")
  set_tests_properties(${name} PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped: ")
endfunction()
