# SPDX-License-Identifier: MIT
# cmake -DWAY= -DSOURCE_DIR= -DWORK_DIR= -DCOMPILER= -DGENERATOR= -DMAKE_PROGRAM= -DVERSION= -P run.cmake
# WAY is how the consumer gets at the library. Commands are those of CMake 3.16.
cmake_minimum_required(VERSION 3.16)

# Settings of the surrounding build must not reach the consumer.
foreach(variable CXXFLAGS CPPFLAGS LDFLAGS DESTDIR CMAKE_PREFIX_PATH CMAKE_GENERATOR hunyuan_reso_DIR hunyuan_reso_ROOT)
  unset(ENV{${variable}})
endforeach()
file(REMOVE_RECURSE "${WORK_DIR}")
file(MAKE_DIRECTORY "${WORK_DIR}")
set(toolchain -G "${GENERATOR}" "-DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
              -DCMAKE_BUILD_TYPE=Release)

include("${CMAKE_CURRENT_LIST_DIR}/../support/run.cmake")

# Configures `source` with the settings in ARGN.
macro(configure source build)
  run("${CMAKE_COMMAND}" -S "${source}" -B "${build}" ${toolchain} ${ARGN})
endmacro()

# Configures the program, builds it and runs it.
macro(build_and_run_program)
  configure("${CMAKE_CURRENT_LIST_DIR}/program" "${WORK_DIR}/build" -DWAY=${WAY} ${ARGN})
  run("${CMAKE_COMMAND}" --build "${WORK_DIR}/build" --config Release --target run)
endmacro()

# Sets `files` to what is in a folder.
macro(list_files folder)
  file(GLOB_RECURSE files LIST_DIRECTORIES false RELATIVE "${folder}" "${folder}/*")
endmacro()

# Installs the library, and moves the tree away: it must not know where it was.
macro(install_library)
  configure("${SOURCE_DIR}" "${WORK_DIR}/library" "-DCMAKE_INSTALL_PREFIX=${WORK_DIR}/first prefix"
            -DHUNYUAN_RESO_BUILD_TESTS=OFF -DHUNYUAN_RESO_BUILD_BENCH=OFF -DHUNYUAN_RESO_BUILD_EXAMPLES=OFF ${ARGN})
  run("${CMAKE_COMMAND}" --build "${WORK_DIR}/library" --config Release)
  run("${CMAKE_COMMAND}" --install "${WORK_DIR}/library" --config Release)
  set(prefix "${WORK_DIR}/prefix")
  file(RENAME "${WORK_DIR}/first prefix" "${prefix}")
  check_installed("${prefix}")
endmacro()

# The installed tree holds every header, the package and the licence, nothing else, and no path of this machine.
macro(check_installed folder)
  list_files("${folder}")
  set(package share/cmake/hunyuan_reso/hunyuan_reso)
  set(wanted ${package}Config.cmake ${package}ConfigVersion.cmake ${package}Targets.cmake
             share/pkgconfig/hunyuan_reso.pc share/licenses/hunyuan_reso/LICENSE)
  file(GLOB_RECURSE headers RELATIVE "${SOURCE_DIR}" "${SOURCE_DIR}/include/*.hpp")
  list(APPEND wanted ${headers})
  list(SORT wanted)
  list(SORT files)
  if(NOT files STREQUAL wanted)
    message(FATAL_ERROR "Installed:\n  ${files}\nWanted:\n  ${wanted}")
  endif()
  foreach(file ${files})
    file(READ "${folder}/${file}" text)
    foreach(path "${SOURCE_DIR}" "${WORK_DIR}")
      string(FIND "${text}" "${path}" position)
      if(NOT position EQUAL -1)
        message(FATAL_ERROR "${file} names ${path}.")
      endif()
    endforeach()
  endforeach()
endmacro()

if(WAY STREQUAL "find_package")
  install_library()
  build_and_run_program("-DCMAKE_PREFIX_PATH=${prefix}")

elseif(WAY STREQUAL "add_subdirectory" OR WAY STREQUAL "fetch_content")
  build_and_run_program("-DLIBRARY=${SOURCE_DIR}" "-DCMAKE_INSTALL_PREFIX=${WORK_DIR}/prefix")
  # The consumer's own installation has nothing of the library's.
  run("${CMAKE_COMMAND}" --install "${WORK_DIR}/build" --config Release)
  list_files("${WORK_DIR}/prefix")
  if(NOT files MATCHES "^bin/program[^;]*$")
    message(FATAL_ERROR "Installed beside the program: ${files}")
  endif()

elseif(WAY STREQUAL "pkg_config")
  find_program(pkg_config NAMES pkg-config pkgconf)
  if(NOT pkg_config)
    message("skipped: pkg-config was not found")
    return()
  endif()
  install_library()
  set(ENV{PKG_CONFIG_PATH} "${prefix}/share/pkgconfig")
  run("${pkg_config}" --modversion hunyuan_reso)
  string(STRIP "${output}" output)
  if(NOT output STREQUAL VERSION)
    message(FATAL_ERROR "pkg-config says version ${output} instead of ${VERSION}.")
  endif()
  run("${pkg_config}" --cflags --libs hunyuan_reso)
  string(STRIP "${output}" flags)
  if(NOT flags MATCHES "^-I[^ ]+$")
    message(FATAL_ERROR "pkg-config says more than one folder: ${flags}")
  endif()
  run("${COMPILER}" -std=c++17 "${flags}" "${CMAKE_CURRENT_LIST_DIR}/program/main.cpp" -o "${WORK_DIR}/program")
  run("${WORK_DIR}/program")

elseif(WAY STREQUAL "subproject")
  # An engine that carries the library, installs it along and exports a target that needs it; then a program that
  # finds the engine.
  configure("${CMAKE_CURRENT_LIST_DIR}/engine" "${WORK_DIR}/engine" "-DLIBRARY=${SOURCE_DIR}" "-DCMAKE_INSTALL_PREFIX=${WORK_DIR}/prefix")
  run("${CMAKE_COMMAND}" --build "${WORK_DIR}/engine" --config Release)
  run("${CMAKE_COMMAND}" --install "${WORK_DIR}/engine" --config Release --component hunyuan_reso_Development)
  check_installed("${WORK_DIR}/prefix")
  run("${CMAKE_COMMAND}" --install "${WORK_DIR}/engine" --config Release)
  build_and_run_program("-DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix")

elseif(WAY STREQUAL "versions")
  install_library()
  string(REGEX MATCH "^([0-9]+)\\.([0-9]+)" release "${VERSION}")
  set(major ${CMAKE_MATCH_1})
  math(EXPR next_minor "${CMAKE_MATCH_2} + 1")
  math(EXPR last_minor "${CMAKE_MATCH_2} - 1")  # of 0 it is -1, which no package has either
  configure("${CMAKE_CURRENT_LIST_DIR}/requests" "${WORK_DIR}/requests" "-DCMAKE_PREFIX_PATH=${prefix}"
            "-DACCEPTED=${release}|${VERSION}|${VERSION} EXACT"
            "-DREFUSED=9|${major}.${last_minor}|${major}.${next_minor}|${release}.999|${release} COMPONENTS text")

else()
  message(FATAL_ERROR "WAY is ${WAY}.")
endif()
