// SPDX-License-Identifier: MIT
// Enlargement plans: sizes, tiles, steps and calls worked out by hand.
#include <hunyuan_reso/enlarge.hpp>

#include "support/expect.hpp"

namespace {

using namespace hunyuan_reso;

constexpr const Model& model = model_for<profiles::instruct>;

constexpr GenerationRequest drawing() {
  GenerationRequest request;
  request.prompt_tokens = 88;
  request.chain_of_thought_tokens = 0;
  return request;
}

constexpr bool four_k() {
  const auto plan = plan_enlargement(model, drawing(), {2160, 3840});
  EXPECT(plan.has_value());
  EXPECT((plan->generation.image.image_size() == Resolution{720, 1280}));
  EXPECT(plan->is_refined && plan->scale == 3.0);
  EXPECT((plan->canvas == Resolution{2160, 3840}) && plan->crop_top == 0 && plan->crop_left == 0);
  EXPECT(plan->kept_share == 1.0);
  EXPECT(plan->tiles.rows() == 3 && plan->tiles.columns() == 5);
  EXPECT((plan->tile_image.image_size() == Resolution{1024, 1024}) && plan->tile_image.ratio_index == 16);
  // 50 steps, strength 0.35: 33 are skipped, 17 run, for each of 15 tiles.
  EXPECT(plan->first_step == 33 && plan->refinement_steps == 17);
  EXPECT(plan->model_calls == 50 + 15 * 17);
  EXPECT(plan->total_flop ==
         plan->generation.total_flop + plan->tile.first_step_flop + 254 * plan->tile.later_step_flop);
  EXPECT(plan->first_sigma > 0.60 && plan->first_sigma < 0.61);  // 3 * 17 / (50 + 2 * 17)
  EXPECT(plan->feasible());
  EXPECT(plan->latent_bytes == std::int64_t{4} * 32 * 135 * 240);
  EXPECT(plan->picture_bytes == std::int64_t{12} * 2160 * 3840);
  EXPECT(plan->kv_bytes == plan->tile.kv_bytes && plan->kv_bytes > plan->generation.kv_bytes);
  EXPECT(plan->memory_bytes == plan->generation.weight_bytes + plan->generation.vae_bytes + plan->kv_bytes +
                                   plan->picture_bytes + 2 * plan->latent_bytes);
  // The other way: base size 3072, whose sequence exceeds the position table.
  EXPECT(*plan->direct_base_size == 3072);
  EXPECT(!plan->direct.feasible() && plan->direct.scale_report == ScaleReport::noise);
  return true;
}
BOTH_TIMES(four_k)

constexpr bool targets_that_people_name() {
  // Height first. Tiles: ceil((side / 16 - 64) / 48) + 1 along each axis.
  struct {
    Resolution target;
    std::int32_t rows, columns;
    double scale;
  } const cases[] = {{{1440, 2560}, 2, 3, 2.0},    // 90 and 160 cells
                     {{2160, 3840}, 3, 5, 3.0},    // 135 and 240
                     {{4320, 7680}, 6, 10, 6.0},   // 270 and 480
                     {{2128, 3776}, 3, 5, 2.95}};  // 133 and 236: 16:9 at 8 megapixels
  for (const auto& item : cases) {
    const auto plan = plan_enlargement(model, drawing(), item.target);
    EXPECT((plan->finished == Resolution{720, 1280}));
    EXPECT(plan->tiles.rows() == item.rows && plan->tiles.columns() == item.columns);
    EXPECT(plan->model_calls == 50 + 17 * item.rows * item.columns);
    EXPECT(plan->scale >= item.scale && plan->scale < item.scale + 0.01);
  }
  return true;
}
BOTH_TIMES(targets_that_people_name)

constexpr bool odd_targets_are_cut_from_a_canvas_of_whole_tokens() {
  const auto plan = plan_enlargement(model, drawing(), {1141, 919});
  EXPECT((plan->canvas == Resolution{1152, 928}));
  EXPECT(plan->crop_top == 5 && plan->crop_left == 4);
  EXPECT((plan->generation.image.image_size() == Resolution{1152, 896}));
  EXPECT(plan->is_refined);  // 928 columns from 896
  EXPECT((plan->tile_image.image_size() == Resolution{1024, 928}) && plan->tiles.size() == 2);
  EXPECT(plan->enlarged.resized_width == 928 && plan->enlarged.resized_height >= 1152);
  return true;
}
BOTH_TIMES(odd_targets_are_cut_from_a_canvas_of_whole_tokens)

constexpr bool both_ways_where_a_larger_base_size_fits() {
  const auto plan = plan_enlargement(model, drawing(), {1440, 2560 / 16 * 16});
  EXPECT(*plan->direct_base_size == 2048);
  EXPECT(plan->direct.sequence_length < 22800);
  const auto square = plan_enlargement(model, drawing(), {1536, 1536});
  EXPECT(*square->direct_base_size == 1536 && square->direct.feasible());
  EXPECT((square->direct.image.image_size() == Resolution{1536, 1536}));
  EXPECT(square->tiles.size() == 4 && square->scale == 1.5);
  return true;
}
BOTH_TIMES(both_ways_where_a_larger_base_size_fits)

constexpr bool a_target_within_the_bucket_needs_no_tiles() {
  const auto plan = plan_enlargement(model, drawing(), {512, 512});
  EXPECT(!plan->is_refined && plan->scale == 0.5 && plan->model_calls == 50);
  EXPECT(plan->refinement_steps == 0);
  // Such a picture is brought to its size by resizing alone: no whole tokens, nothing lost but what the ratio costs.
  const auto odd = plan_enlargement(model, drawing(), {501, 499});
  EXPECT((odd->canvas == Resolution{501, 499}) && odd->crop_top == 0 && odd->crop_left == 0);
  EXPECT(odd->enlarged.resized_height == 501 && odd->enlarged.resized_width == 501);
  EXPECT(!plan_enlargement(model, drawing(), {1024, 1024})->is_refined);
  EXPECT(plan_enlargement(model, drawing(), {1025, 1024})->is_refined);
  return true;
}
BOTH_TIMES(a_target_within_the_bucket_needs_no_tiles)

constexpr bool a_rate_gives_seconds_and_no_rate_gives_none() {
  EnlargementOptions options;
  EXPECT(plan_enlargement(model, drawing(), {2160, 3840}, options)->seconds == 0.0);
  options.flop_per_second = 1e15;
  const auto plan = plan_enlargement(model, drawing(), {2160, 3840}, options);
  EXPECT(plan->seconds == plan->total_flop / 1e15);
  EXPECT(plan->direct_seconds == plan->direct.total_flop / 1e15);
  options.decoded_pixels_per_second = 1e6;
  const auto coded = plan_enlargement(model, drawing(), {2160, 3840}, options);
  EXPECT(coded->direct_seconds ==
         coded->direct.total_flop / 1e15 + static_cast<double>(coded->direct.image.image_size().pixel_count()) / 1e6);
  return true;
}
BOTH_TIMES(a_rate_gives_seconds_and_no_rate_gives_none)

constexpr bool a_panorama_goes_on_round_its_edge() {
  const Model& round = model_for<profiles::panorama>;
  const auto plan = plan_enlargement(round, drawing(), {1920, 3840});
  EXPECT(plan.has_value());
  // The bucket 960x1952 is finished as 960x1920, twice of which is the target; 32 columns follow once more.
  EXPECT((plan->generation.image.image_size() == Resolution{960, 1952}));
  EXPECT(plan->scale == 2.0 && plan->wrap_columns == 32 && plan->kept_share == 1.0);
  EXPECT((plan->canvas == Resolution{1920, 3872}) && plan->crop_top == 0 && plan->crop_left == 0);
  EXPECT(plan->enlarged.resized_height == 1920 && plan->enlarged.resized_width == 3840);
  // Odd sizes: the width stays exact, so that the edges meet; rows are stretched to a whole token.
  const auto odd = plan_enlargement(round, drawing(), {1001, 2002});
  EXPECT((odd->canvas == Resolution{1008, 2048}) && odd->wrap_columns == 46 && odd->crop_left == 0);
  EXPECT(odd->enlarged.resized_height == 1008 && odd->enlarged.resized_width == 2002 && odd->crop_top == 3);
  // Cut at its sides it wraps no longer.
  const auto cut = plan_enlargement(round, drawing(), {1920, 3800});
  EXPECT(cut->wrap_columns == 0 && (cut->canvas == Resolution{1920, 3808}) && cut->enlarged.crop_left > 0);
  const auto same = plan_enlargement(round, drawing(), {960, 1920});
  EXPECT(!same->is_refined && same->wrap_columns == 0 && same->enlarged.resized_width == 1920);
  return true;
}
BOTH_TIMES(a_panorama_goes_on_round_its_edge)

constexpr bool what_the_image_coder_sees() {
  EnlargementOptions options;
  const auto picture = plan_enlargement(model, drawing(), {2160, 3840}, options);
  EXPECT(picture->decoded_pixels == 720 * 1280 + 15 * 1024 * 1024 && picture->encoded_pixels == 15 * 1024 * 1024);
  options.decoded_pixels_per_second = 1024 * 1024;
  options.encoded_pixels_per_second = 2 * 1024 * 1024;
  const auto timed = plan_enlargement(model, drawing(), {2160, 3840}, options);
  EXPECT(timed->seconds == 15.0 + 720 * 1280 / 1048576.0 + 7.5);
  options.enlarges_latents = true;
  const auto latents = plan_enlargement(model, drawing(), {2160, 3840}, options);
  EXPECT(latents->decoded_pixels == 15 * 1024 * 1024 && latents->encoded_pixels == 0);
  EXPECT(plan_enlargement(model, drawing(), {512, 512})->decoded_pixels == 1024 * 1024);
  return true;
}
BOTH_TIMES(what_the_image_coder_sees)

constexpr bool tiles_at_once_divide_all_of_them() {
  const std::int32_t allowed[] = {1, 2, 3, 4, 5, 6, 7, 14, 15, 16, 1000};
  const std::int32_t expected[] = {1, 1, 3, 3, 5, 5, 5, 5, 15, 15, 15};
  EnlargementOptions options;
  for (std::size_t i = 0; i < 11; ++i) {
    options.tiles_at_once = allowed[i];
    const auto plan = plan_enlargement(model, drawing(), {2160, 3840}, options);
    EXPECT(plan->tiles_at_once == expected[i] && plan->model_calls == 50 + 15 * 17);
    const std::int32_t n = expected[i];
    EXPECT(plan->kv_bytes == plan->tile.kv_bytes * n);
    EXPECT(plan->total_flop ==
           plan->generation.total_flop + plan->tile.first_step_flop * n + (15 * 17 - n) * plan->tile.later_step_flop);
  }
  options.tiles_at_once = 0;
  EXPECT(plan_enlargement(model, drawing(), {2160, 3840}, options).error() == Errc::count_out_of_range);
  return true;
}
BOTH_TIMES(tiles_at_once_divide_all_of_them)

constexpr bool tiles_of_the_trained_square() {
  const EnlargementOptions published = EnlargementOptions::of(profiles::instruct);
  EXPECT((published.tile == EnlargementOptions{}.tile) && published.overlap == EnlargementOptions{}.overlap);
  ModelProfile small = profiles::instruct;
  small.trained_base_size = 200;
  EXPECT((EnlargementOptions::of(small).tile == Resolution{192, 192}) && EnlargementOptions::of(small).overlap == 48);
  small.trained_base_size = 8;
  EXPECT((EnlargementOptions::of(small).tile == Resolution{16, 16}) && EnlargementOptions::of(small).overlap == 0);
  return true;
}
BOTH_TIMES(tiles_of_the_trained_square)

constexpr bool the_profile_decides_where_nothing_is_said() {
  ModelProfile small = profiles::instruct;
  small.trained_base_size = 512;
  const auto plan = plan_enlargement(*Model::create(small), drawing(), {1024, 1024});
  EXPECT((plan->generation.image.image_size() == Resolution{512, 512}));
  EXPECT((plan->tile_image.image_size() == Resolution{512, 512}) && plan->tiles.rows() == 3);  // overlap 128
  return true;
}
BOTH_TIMES(the_profile_decides_where_nothing_is_said)

constexpr bool what_is_refused() {
  EnlargementOptions options;
  EXPECT(plan_enlargement(model, drawing(), {0, 100}).error() == Errc::side_not_positive);
  EXPECT(plan_enlargement(model, drawing(), {max_side, 100}).error() == Errc::target_too_large);
  options.overlap = 1024;
  EXPECT(plan_enlargement(model, drawing(), {2160, 3840}, options).error() == Errc::overlap_not_below_tile);
  options.overlap = 100;
  EXPECT(plan_enlargement(model, drawing(), {2160, 3840}, options).error() == Errc::tiles_not_aligned);
  options.overlap = 256;
  options.strength = 0.0;
  EXPECT(plan_enlargement(model, drawing(), {2160, 3840}, options).error() == Errc::strength_out_of_range);
  EXPECT(plan_enlargement(model, drawing(), {512, 512}, options).error() == Errc::strength_out_of_range);
  GenerationRequest request = drawing();
  request.batch = 0;
  EXPECT(plan_enlargement(model, request, {2160, 3840}).error() == Errc::count_out_of_range);
  return true;
}
BOTH_TIMES(what_is_refused)

constexpr bool tiles_of_ones_own() {
  EnlargementOptions options;
  options.tile = Resolution{768, 1024};
  const auto plan = plan_enlargement(model, drawing(), {2160, 3840}, options);
  EXPECT((plan->tile_image.image_size() == Resolution{768, 1024}) && plan->tile_image.ratio_index == 35);
  EXPECT(plan->tile_image.trained.all());
  options.overlap = 0;
  EXPECT(plan_enlargement(model, drawing(), {2160, 3840}, options)->tiles.rows() == 3);
  options.overlap = 640;                                                                  // more than half a tile
  EXPECT(plan_enlargement(model, drawing(), {2160, 3840}, options)->tiles.rows() == 12);  // ceil((135 - 48) / 8) + 1
  return true;
}
BOTH_TIMES(tiles_of_ones_own)

constexpr bool every_tile_has_its_own_tokens() {
  const auto layout = TileLayout::create({912, 4096}, {1024, 1024}, 256, 16);
  const auto image = tile_image_info(model, *layout);
  EXPECT((image->image_size() == Resolution{912, 1024}) && image->base_size == 1024);
  EXPECT(image->ratio_index == model.group.snap({912, 1024}) && !image->trained.grid);
  EXPECT(image->image_token_length == 57 * 64);
  const auto plan = plan_enlargement(model, drawing(), {912, 4096});
  EXPECT(plan->tile_image.image_size() == image->image_size() && plan->tile_image.ratio_index == image->ratio_index);
  return true;
}
BOTH_TIMES(every_tile_has_its_own_tokens)

constexpr bool a_batch_counts_in_memory() {
  GenerationRequest request = drawing();
  request.batch = 3;
  const auto plan = plan_enlargement(model, request, {2160, 3840});
  EXPECT(plan->latent_bytes == std::int64_t{3} * 4 * 32 * 135 * 240);
  EXPECT(plan->picture_bytes == std::int64_t{3} * 12 * 2160 * 3840);
  EXPECT(plan->decoded_pixels == std::int64_t{3} * (720 * 1280 + 15 * 1024 * 1024));
  EXPECT(plan->model_calls == 50 + 15 * 17);  // passes, whatever their rows
  return true;
}
BOTH_TIMES(a_batch_counts_in_memory)

constexpr bool every_profile_can_be_enlarged() {
  const Resolution targets[] = {{2160, 3840}, {1440, 2560}, {4320, 7680}, {3840, 2160}, {1141, 919}, {16, 4096}};
  for (const ModelProfile* profile : profiles::all) {
    const auto own = Model::create(*profile);
    for (const Resolution target : targets) {
      const auto plan = plan_enlargement(*own, drawing(), target);
      EXPECT(plan.has_value());
      EXPECT(plan->enlarged.crop_top + plan->canvas.height <= plan->enlarged.resized_height);
      EXPECT(plan->enlarged.crop_left + plan->canvas.width - plan->wrap_columns <= plan->enlarged.resized_width);
      EXPECT(plan->wrap_columns == 0 || plan->enlarged.resized_width == target.width);
      EXPECT(plan->crop_top + target.height <= plan->canvas.height &&
             plan->crop_left + target.width <= plan->canvas.width);
    }
  }
  return true;
}
TEST_CASE("every profile can be enlarged") { CHECK(every_profile_can_be_enlarged()); }

}  // namespace
