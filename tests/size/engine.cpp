// SPDX-License-Identifier: MIT
// What an image engine takes from the core: one checkpoint as a constant, a request parsed and snapped, its tokens, the
// crop of a conditioning image and the schedule.
#include <hunyuan_reso/crop.hpp>
#include <hunyuan_reso/image_info.hpp>
#include <hunyuan_reso/schedule.hpp>
#include <hunyuan_reso/tokens.hpp>

#include <cstdio>
#include <cstdlib>

namespace hr = hunyuan_reso;

int main(int count, char** words) {
  const char* const text = words[count - 1];
  const hr::Model& model = hr::model_for<hr::profiles::instruct>;
  const auto image = hr::build_gen_image_info(model, text);
  if (!image) return static_cast<int>(image.position());
  std::int64_t sum = image->image_token_length + hr::image_block_length(*image);
  sum += *hr::size_token_id(model.profile, image->base_size) + *hr::ratio_token_id(model.profile, image->ratio_index);
  sum += static_cast<std::int64_t>(*hr::ratio_index_of(model.profile, std::rand()));
  const hr::Resolution size{std::atoi(text), std::rand()};
  const auto condition = hr::build_cond_image_info(model, size);
  sum += condition->vit_token_length;
  const auto crop = hr::resize_and_center_crop(size, condition->image_size());
  sum += crop->crop_top + crop->crop_left;
  const auto schedule = hr::FlowSchedule::create(model.profile);
  for (std::int32_t step = 0; step < schedule->steps(); ++step)
    sum += static_cast<std::int64_t>(schedule->timestep(step));
  return static_cast<int>(std::puts(text) + sum);
}
