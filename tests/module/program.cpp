// SPDX-License-Identifier: MIT
// A program that imports the library, beside headers.cpp, which includes it.
#include <cstdio>

import hunyuan_reso;

namespace hr = hunyuan_reso;

int index_by_headers(int height, int width);

static_assert(hr::model_for<hr::profiles::instruct>.group.get_target_size(1920, 1080) == hr::Resolution{720, 1280});

int main() {
  const hr::Model& model = hr::model_for<hr::profiles::instruct>;
  const auto image = hr::build_gen_image_info(model, "1024x768");
  const int index = static_cast<int>(image->ratio_index);
  std::printf("%d x %d, ratio index %d\n", image->image_height, image->image_width, index);
  return index == 33 && index_by_headers(1024, 768) == index ? 0 : 1;
}
