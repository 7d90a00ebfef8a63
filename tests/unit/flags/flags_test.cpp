// SPDX-License-Identifier: MIT
// The same answers under any compiler flags. This file is compiled once for each line of flags/CMakeLists.txt; the
// reference (support/plain.cpp) is compiled strictly every time. No test framework: it would cost more to compile.
#include <hunyuan_reso/crop.hpp>
#include <hunyuan_reso/image_info.hpp>
#include <hunyuan_reso/snap_batch.hpp>

#include <cstdio>
#include <cstring>
#include <vector>

#include "support/fraction.hpp"
#include "support/plain.hpp"
#include "support/random.hpp"

namespace {

using namespace hunyuan_reso;
using hunyuan_reso_test::Fraction64;
using hunyuan_reso_test::Random;
namespace plain = hunyuan_reso_test::plain;

/// FNV-1a over every answer: one number to compare between builds, whose right value is known.
struct Digest {
  std::uint64_t value = 0xCBF29CE484222325;
  void add(std::uint64_t word) {
    for (int i = 0; i < 8; ++i, word >>= 8) value = (value ^ (word & 0xFF)) * 0x100000001B3;
  }
  void add_pair(std::int64_t a, std::int64_t b) {
    add(static_cast<std::uint64_t>(a));
    add(static_cast<std::uint64_t>(b));
  }
};
constexpr std::uint64_t expected_digest = 0x55D0CC5C2211BF23;
constexpr std::uint64_t expected_vit_digest = 0x3D3A32FA9E779645;

int failures = 0;
void check(bool condition, const char* what, std::int64_t height, std::int64_t width) {
  if (!condition && ++failures <= 20) {
    std::printf("%s differs for %lldx%lld\n", what, static_cast<long long>(height), static_cast<long long>(width));
  }
}

plain::Size plain_size(Resolution size) { return {size.height, size.width}; }

/// One size through everything that decides in binary64.
void check_size(const ResolutionGroup& group, const plain::Group& definition, Resolution size, Digest& digest) {
  const std::size_t index = group.snap(size);
  check(index == definition.nearest_index(size.width, size.height), "the ratio index", size.height, size.width);
  const double ratio = size.ratio();
  const double expected_ratio = plain::divide(size.height, size.width);
  check(std::memcmp(&ratio, &expected_ratio, sizeof(ratio)) == 0, "the ratio", size.height, size.width);
  const Resolution target = group[index];
  const ResizeCrop crop = *resize_and_center_crop(size, target);
  const plain::Crop expected = plain::resize_and_center_crop(plain_size(size), plain_size(target));
  check(crop.resized_height == expected.resized_height && crop.resized_width == expected.resized_width &&
            crop.crop_top == expected.top && crop.crop_left == expected.left,
        "the crop", size.height, size.width);
  digest.add(index);
  digest.add_pair(crop.resized_height, crop.resized_width);
  digest.add_pair(crop.crop_top, crop.crop_left);
  if (size.pixel_count() > std::int64_t{1} << 52) return;  // the reference's area would not be exact
  const OutputAlignment aligned = *align_output(group, target, &size, 1);
  const plain::Alignment reference =
      plain::align_output(definition, group.base_size(), plain_size(target), {plain_size(size)});
  check(aligned.resize == reference.resize && aligned.height == reference.height && aligned.width == reference.width,
        "the alignment", size.height, size.width);
  digest.add_pair(aligned.height, aligned.width);
}

/// The batch must say what one size at a time says. Its length is no multiple of anything.
void check_batch(const ResolutionGroup& group, const std::vector<Resolution>& sizes) {
  std::vector<std::int32_t> widths, heights;
  for (const Resolution size : sizes) {
    widths.push_back(size.width);
    heights.push_back(size.height);
  }
  for (const std::int32_t bad : {0, -1, -max_side - 1, -1024}) {
    widths.insert(widths.begin() + 100, {bad, 5, bad});
    heights.insert(heights.begin() + 100, {5, bad, bad});
  }
  std::vector<std::uint8_t> indices(widths.size());
  snap_batch(group, widths.data(), heights.data(), indices.data(), indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const bool valid = widths[i] > 0 && heights[i] > 0;
    const std::size_t expected = valid ? group.snap({heights[i], widths[i]}) : std::size_t{snap_refused};
    check(indices[i] == expected, "the batch's ratio index", heights[i], widths[i]);
  }
}

void check_group(const ResolutionGroup& group, Digest& digest) {
  std::vector<plain::Size> rows;
  for (const Resolution row : group) rows.push_back(plain_size(row));
  const plain::Group definition(rows);
  std::vector<Resolution> sizes;
  // The last size below every threshold, and the first one above it; then their surroundings.
  for (std::size_t k = 0; k < group.threshold_count(); ++k) {
    const Resolution last = group.threshold(k).last;
    const Fraction64 next = hunyuan_reso_test::next_fraction({last.height, last.width});
    sizes.push_back(last);
    sizes.push_back({static_cast<std::int32_t>(next.numerator), static_cast<std::int32_t>(next.denominator)});
    for (std::int32_t width = 1; width <= 600; ++width) {
      const auto height = static_cast<std::int32_t>(std::int64_t{width} * last.height / last.width);
      if (height > 0) sizes.push_back({height, width});
      sizes.push_back({height + 1, width});
    }
    digest.add_pair(last.height, last.width);
  }
  Random random(71);
  for (int i = 0; i < 20000; ++i) sizes.push_back({random.side(), random.side()});
  for (const Resolution size : sizes) check_size(group, definition, size, digest);
  check_batch(group, sizes);
}

/// Every size up to 512 a side.
void check_square(const ResolutionGroup& group, Digest& digest) {
  const plain::Group definition(plain::instruct(group.base_size()));
  std::vector<Resolution> sizes;
  for (std::int32_t h = 1; h <= 512; ++h) {
    for (std::int32_t w = 1; w <= 512; ++w) sizes.push_back({h, w});
  }
  for (const Resolution size : sizes) {
    const std::size_t index = group.snap(size);
    check(index == definition.nearest_index(size.width, size.height), "the ratio index", size.height, size.width);
    digest.add(index);
  }
  check_batch(group, sizes);
}

/// Built by the compiler and built now: the same group.
void check_built_twice(const ResolutionGroup& built) {
  constexpr const ResolutionGroup& compiled = group_for<profiles::panorama>;
  check(built.size() == compiled.size(), "the number of rows", 0, 0);
  for (std::size_t i = 0; i < compiled.size(); ++i) {
    check(built[i] == compiled[i], "a row", compiled[i].height, compiled[i].width);
  }
  for (std::size_t k = 0; k < compiled.threshold_count(); ++k) {
    const Resolution last = compiled.threshold(k).last;
    check(built.threshold(k).last == last, "a threshold", last.height, last.width);
  }
}

/// One original through the bisection that finds the ViT's grid.
void check_vit_grid(const Model& model, Resolution original, Digest& digest) {
  const std::int32_t patch = model.profile.vit_patch;
  const std::int32_t slots = model.profile.vit_slots;
  const plain::Size expected = plain::vit_grid(plain_size(original), patch, slots);
  const Result<ImageInfo> info = build_cond_image_info(model, original);
  const bool fits = Resolution{expected.height, expected.width}.pixel_count() <= slots;
  const bool is_right = fits ? plain_size(info->vit_grid()) == expected : info.error() == Errc::vit_grid_exceeds_slots;
  check(is_right && info.has_value() == fits, "the ViT's grid", original.height, original.width);
  digest.add_pair(info->vit_token_height, info->vit_token_width);
}

/// The same grids in a constant expression.
struct CompiledGrids {
  static constexpr std::size_t count = 24;
  Resolution originals[count]{};
  Resolution grids[count]{};
};
constexpr CompiledGrids compiled_grids() {
  CompiledGrids result;
  Random random(73);
  for (std::size_t i = 0; i < CompiledGrids::count; ++i) {
    result.originals[i] = {random.side(), random.side()};
    result.grids[i] = *detail::vit_grid(result.originals[i], 16, 1024);
  }
  return result;
}

void check_vit_grids(std::int32_t base_size, Digest& digest) {
  Model model = *Model::create(profiles::instruct, base_size);
  for (std::int32_t h = 1; h <= 4096; h += h < 96 ? 1 : 97) {
    for (std::int32_t w = 1; w <= 4096; w += w < 96 ? 1 : 89) check_vit_grid(model, {h, w}, digest);
  }
  Random random(72);
  for (int i = 0; i < 4000; ++i) check_vit_grid(model, {random.side(), random.side()}, digest);
  const std::int32_t limits[][2] = {{16, 256}, {16, 64}, {4, 24}, {14, 729}, {1, 1}};
  for (const auto& limit : limits) {
    model.profile.vit_patch = limit[0];
    model.profile.vit_slots = limit[1];
    for (int i = 0; i < 2000; ++i) check_vit_grid(model, {random.side(), random.side()}, digest);
  }
  constexpr CompiledGrids compiled = compiled_grids();
  for (std::size_t i = 0; i < CompiledGrids::count; ++i) {
    const Resolution original = compiled.originals[i];
    const Resolution grid = detail::vit_grid(original, 16, 1024).value_or({});
    check(grid == compiled.grids[i], "the compiled ViT grid", original.height, original.width);
  }
}

}  // namespace

int main(int argc, char**) {
  // The base size goes through argc, so that no compiler can build the groups ahead of time.
  const std::int32_t base_size = 1024 + (argc > 100 ? argc : 0);
  Digest digest;
  check_square(*make_group(profiles::instruct, base_size), digest);
  check_group(*make_group(profiles::base, base_size), digest);
  check_group(*make_group(profiles::panorama, base_size), digest);
  check_group(*make_group(profiles::instruct, 2 * base_size, ExtraScaling::scaled), digest);
  GroupSpec inseparable = profiles::instruct.group_spec(base_size, ExtraScaling::absolute);
  inseparable = inseparable.with_extra({max_side, max_side - 1}).with_extra({1, max_side});
  check_group(*ResolutionGroup::create(inseparable), digest);
  check_built_twice(*make_group(profiles::panorama, base_size));
  Digest vit_digest;
  check_vit_grids(base_size, vit_digest);
  if (vit_digest.value != expected_vit_digest) {
    ++failures;
    std::printf("the digest of ViT grids is 0x%llX\n", static_cast<unsigned long long>(vit_digest.value));
  }
  if (digest.value != expected_digest) {
    ++failures;
    std::printf("the digest is 0x%llX\n", static_cast<unsigned long long>(digest.value));
  }
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
