// SPDX-License-Identifier: MIT
// Objects that nobody filled: default-constructed, out of a refused Result, full to the last row, with sizes that are
// none. What is read past an array, or computed out of range, stops the program (see CMakeLists.txt). The answers only
// have to be valid: an index below the number of rows (0 for a group without rows), a row of the group or 0x0.
#include <hunyuan_reso/crop.hpp>
#include <hunyuan_reso/presets.hpp>
#include <hunyuan_reso/snap_batch.hpp>

#include <cstdio>
#include <memory>
#include <vector>

namespace {

using namespace hunyuan_reso;

int failures = 0;
long checks = 0;
void check(bool condition, const char* what, std::size_t capacity) {
  ++checks;
  if (!condition && ++failures <= 20) std::printf("capacity %zu: %s\n", capacity, what);
}

constexpr std::int32_t least = -max_side - 1;
constexpr std::int32_t sides[] = {0,       1,       2,     7,     16,       1024,    2048,     8388607,
                                  8388608, 8388609, 65535, 65536, 1 << 24,  1 << 30, max_side, max_side - 1,
                                  -1,      -2,      -1024, least, least + 1};
constexpr std::size_t indices[] = {0,     1,     4,   5,   36,   37,   63,       64,
                                   65535, 65536, 255, 256, 1000, 4095, 1u << 31, static_cast<std::size_t>(-1)};

template <std::size_t Capacity>
bool is_row_of(const BasicResolutionGroup<Capacity>& group, Resolution row) {
  if (group.size() == 0) return row == Resolution{};
  for (const Resolution own : group) {
    if (own == row) return true;
  }
  return false;
}

template <std::size_t Capacity>
void use_batches(const BasicResolutionGroup<Capacity>& group) {
  if constexpr (Capacity <= 255) {
    std::vector<std::int32_t> widths, heights;
    for (int round = 0; round < 3; ++round) {  // more than a block of sizes
      for (const std::int32_t width : sides) {
        for (const std::int32_t height : sides) {
          widths.push_back(width);
          heights.push_back(height);
        }
      }
    }
    const std::size_t counts[] = {widths.size(), 255, 256, 257, 1, 0};
    for (const std::size_t count : counts) {
      std::vector<std::uint8_t> out(count);
      snap_batch(group, widths.data(), heights.data(), out.data(), count);
      for (std::size_t i = 0; i < count; ++i) {
        const Resolution size{heights[i], widths[i]};
        check(out[i] == (size.is_positive() ? group.snap(size) : snap_refused), "snap_batch", Capacity);
      }
      const auto histogram = snap_histogram(group, widths.data(), heights.data(), count);
      check(histogram.total() == count, "snap_histogram", Capacity);
    }
  }
  const Result<SnapTable> table = SnapTable::create(group);
  for (const std::int32_t width : sides) {
    for (const std::int32_t height : sides) {
      const std::uint8_t answer = (*table).snap({height, width});
      if (table && width > 0 && height > 0) check(answer == group.snap({height, width}), "SnapTable", Capacity);
    }
  }
}

template <std::size_t Capacity>
void use(const BasicResolutionGroup<Capacity>& group) {
  for (const std::int32_t width : sides) {
    for (const std::int32_t height : sides) {
      const std::size_t index = group.snap({height, width});
      check(index < group.size() || (index == 0 && group.size() == 0), "snap", Capacity);
      check(is_row_of(group, group.get_target_size(width, height)), "get_target_size", Capacity);
      const BaseSizeAndRatioIndex both = group.get_base_size_and_ratio_index(width, height);
      check(both.ratio_index == index && both.base_size == group.base_size(), "base size and index", Capacity);
      const Resolution size{height, width};
      const Resolution row = group[index];
      (void)resize_and_center_crop(size, row);
      (void)align_output(group, row, &size, 1);
      (void)align_output(group, size, &row, 1);
    }
  }
  for (const std::size_t i : indices) {
    check(i < group.size() || group[i] == Resolution{}, "operator[]", Capacity);
    const SnapThreshold threshold = group.threshold(i);
    check(threshold.last.is_positive() == (i < group.threshold_count()), "threshold", Capacity);
    check(i < group.threshold_count() || group.threshold_place(i) == 0, "threshold_place", Capacity);
  }
  std::size_t count = 0;
  for (const Resolution row : group) count += row.is_positive() ? std::size_t{1} : std::size_t{0};
  check(count == group.size() && group.size() <= Capacity, "size", Capacity);
  check(group.threshold_count() < group.size() || group.size() == 0, "threshold_count", Capacity);
  use_batches(group);
}

/// All sorts of groups that a type can hold.
template <std::size_t Capacity>
void use_type() {
  using Group = BasicResolutionGroup<Capacity>;
  const auto make = [](const Result<Group>& group) { return std::make_unique<Group>(*group); };
  use(*std::make_unique<Group>());
  use(*make(Errc::no_rows));
  use(*make(Group::create(GroupSpec{}.with_base_size(0))));
  use(*make(Group::create(GroupSpec{}.with_base_size(least))));
  use(*make(Group::create(GroupSpec{}.with_step(1).with_align(1))));  // 2049 rows: refused by capacity
  use(*make(Group::create(GroupSpec{}.with_extra({0, 0}))));
  use(*make(Group::create(GroupSpec{})));
  use(*make(Group::from_rows(nullptr, 0)));
  const Resolution bad[] = {{1, 1}, {0, 1}};
  use(*make(Group::from_rows(bad, 2)));
  std::vector<Resolution> rows;
  for (std::int32_t i = 0; rows.size() < Capacity; ++i) rows.push_back({i % 97 + 1, i / 97 * 3 + 1});
  use(*make(Group::from_rows(rows.data(), 1)));
  use(*make(Group::from_rows(rows.data(), Capacity)));  // to the last row
  use(*make(Group::from_rows(rows.data(), Capacity + 1)));
  for (Resolution& row : rows) row = {5, 5};
  use(*make(Group::from_rows(rows.data(), Capacity)));  // one ratio
  for (std::size_t i = 0; i < Capacity; ++i) {
    rows[i] = {max_side - static_cast<std::int32_t>(i), max_side};  // too close for thresholds
  }
  use(*make(Group::from_rows(rows.data(), Capacity)));
  for (std::size_t i = 0; i < Capacity; ++i) {
    const auto far = static_cast<std::int32_t>(1 + i * (max_side / Capacity));
    rows[i] = i % 2 == 0 ? Resolution{far, 1} : Resolution{1, far};
  }
  use(*make(Group::from_rows(rows.data(), Capacity)));
}

/// Models that nobody made, and profiles that check() refuses.
void use_model(const Model& model) {
  for (const std::int32_t width : sides) {
    for (const std::int32_t height : sides) {
      const Resolution size{height, width};
      for (const GridMode mode : {GridMode::snap, GridMode::follow_request, GridMode::follow_request_by_area}) {
        const Result<ImageInfo> info = build_gen_image_info(model, size, mode);
        check(size.is_positive() || info.error() == Errc::side_not_positive, "build_gen_image_info", 0);
        (void)image_block_length(*info);
      }
      (void)image_block_length(*build_cond_image_info(model, size));
      (void)wrapped_size(model.profile, size);
    }
  }
  for (const std::size_t i : indices) {
    check(i < model.group.size() || image_info_of_row(model, i).error() == Errc::ratio_index_out_of_range,
          "image_info_of_row", 0);
    (void)preset_of_row(model, i);
    (void)ratio_token_id(model.profile, i);
  }
  check(make_presets(model).size() == model.group.size(), "make_presets", 0);
  for (const std::int32_t id : sides) {
    (void)size_token_id(model.profile, id);
    (void)base_size_of(model.profile, id);
    (void)generated_ratio_index(model.profile, id);
    (void)make_group(model.profile, id);
    (void)make_group(model.profile, id, ExtraScaling::scaled);
    (void)model.profile.with_ratio_token_id(3, id);
  }
}

void use_models() {
  use_model(Model{});
  use_model(*Model::create(profiles::base, 0));
  for (const ModelProfile* profile : profiles::all) use_model(*Model::create(*profile));
  Model hostile = *Model::create(profiles::panorama);
  constexpr std::size_t too_many = static_cast<std::size_t>(-1);
  hostile.profile.ratio_tokens.count = too_many;
  hostile.profile.size_tokens.count = too_many;
  hostile.profile.further_tokens.count = too_many;
  hostile.profile.extras.count = too_many;
  use_model(hostile);
  for (const std::int32_t value : sides) {
    Model odd = *Model::create(profiles::panorama);
    odd.profile.patch_size = value;
    odd.profile.vae_downsample_height = value;
    odd.profile.vit_patch = value;
    odd.profile.vit_slots = value;
    odd.profile.wrap_pixels = value;
    odd.profile.align = value;
    odd.profile.trained_base_size = value;
    use_model(odd);
  }
}

}  // namespace

int main() {
  use_type<1>();
  use_type<5>();
  use_type<37>();
  use_type<64>();
  use_type<255>();
  use_type<300>();
  use_type<1000>();
  use_models();
  std::printf("%ld checks, %d failures\n", checks, failures);
  return failures == 0 ? 0 : 1;
}
