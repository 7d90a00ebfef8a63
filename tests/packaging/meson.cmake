# SPDX-License-Identifier: MIT
# cmake -DMESON= -DCOMPILER= -DSOURCE_DIR= -DWORK_DIR= -DVERSION= -P meson.cmake
# A Meson project with the library as a subproject is built and run; the library is installed by Meson.
cmake_minimum_required(VERSION 3.16)
file(REMOVE_RECURSE "${WORK_DIR}")
set(ENV{CXX} "${COMPILER}")
include("${CMAKE_CURRENT_LIST_DIR}/../support/run.cmake")

set(library "${WORK_DIR}/engine/subprojects/hunyuan_reso")
file(COPY "${SOURCE_DIR}/include" "${SOURCE_DIR}/meson.build" DESTINATION "${library}")
file(WRITE "${WORK_DIR}/engine/meson.build" "project('engine', 'cpp', default_options: ['cpp_std=c++17'])
reso = dependency('hunyuan_reso', version: '${VERSION}', fallback: ['hunyuan_reso', 'hunyuan_reso_dep'])
test('engine', executable('engine', 'main.cpp', dependencies: reso))
")
file(WRITE "${WORK_DIR}/engine/main.cpp" "#include <hunyuan_reso/resolution_group.hpp>
#include <hunyuan_reso/model.hpp>
namespace hr = hunyuan_reso;
int main() {
  const auto model = hr::Model::create(hr::profiles::instruct);
  return model && model->group.get_target_size(1920, 1080) == hr::Resolution{720, 1280} ? 0 : 1;
}
")
run("${MESON}" setup "${WORK_DIR}/build" "${WORK_DIR}/engine" --wrap-mode=nodownload)
run("${MESON}" test -C "${WORK_DIR}/build")

set(staged "${WORK_DIR}/staged")
set(ENV{DESTDIR} "${staged}")
run("${MESON}" setup --prefix=/usr "${WORK_DIR}/library" "${library}")
run("${MESON}" install -C "${WORK_DIR}/library")
file(GLOB_RECURSE files RELATIVE "${staged}/usr" "${staged}/*")
file(GLOB_RECURSE wanted RELATIVE "${SOURCE_DIR}" "${SOURCE_DIR}/include/*.hpp")
list(APPEND wanted share/pkgconfig/hunyuan_reso.pc)
list(SORT files)
list(SORT wanted)
if(NOT files STREQUAL wanted)
  message(FATAL_ERROR "Installed:\n  ${files}\nWanted:\n  ${wanted}")
endif()
