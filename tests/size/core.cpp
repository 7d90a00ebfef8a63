// SPDX-License-Identifier: MIT
// A program that uses everything below the sequence layer, with arguments that the compiler does not know: groups at
// run time and at compile time, snapping one by one and in batches, tokens and texts in both directions, image sizes,
// images, crops, schedule, tiles and presets.
#include <hunyuan_reso/crop.hpp>
#include <hunyuan_reso/image_info.hpp>
#include <hunyuan_reso/presets.hpp>
#include <hunyuan_reso/schedule.hpp>
#include <hunyuan_reso/snap_batch.hpp>
#include <hunyuan_reso/tiles.hpp>
#include <hunyuan_reso/vocabulary.hpp>

#include <cstdio>
#include <cstdlib>

namespace hr = hunyuan_reso;

int main(int count, char** words) {
  const char* const text = words[count - 1];
  const hr::ModelProfile& profile = *hr::profiles::all[count % 4];
  const auto model = hr::Model::create(profile, std::atoi(text));
  if (!model) return std::puts(hr::message(model.error()));
  const hr::Resolution size{std::atoi(text), std::rand()};
  std::int64_t sum = static_cast<std::int64_t>(model->group.snap(size));

  const hr::ResolutionGroup& table = hr::group_for<hr::profiles::instruct>;  // a constant, in the program as data
  sum += table.get_target_size(size.width, size.height).pixel_count();
  const hr::Resolution rows[] = {size, {size.width, size.height}, {1, 2}};
  sum += static_cast<std::int64_t>(hr::ResolutionGroup::from_rows(rows, 3)->snap(size));

  std::int32_t widths[300], heights[300];
  for (int i = 0; i < 300; ++i) widths[i] = heights[299 - i] = std::rand();
  std::uint8_t indices[300];
  hr::snap_batch(model->group, widths, heights, indices, 300);
  sum += indices[count];

  const auto id = static_cast<hr::TokenId>(std::rand());
  sum += *hr::size_token_id(profile, id) + *hr::base_size_of(profile, id) + *hr::ratio_token_id(profile, indices[0]);
  sum += static_cast<std::int64_t>(*hr::ratio_index_of(profile, id));
  sum += *hr::find_token(profile, text);
  const auto token = hr::token_text(profile, id);
  std::fwrite(token->view().data(), 1, token->view().size(), stdout);
  const auto match = hr::next_special_token(profile, text);
  sum += match->id;
  sum += static_cast<std::int64_t>(hr::verify_vocabulary(profile, [&](std::string_view each) {
                                     return each.size() == match->begin ? id : -1;
                                   }).mismatch_count);

  const auto parsed = hr::parse_image_size(text, profile);
  const auto written = hr::format_image_size(*parsed, profile);
  std::fwrite(written.view().data(), 1, written.view().size(), stdout);
  const auto mode = static_cast<hr::GridMode>(count % 3);
  const auto image = hr::build_gen_image_info(*model, *parsed, mode);
  sum += image->image_token_length + hr::image_block_length(*image) +
         hr::build_cond_image_info(*model, size)->vit_token_length;
  const auto crop = hr::resize_conditioning_image(size, image->image_size(), count == 2);
  sum += crop->crop_top + crop->crop_left + hr::align_output(model->group, size, rows, 2)->height;

  const auto schedule = hr::FlowSchedule::create(count, std::atof(text));
  sum += static_cast<std::int64_t>(schedule->timestep(1) + schedule->step_factor(2) +
                                   *hr::guidance_token_value(2.5 * count));
  sum += *schedule->first_step(0.5);
  const auto tiles = hr::TileLayout::create(size, rows[1], 16 * count, 16);
  sum += tiles->weight(count, 1, 2) + (*tiles)[1].top + tiles->overlap_reached().height;
  for (const hr::Preset& preset : hr::make_presets(*model))
    sum += preset.image_token_length + preset.common_ratio.width;
  return static_cast<int>(sum);
}
