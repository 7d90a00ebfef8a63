// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_CUDA_ENLARGEMENT_QUESTIONS_HPP
#define HUNYUAN_RESO_TESTS_CUDA_ENLARGEMENT_QUESTIONS_HPP

#include "questions.hpp"

namespace hunyuan_reso_test {

/// Noise levels, where an image-to-image run begins, and the distilled model's guidance.
struct Schedules {
  static constexpr const char* name = "schedules";
  HUNYUAN_RESO_HD static void ask(const hr::Model& model, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    const auto own = hr::FlowSchedule::create(model.profile);
    answer.add_error(own);
    answer.add(own->steps());
    const auto schedule = hr::FlowSchedule::create(size.height, 3.0);
    answer.add_error(schedule);
    answer.add(schedule->first_step(size.width / 1024.0));
    Draw draw(size);
    for (int i = 0; i < 4; ++i) {
      // Shifts that are no whole numbers: a product rounded together with a sum would show.
      const std::int32_t steps = draw.between(1, 1000);
      const double shift = draw.between(1, 90000) / 7000.0;
      const auto shifted = hr::FlowSchedule::create(steps, shift);
      const std::int32_t step = draw.between(0, shifted->steps());
      answer.add(shifted->sigma(step));
      answer.add(shifted->timestep(step));
      answer.add(shifted->step_factor(step));
      answer.add(shifted->first_step(draw.between(1, 1000) / 1000.0));
    }
    answer.add(hr::guidance_token_value(size.width / 64.0));
  }
};

/// Layouts of tiles: places, which of them cover a cell, weights; and the image that a tile is to the model.
struct Tiles {
  static constexpr const char* name = "tiles";
  HUNYUAN_RESO_HD static void ask(const hr::Model& model, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    Draw draw(size);
    const hr::Resolution tile{draw.between(1, 80), draw.between(1, 80)};
    const std::int32_t shorter = tile.height < tile.width ? tile.height : tile.width;
    const hr::Resolution canvas{draw.between(1, 400), draw.between(1, 400)};
    const auto profile = draw.below(2) == 0 ? hr::TileProfile::cosine : hr::TileProfile::linear;
    const auto layout = hr::TileLayout::create(canvas, tile, draw.between(0, shorter - 1), 1, profile);
    answer.add_error(layout);
    answer.add(layout->size());
    answer.add(layout->overlap_reached());
    const std::int32_t row = draw.between(-1, canvas.height);
    const std::int32_t column = draw.between(-1, canvas.width);
    const hr::TileSpan rows = layout->tile_rows_at(row);
    const hr::TileSpan columns = layout->tile_columns_at(column);
    answer.add(rows.first);
    answer.add(rows.count);
    answer.add(columns.first);
    answer.add(columns.count);
    std::int32_t i = rows.first * layout->columns() + columns.first;
    for (int k = 0; k < 3; ++k) {
      answer.add(layout->weight(i, row, column));
      answer.add(layout->covers(i, row, column));
      answer.add((*layout)[i].top);
      answer.add((*layout)[i].left);
      i = draw.between(-1, layout->size());
    }
    // Of the size itself, which may be no canvas.
    const auto own = hr::TileLayout::create(size, {1024, 1024}, 256, 16);
    answer.add_error(own);
    answer.add(hr::TileLayout::create(size, {1024, 512}, 128, 1)->size());
    const auto narrow = hr::TileLayout::create({16 * canvas.height, 4096}, {1024, 1024}, 256, 16);
    add_image(answer, hr::tile_image_info(model, *narrow));
  }
};

/// Rescaled rotary bases: factors, angular frequencies and tables.
struct RescaledRope {
  static constexpr const char* name = "rescaled rotary bases";
  HUNYUAN_RESO_HD static void ask(const hr::Model& model, const hr::SnapTable&, hr::Resolution size, Answer& answer) {
    const Runs drawn(size);
    const double area = hr::rope_area_factor(model.profile, drawn.runs, 3);
    answer.add(area);
    const double factor = hr::rope_area_factor(model.profile, std::int64_t{size.height} * size.width / 64);
    answer.add(factor);
    Draw draw({size.width, size.height});
    const double sigma = draw.between(0, 1000) / 1000.0;
    const hr::RopeScaling scalings[] = {hr::RopeScaling::none, hr::RopeScaling::area, hr::RopeScaling::area_by_sigma};
    for (const hr::RopeScaling scaling : scalings) {
      answer.add(static_cast<int>(hr::report_of_scale(factor, scaling)));
    }
    // Power functions may differ in the last bit, so a factor that depends on sigma is compared in what is made of it.
    answer.add(hr::rope_base_rescale(scalings[0], factor, sigma));
    answer.add(hr::rope_base_rescale(scalings[1], factor, sigma));
    constexpr std::int32_t dimension = 16;
    float thetas[dimension / 2] = {};
    const double rescale = hr::rope_base_rescale(scalings[draw.below(3)], factor, sigma);
    answer.add(static_cast<int>(hr::write_rope_thetas(thetas, dimension / 2, dimension, 10000.0, rescale)));
    for (const float theta : thetas) answer.add(theta);
    const hr::RopePosition position{draw.between(0, 22799), draw.between(0, 22799)};
    float cosines[dimension] = {};
    float sines[dimension] = {};
    answer.add(static_cast<int>(hr::write_rope_table(&position, 1, thetas, dimension, cosines, sines, dimension)));
    for (int k = 0; k < dimension / 2; ++k) {
      answer.add(cosines[k]);
      answer.add(sines[k + dimension / 2]);
    }
  }
};

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_CUDA_ENLARGEMENT_QUESTIONS_HPP
