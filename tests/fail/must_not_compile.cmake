# SPDX-License-Identifier: MIT
# cmake -DCOMPILER= -DWARNINGS= -DINCLUDE_DIR= -DSOURCE= -P must_not_compile.cmake
set(ENV{LC_ALL} C)

# Sets `status` and `output` of compiling the program with its bad value in place (1) or not (0).
macro(compile bad_value)
  execute_process(COMMAND "${COMPILER}" -std=c++17 -fsyntax-only ${WARNINGS} "-I${INCLUDE_DIR}"
                          -DMUST_NOT_COMPILE=${bad_value} "${SOURCE}"
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
endmacro()

file(STRINGS "${SOURCE}" expected REGEX "^// expect: ")
string(REGEX REPLACE "^// expect: " "" expected "${expected}")
if(expected STREQUAL "")
  message(FATAL_ERROR "${SOURCE} has no line `// expect: REGULAR EXPRESSION`")
endif()

compile(0)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "The control does not compile:\n${output}")
endif()
compile(1)
if(status EQUAL 0)
  message(FATAL_ERROR "It compiles, and must not.")
endif()
if(NOT output MATCHES "(error|note): [^\n]*(${expected})")
  message(FATAL_ERROR "It does not compile, but the compiler does not say `${expected}`:\n${output}")
endif()
