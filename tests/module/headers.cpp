// SPDX-License-Identifier: MIT
#include <hunyuan_reso/model.hpp>

int index_by_headers(int height, int width) {
  namespace hr = hunyuan_reso;
  return static_cast<int>(hr::group_for<hr::profiles::instruct>.snap({height, width}));
}
