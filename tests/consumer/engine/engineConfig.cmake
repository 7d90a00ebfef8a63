# SPDX-License-Identifier: MIT
include(CMakeFindDependencyMacro)
find_dependency(hunyuan_reso)
include("${CMAKE_CURRENT_LIST_DIR}/engineTargets.cmake")
