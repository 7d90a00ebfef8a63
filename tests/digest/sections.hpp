// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_DIGEST_SECTIONS_HPP
#define HUNYUAN_RESO_TESTS_DIGEST_SECTIONS_HPP

#include <hunyuan_reso/hunyuan_reso.hpp>

// What host and device answer alike. A section answers for item i of a model and of its snapping table; items are
// hashed one by one and summed, so that a kernel may take them in any order.
namespace hunyuan_reso_digest {

namespace hr = hunyuan_reso;

/// A number made from numbers in a row. Integers only.
class Hash {
 public:
  HUNYUAN_RESO_HD constexpr explicit Hash(std::uint64_t seed) noexcept { put(seed); }

  HUNYUAN_RESO_HD constexpr void put(std::uint64_t number) noexcept {
    state_ = (state_ ^ number) * 0x9E3779B97F4A7C15u;
    state_ ^= state_ >> 29;
  }
  template <class T>
  HUNYUAN_RESO_HD constexpr void add(T number) noexcept {
    put(static_cast<std::uint64_t>(static_cast<std::int64_t>(number)));
  }
  HUNYUAN_RESO_HD constexpr void add(hr::Resolution size) noexcept {
    add(size.height);
    add(size.width);
  }
  HUNYUAN_RESO_HD constexpr void add(hr::Slice slice) noexcept {
    add(slice.start);
    add(slice.stop);
  }
  /// Whether there is a value, where the fault is, and the value, also the one that stands in for one that is not
  /// there. Not the error's number, which changes where one is added.
  template <class T>
  HUNYUAN_RESO_HD constexpr void add(const hr::Result<T>& result) noexcept {
    add_error(result);
    add(*result);
  }
  template <class T>
  HUNYUAN_RESO_HD constexpr void add_error(const hr::Result<T>& result) noexcept {
    add(result.has_value());
    add(result.position());
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::uint64_t value() const noexcept { return state_; }

 private:
  std::uint64_t state_ = 0;
};

/// splitmix64: the same numbers everywhere.
class Draw {
 public:
  HUNYUAN_RESO_HD constexpr explicit Draw(std::uint64_t seed) noexcept : state_(seed * 0x9E3779B97F4A7C15u) {}

  HUNYUAN_RESO_HD constexpr std::uint64_t next() noexcept {
    std::uint64_t x = state_ += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
  }
  /// In 0 .. bound - 1.
  HUNYUAN_RESO_HD constexpr std::int32_t below(std::int32_t bound) noexcept {
    return static_cast<std::int32_t>(next() % static_cast<std::uint64_t>(bound));
  }
  /// In 1 .. 2^31 - 1, every number of bits about equally often.
  HUNYUAN_RESO_HD constexpr std::int32_t side() noexcept {
    const std::int32_t shift = 33 + below(31);
    const std::uint64_t value = next() >> shift;
    return value == 0 ? 1 : static_cast<std::int32_t>(value);
  }

 private:
  std::uint64_t state_;
};

/// A side beside `value`, at most one off, kept in range.
HUNYUAN_RESO_HD constexpr std::int32_t beside(std::int64_t value, Draw& draw) noexcept {
  const std::int64_t moved = value + draw.below(3) - 1;
  return static_cast<std::int32_t>(moved < 1 ? 1 : moved > hr::max_side ? std::int64_t{hr::max_side} : moved);
}

/// Size i of a model: random ones, multiples of a threshold, sizes along a threshold's line, multiples of a row; all
/// but the random ones moved by at most one pixel. One in 64 has a side that is no side.
HUNYUAN_RESO_HD constexpr hr::Resolution size_of(const hr::Model& model, std::uint32_t i) noexcept {
  Draw draw(i);
  if (i % 64 == 63) {
    return i % 128 == 63 ? hr::Resolution{-draw.side(), draw.side()} : hr::Resolution{draw.side(), draw.below(2) - 1};
  }
  const auto count = static_cast<std::int32_t>(model.group.threshold_count());
  const hr::Resolution last = model.group.threshold(static_cast<std::size_t>(draw.below(count))).last;
  const std::int32_t longest = last.height > last.width ? last.height : last.width;
  switch (i % 4) {
    case 0:
      return {draw.side(), draw.side()};
    case 1: {
      const std::int64_t factor = 1 + draw.below(hr::max_side / longest);
      return {beside(last.height * factor, draw), beside(last.width * factor, draw)};
    }
    case 2: {
      const std::int64_t width = draw.side();
      return {beside(width * last.height / last.width, draw), static_cast<std::int32_t>(width)};
    }
    default: {
      const hr::Resolution row =
          model.group[static_cast<std::size_t>(draw.below(static_cast<std::int32_t>(model.group.size())))];
      const std::int64_t factor = 1 + draw.below(hr::max_side / 65536);
      return {beside(row.height * factor, draw), beside(row.width * factor, draw)};
    }
  }
}

HUNYUAN_RESO_HD constexpr void add_binary64(Hash& hash, hr::Resolution size) noexcept {
  const auto ratio = size.binary64_ratio();
  hash.put(ratio.significand);
  hash.add(ratio.exponent);
}

/// Rows and what belongs to them.
struct Tables {
  static constexpr const char* name = "tables";
  static constexpr std::uint32_t count = 64;
  HUNYUAN_RESO_HD static constexpr void ask(const hr::Model& model, const hr::SnapTable&, std::uint32_t i,
                                            Hash& hash) noexcept {
    const hr::Resolution row = model.group[i];
    hash.add(model.group.size());
    hash.add(model.group.base_size());
    hash.add(model.group.step());
    hash.add(model.group.align());
    hash.add(row);
    add_binary64(hash, row);
    const auto preset = hr::preset_of_row(model, i);
    hash.add_error(preset);
    hash.add(static_cast<int>(preset->orientation));
    hash.add(preset->common_ratio.width);
    hash.add(preset->common_ratio.height);
    hash.add(preset->common_ratio.exact);
    hash.add(preset->image_token_length);
    hash.add(preset->ratio_token_id);
    hash.add(preset->trained.all());
  }
};

struct Thresholds {
  static constexpr const char* name = "thresholds";
  static constexpr std::uint32_t count = 64;
  HUNYUAN_RESO_HD static constexpr void ask(const hr::Model& model, const hr::SnapTable&, std::uint32_t i,
                                            Hash& hash) noexcept {
    const hr::SnapThreshold threshold = model.group.threshold(i);
    hash.add(model.group.threshold_count());
    hash.add(threshold.last);
    hash.add(threshold.lower);
    hash.add(threshold.upper);
    hash.add(model.group.threshold_place(i));
    hash.add(model.group.separable());
  }
};

/// 80 models of 12800 sizes: over a million.
struct Snaps {
  static constexpr const char* name = "snaps";
  static constexpr std::uint32_t count = 12800;
  HUNYUAN_RESO_HD static constexpr void ask(const hr::Model& model, const hr::SnapTable& table, std::uint32_t i,
                                            Hash& hash) noexcept {
    const hr::Resolution size = size_of(model, i);
    hash.add(table.snap(size));
    if (!size.is_positive()) return;
    hash.add(model.group.snap(size));
    hash.add(model.group.get_target_size(size.width, size.height));
  }
};

HUNYUAN_RESO_HD constexpr void add_image(Hash& hash, const hr::Result<hr::ImageInfo>& info) noexcept {
  hash.add_error(info);
  hash.add(info->image_size());
  hash.add(info->token_grid());
  hash.add(info->image_token_length);
  hash.add(info->base_size);
  hash.add(info->ratio_index);
  hash.add(info->vit_grid());
  hash.add(info->vit_token_length);
  hash.add(static_cast<int>(info->kind));
  hash.add(static_cast<int>(info->grid_mode));
  hash.add(info->trained.base_size);
  hash.add(info->trained.grid);
  hash.add(info->trained.ratio_token);
  hash.add(hr::image_block_length(*info));
}

/// Images to generate in every grid mode, and conditioning images with the vision tower's grid.
struct Images {
  static constexpr const char* name = "images";
  static constexpr std::uint32_t count = 256;
  HUNYUAN_RESO_HD static constexpr void ask(const hr::Model& model, const hr::SnapTable&, std::uint32_t i,
                                            Hash& hash) noexcept {
    const hr::Resolution drawn = size_of(model, i);
    const hr::Resolution size = i % 2 == 0 ? drawn : hr::Resolution{drawn.height % 8192, drawn.width % 8192};
    for (const auto mode : {hr::GridMode::snap, hr::GridMode::follow_request, hr::GridMode::follow_request_by_area}) {
      add_image(hash, hr::build_gen_image_info(model, size, mode));
    }
    add_image(hash, hr::build_cond_image_info(model, size));
  }
};

HUNYUAN_RESO_HD constexpr void add_crop(Hash& hash, const hr::Result<hr::ResizeCrop>& crop) noexcept {
  hash.add_error(crop);
  hash.add(crop->resized_height);
  hash.add(crop->resized_width);
  hash.add(crop->crop_top);
  hash.add(crop->crop_left);
}

struct Crops {
  static constexpr const char* name = "crops";
  static constexpr std::uint32_t count = 2048;
  HUNYUAN_RESO_HD static constexpr void ask(const hr::Model& model, const hr::SnapTable&, std::uint32_t i,
                                            Hash& hash) noexcept {
    const hr::Resolution size = size_of(model, i);
    const hr::Resolution row = size.is_positive() ? model.group[model.group.snap(size)] : model.group[0];
    add_crop(hash, hr::resize_and_center_crop(size, row));
    add_crop(hash, hr::resize_and_center_crop(size, {row.width, row.height}));
    add_crop(hash, hr::resize_conditioning_image(size, row, i % 2 == 0));
    const auto alignment = hr::align_output(model.group, row, &size, 1);
    hash.add_error(alignment);
    hash.add(alignment->resize);
    hash.add(alignment->height);
    hash.add(alignment->width);
    hash.add(hr::wrapped_size(model.profile, size));
  }
};

struct Tokens {
  static constexpr const char* name = "tokens";
  static constexpr std::uint32_t count = 2304;
  HUNYUAN_RESO_HD static constexpr void ask(const hr::Model& model, const hr::SnapTable&, std::uint32_t i,
                                            Hash& hash) noexcept {
    const auto id = static_cast<hr::TokenId>(127900 + i);
    hash.add(hr::base_size_of(model.profile, id));
    hash.add(hr::ratio_index_of(model.profile, id));
    hash.add(hr::generated_ratio_index(model.profile, id));
    hash.add(hr::size_token_id(model.profile, static_cast<std::int32_t>(i * 128)));
    hash.add(hr::ratio_token_id(model.profile, i));
  }
};

/// Weights of tiles; the tile is a row of the group.
struct Tiles {
  static constexpr const char* name = "tiles";
  static constexpr std::uint32_t count = 64;
  HUNYUAN_RESO_HD static constexpr void ask(const hr::Model& model, const hr::SnapTable&, std::uint32_t i,
                                            Hash& hash) noexcept {
    Draw draw(i);
    const std::int32_t rows = static_cast<std::int32_t>(model.group.size());
    const hr::Resolution row = model.group[static_cast<std::size_t>(draw.below(rows))];
    const hr::Resolution tile{row.height / 16 * 16, row.width / 16 * 16};
    const hr::Resolution canvas{tile.height + 16 * draw.below(400), tile.width + 16 * draw.below(400)};
    const auto profile = i % 2 == 0 ? hr::TileProfile::cosine : hr::TileProfile::linear;
    const auto layout = hr::TileLayout::create(canvas, tile, 16 * draw.below(40), 16, profile);
    hash.add_error(layout);
    hash.add(layout->size());
    hash.add(layout->overlap_reached());
    const hr::Resolution cells = layout->canvas_cells();
    for (std::int32_t k = 0; k < 64; ++k) {
      const std::int32_t tile_number = draw.below(layout->size());
      hash.add((*layout)[tile_number].top);
      hash.add((*layout)[tile_number].left);
      const std::int32_t cell_row = draw.below(cells.height);  // the order of a call's arguments is anyone's
      hash.add(layout->weight(tile_number, cell_row, draw.below(cells.width)));
    }
  }
};

/// The schedule is in doubles, whose last bit depends on the compiler's flags: rounded to 2^-30 of the full noise.
HUNYUAN_RESO_HD constexpr std::int64_t rounded(double value, double unit) noexcept {
  const double scaled = value / unit;
  return static_cast<std::int64_t>(scaled < 0.0 ? scaled - 0.5 : scaled + 0.5);
}

struct Schedule {
  static constexpr const char* name = "schedule";
  static constexpr std::uint32_t count = 64;
  HUNYUAN_RESO_HD static constexpr void ask(const hr::Model& model, const hr::SnapTable&, std::uint32_t i,
                                            Hash& hash) noexcept {
    const std::int32_t steps = 1 + static_cast<std::int32_t>(i);
    const auto schedule = hr::FlowSchedule::create(steps, model.profile.flow_shift);
    hash.add_error(schedule);
    for (std::int32_t j = 0; j <= steps; ++j) {
      hash.add(rounded(schedule->sigma(j), 1.0 / 1073741824.0));
      hash.add(rounded(schedule->timestep(j), 1.0 / 1048576.0));
      hash.add(rounded(schedule->step_factor(j), 1.0 / 1073741824.0));
    }
    for (std::int32_t k = 1; k <= 16; ++k) hash.add(schedule->first_step(k / 16.0));
    hash.add(rounded(*hr::guidance_token_value(i / 8.0), 1.0));
  }
};

/// Positions and attention of a sequence of up to three images.
struct Positions {
  static constexpr const char* name = "positions";
  static constexpr std::uint32_t count = 128;
  HUNYUAN_RESO_HD static constexpr void ask(const hr::Model& model, const hr::SnapTable&, std::uint32_t i,
                                            Hash& hash) noexcept {
    Draw draw(i);
    hr::ImageRun runs[6]{};
    std::size_t run_count = 0;
    std::int32_t index = draw.below(300);
    const std::int32_t images = draw.below(4);
    for (std::int32_t k = 0; k < images; ++k) {
      const bool is_last = k + 1 == images;
      const hr::Resolution grid{1 + draw.below(70), 1 + draw.below(70)};
      const std::int32_t length = grid.height * grid.width;
      runs[run_count++] = {{index, index + length},
                           is_last ? hr::ImageRunKind::generated : hr::ImageRunKind::vae,
                           !is_last,
                           grid.height,
                           grid.width};
      index += length + 1;
      if (!is_last) {
        runs[run_count++] = {{index, index + 1024}, hr::ImageRunKind::vit, true, 1 + draw.below(32), 32};
        index += 1024;
      }
      index += draw.below(50);
    }
    const auto positions = hr::RopeLayout::create(model.profile, runs, run_count, index + 100);
    const auto attention = hr::AttentionLayout::create(model.profile, runs, run_count);
    hash.add_error(positions);
    hash.add_error(attention);
    for (std::int32_t k = 0; k < 200; ++k) {
      const std::int32_t at = draw.below(index + 100);
      hash.add(positions->position(at).y);
      hash.add(positions->position(at).x);
      hash.add(attention->allowed_end(at));
    }
    hash.add(attention->allowed_pairs(index + 100));
  }
};

/// What item i of model number `number` adds to the section's sum.
template <class Section>
HUNYUAN_RESO_HD constexpr std::uint64_t answer(const hr::Model& model, const hr::SnapTable& table, std::uint32_t number,
                                               std::uint32_t i) noexcept {
  Hash hash((std::uint64_t{number} << 32) | i);
  Section::ask(model, table, i, hash);
  return hash.value();
}

/// Calls visit.template section<Section>() for each of them, in the order of the output.
template <class Visit>
void for_each_section(Visit&& visit) {
  visit.template section<Tables>();
  visit.template section<Thresholds>();
  visit.template section<Snaps>();
  visit.template section<Images>();
  visit.template section<Crops>();
  visit.template section<Tokens>();
  visit.template section<Tiles>();
  visit.template section<Schedule>();
  visit.template section<Positions>();
}

/// Calls visit(model, table, number) for every profile at every base size that has a token, extra rows absolute and
/// scaled.
template <class Visit>
void for_each_model(Visit&& visit) {
  std::uint32_t number = 0;
  for (const hr::ModelProfile* profile : hr::profiles::all) {
    for (std::size_t i = 0; i < profile->size_tokens.count; ++i) {
      for (const auto scaling : {hr::ExtraScaling::absolute, hr::ExtraScaling::scaled}) {
        const auto model = hr::Model::create(*profile, profile->size_tokens.base_sizes[i], scaling);
        visit(*model, *hr::SnapTable::create(model->group), number++);
      }
    }
  }
}

}  // namespace hunyuan_reso_digest

#endif  // HUNYUAN_RESO_TESTS_DIGEST_SECTIONS_HPP
