// SPDX-License-Identifier: MIT
// What an engine does with a requested size: find the bucket, size the latent, write the two shape tokens.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <hunyuan_reso/hunyuan_reso.hpp>

namespace hr = hunyuan_reso;

// The published model is a constant of the program, and the numbers that the rest relies on are checked by the
// compiler.
constexpr const hr::Model& model = hr::model_for<hr::profiles::instruct>;
static_assert(model.group.size() == 37);
static_assert(model.group.get_target_size(1920, 1080) == hr::Resolution{720, 1280});
static_assert(*hr::ratio_token_id(model.profile, 36) == 130106, "ratio tokens are not contiguous");

int main(int count, char** arguments) {
  const int height = count > 1 ? std::atoi(arguments[1]) : 1080;
  const int width = count > 2 ? std::atoi(arguments[2]) : 1920;

  const auto image = hr::build_gen_image_info(model, hr::Resolution{height, width});
  if (!image) {
    std::fprintf(stderr, "%dx%d: %s\n", height, width, hr::message(image.error()));
    return 1;
  }
  std::printf("%dx%d -> %dx%d, %d x %d = %lld tokens, %d latent channels\n", height, width, image->image_height,
              image->image_width, image->token_height, image->token_width,
              static_cast<long long>(image->image_token_length), model.profile.latent_channels);

  const auto size = hr::size_token_id(model.profile, image->base_size);
  const auto ratio = hr::ratio_token_id(model.profile, image->ratio_index);
  if (!size || !ratio) {
    std::fprintf(stderr, "%s\n", hr::message(size ? ratio.error() : size.error()));
    return 1;
  }
  std::printf("<boi> %d <img_size_%d> %d <img_ratio_%zu> %d\n", model.profile.special.boi, image->base_size, *size,
              image->ratio_index, *ratio);
  return 0;
}
