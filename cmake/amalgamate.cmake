# SPDX-License-Identifier: MIT
# cmake -DINPUT=umbrella.hpp -DOUTPUT=single.hpp -P amalgamate.cmake
# Puts every header that INPUT includes by a relative name ("...") in place of its first #include. Depends on the
# headers' text alone. Include guards stay, so that the single file and the split headers may meet in one program.
cmake_minimum_required(VERSION 3.16)

set(spdx_line "// SPDX-License-Identifier: MIT\n")

function(append_header path)
  get_property(seen GLOBAL PROPERTY seen_headers)
  if(path IN_LIST seen)
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY seen_headers "${path}")
  get_filename_component(folder "${path}" DIRECTORY)

  file(READ "${path}" text)
  string(REPLACE "${spdx_line}" "" text "${text}")
  while(text MATCHES "(^|\n)(#include \"([^\"\n]+)\"[^\n]*\n)")
    set(directive "${CMAKE_MATCH_2}")
    get_filename_component(included "${folder}/${CMAKE_MATCH_3}" ABSOLUTE)
    string(FIND "${text}" "${directive}" start)
    string(LENGTH "${directive}" length)
    math(EXPR rest "${start} + ${length}")
    string(SUBSTRING "${text}" 0 ${start} before)
    string(SUBSTRING "${text}" ${rest} -1 text)
    set_property(GLOBAL APPEND_STRING PROPERTY single_header "${before}")
    append_header("${included}")
  endwhile()
  set_property(GLOBAL APPEND_STRING PROPERTY single_header "${text}")
endfunction()

get_filename_component(input "${INPUT}" ABSOLUTE)
append_header("${input}")

get_filename_component(folder "${input}" DIRECTORY)
file(STRINGS "${folder}/version.hpp" version REGEX "^#define HUNYUAN_RESO_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
string(REGEX REPLACE "[^0-9;]" "" version "${version}")
string(REPLACE ";" "." version "${version}")
file(READ "${folder}/../../LICENSE" license)
string(REGEX REPLACE "\n+$" "" license "${license}")
string(REPLACE "\n" "\n// " license "// ${license}")
string(REPLACE "// \n" "//\n" license "${license}")

get_property(text GLOBAL PROPERTY single_header)
file(WRITE "${OUTPUT}" "${spdx_line}// hunyuan_reso ${version} in one file, generated from the split headers.\n//\n${license}\n\n${text}")
