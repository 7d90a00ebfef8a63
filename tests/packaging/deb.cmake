# SPDX-License-Identifier: MIT
# cmake -DBUILD_DIR= -DVERSION= -DCPACK= -DDPKG_DEB= -DCOMPILER= -DGENERATOR= -DMAKE_PROGRAM= -DWORK_DIR= -DPROGRAM_DIR=
#   -P deb.cmake
# Makes the Debian package, unpacks it, and uses what is in it: the tool runs, and a program finds the library.
cmake_minimum_required(VERSION 3.19)
foreach(variable CXXFLAGS CPPFLAGS LDFLAGS DESTDIR CMAKE_PREFIX_PATH hunyuan_reso_DIR hunyuan_reso_ROOT)
  unset(ENV{${variable}})
endforeach()
file(REMOVE_RECURSE "${WORK_DIR}")
file(MAKE_DIRECTORY "${WORK_DIR}")

include("${CMAKE_CURRENT_LIST_DIR}/../support/run.cmake")

run("${CPACK}" -G DEB --config "${BUILD_DIR}/CPackConfig.cmake" -B "${WORK_DIR}")
file(GLOB package "${WORK_DIR}/*.deb")
if(NOT package MATCHES "/hunyuan-reso_${VERSION}_[a-z0-9]+\\.deb$")
  message(FATAL_ERROR "cpack wrote no package of version ${VERSION}: ${package}")
endif()
run("${DPKG_DEB}" --field "${package}" Depends)
foreach(library libc6 libcsv3 libstdc++6)
  string(FIND "${output}" "${library} (>= " at)
  if(at EQUAL -1)
    message(FATAL_ERROR "The package does not depend on ${library}: ${output}")
  endif()
endforeach()

set(root "${WORK_DIR}/root")
run("${DPKG_DEB}" -x "${package}" "${root}")
file(GLOB_RECURSE files RELATIVE "${root}/usr" "${root}/*")
list(FILTER files EXCLUDE REGEX "^include/hunyuan_reso/[a-z0-9_/]+\\.hpp$")
set(wanted bin/hunyuan-reso share/bash-completion/completions/hunyuan-reso
           share/cmake/hunyuan_reso/hunyuan_resoConfig.cmake share/cmake/hunyuan_reso/hunyuan_resoConfigVersion.cmake
           share/cmake/hunyuan_reso/hunyuan_resoTargets.cmake share/doc/hunyuan-reso/copyright
           share/fish/vendor_completions.d/hunyuan-reso.fish share/man/man1/hunyuan-reso.1.gz
           share/pkgconfig/hunyuan_reso.pc share/zsh/vendor-completions/_hunyuan-reso)
list(SORT files)
list(SORT wanted)
if(NOT files STREQUAL wanted)
  message(FATAL_ERROR "In the package beside headers:\n  ${files}\nWanted:\n  ${wanted}")
endif()
run("${root}/usr/bin/hunyuan-reso" --version)
if(NOT output MATCHES "${VERSION}")
  message(FATAL_ERROR "hunyuan-reso --version: ${output}")
endif()
run("${CMAKE_COMMAND}" -S "${PROGRAM_DIR}" -B "${WORK_DIR}/program" -G "${GENERATOR}" -DWAY=find_package
    "-DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}" "-DCMAKE_CXX_COMPILER=${COMPILER}" -DCMAKE_BUILD_TYPE=Release
    "-DCMAKE_PREFIX_PATH=${root}/usr")
run("${CMAKE_COMMAND}" --build "${WORK_DIR}/program" --target run)
