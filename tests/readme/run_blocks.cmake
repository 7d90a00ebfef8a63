# SPDX-License-Identifier: MIT
# cmake -DDOCUMENT= -DWORK_DIR= -DINCLUDE_DIR= -DCOMPILER= -DLEAST= -P run_blocks.cmake
# Compiles and runs every block of a document that is fenced as ```cpp. A block with a main() is a whole program. Any
# other one is declarations, or statements for the inside of main(): whichever compiles. It may leave the includes of
# the library and of <cstdio>, <string> and <vector> out, and `namespace hr = hunyuan_reso`. LEAST: blocks that there
# must be.
cmake_minimum_required(VERSION 3.16)
set(ENV{LC_ALL} C)
file(READ "${DOCUMENT}" text)
get_filename_component(document_name "${DOCUMENT}" NAME)
file(REMOVE_RECURSE "${WORK_DIR}")
file(MAKE_DIRECTORY "${WORK_DIR}")
# Readers' blocks show values that they do not use.
set(flags -std=c++17 -Wall -Wextra -Wno-unused -Werror "-I${INCLUDE_DIR}")

set(prelude "#include <hunyuan_reso/hunyuan_reso.hpp>\n#include <cstdio>\n#include <string>\n#include <vector>\n")
string(APPEND prelude "namespace hr = hunyuan_reso;\n")

# Writes a program and compiles it; sets `status` and `output`. Errors name the document's own lines.
function(compile source)
  file(WRITE "${program}.cpp" "${source}")
  execute_process(COMMAND "${COMPILER}" ${flags} "${program}.cpp" -o "${program}"
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(status "${status}" PARENT_SCOPE)
  set(output "${output}" PARENT_SCOPE)
endfunction()

# Sets `line` to the number of the line that `position` of the text is in.
function(find_line position)
  string(SUBSTRING "${text}" 0 ${position} before)
  string(REGEX REPLACE "[^\n]" "" newlines "${before}")
  string(LENGTH "${newlines}" line)
  math(EXPR line "${line} + 1")
  set(line ${line} PARENT_SCOPE)
endfunction()

set(block_count 0)
set(done 0)
set(fence "```cpp\n")
string(LENGTH "${fence}" fence_length)
while(TRUE)
  string(SUBSTRING "${text}" ${done} -1 rest)
  string(FIND "${rest}" "${fence}" start)
  if(start EQUAL -1)
    break()
  endif()
  math(EXPR start "${start} + ${fence_length}")
  math(EXPR position "${done} + ${start}")
  find_line(${position})
  string(SUBSTRING "${rest}" ${start} -1 rest)
  string(FIND "${rest}" "\n```" stop)
  if(stop EQUAL -1)
    message(FATAL_ERROR "${document_name}, block at line ${line}: it has no end")
  endif()
  math(EXPR stop "${stop} + 1")
  string(SUBSTRING "${rest}" 0 ${stop} block)
  math(EXPR done "${position} + ${stop}")

  math(EXPR block_count "${block_count} + 1")
  set(program "${WORK_DIR}/block_${block_count}")
  set(where "#line ${line} \"${document_name}\"\n")
  if(block MATCHES "(^|\n)int main\\(")
    compile("${where}${block}")
  else()
    compile("${prelude}${where}${block}int main() {}\n")
    if(NOT status EQUAL 0)
      # Statements; the includes among them go to the top, and leave empty lines.
      set(first_output "${output}")
      string(REGEX MATCHALL "#include [^\n]*\n" includes "${block}")
      string(REPLACE ";" "" includes "${includes}")
      string(REGEX REPLACE "#include [^\n]*" "" statements "${block}")
      compile("${includes}${prelude}int main() {\n${where}${statements}}\n")
      if(NOT status EQUAL 0)
        set(output "as statements in main():\n${output}\nas declarations:\n${first_output}")
      endif()
    endif()
  endif()
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${document_name}, block at line ${line}: it does not compile\n${output}")
  endif()
  execute_process(COMMAND "${program}" WORKING_DIRECTORY "${WORK_DIR}" TIMEOUT 60
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${document_name}, block at line ${line}: it ended with ${status}\n${output}")
  endif()
endwhile()

if(block_count LESS LEAST)
  message(FATAL_ERROR "${document_name} has ${block_count} blocks fenced as ```cpp, fewer than ${LEAST}")
endif()
message("${document_name}: ${block_count} blocks compiled and ran.")
