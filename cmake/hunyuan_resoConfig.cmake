# SPDX-License-Identifier: MIT
# find_package(hunyuan_reso) defines the target hunyuan_reso::hunyuan_reso. The package has no components.
include("${CMAKE_CURRENT_LIST_DIR}/hunyuan_resoTargets.cmake")

foreach(hunyuan_reso_component IN LISTS hunyuan_reso_FIND_COMPONENTS)
  if(hunyuan_reso_FIND_REQUIRED_${hunyuan_reso_component})
    set(hunyuan_reso_FOUND FALSE)
    set(hunyuan_reso_NOT_FOUND_MESSAGE "The package has no component ${hunyuan_reso_component}.")
  endif()
endforeach()
unset(hunyuan_reso_component)
