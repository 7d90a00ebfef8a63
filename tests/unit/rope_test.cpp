// SPDX-License-Identifier: MIT
// Two-dimensional rotary positions against the list that upstream builds up, and the tables of their angles.
#include <hunyuan_reso/rope.hpp>

#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "support/expect.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

static_assert(std::is_trivially_copyable_v<RopeLayout>, "a layout is passed by value to kernels");
static_assert(sizeof(RopeLayout) <= 1024, "and leaves room for their other arguments");

/// Text up to each image, the grid, text again; cut at the length. In double, halves and all.
std::vector<RopePosition> listed(const std::vector<RopeImage>& images, std::int32_t length) {
  std::vector<RopePosition> list;
  std::int32_t next = 0;
  for (const RopeImage& image : images) {
    for (; next < image.start; ++next) list.push_back({next, next});
    const std::int32_t h = image.token_height;
    const std::int32_t w = image.token_width;
    const double top = image.start + (w * h - h) / 2.0;
    const double left = image.start + (w * h - w) / 2.0;
    for (std::int32_t a = 0; a < h; ++a) {
      for (std::int32_t b = 0; b < w; ++b) {
        list.push_back({static_cast<std::int32_t>(top + a), static_cast<std::int32_t>(left + b)});
      }
    }
    next = image.start + w * h;
  }
  for (; next < length; ++next) list.push_back({next, next});
  list.resize(static_cast<std::size_t>(length));
  return list;
}

void check_layout(const std::vector<RopeImage>& images, std::int32_t length) {
  const auto layout = RopeLayout::create(images.data(), images.size(), length);
  REQUIRE(layout);
  CHECK(layout->sequence_length() == length);
  CHECK(layout->image_count() == images.size());
  const std::vector<RopePosition> expected = listed(images, length);
  std::vector<RopePosition> written(expected.size() + 1, RopePosition{-7, -7});
  REQUIRE(layout->write(written.data(), expected.size()) == Errc::none);
  CHECK(written.back() == RopePosition{-7, -7});  // nothing behind the end
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (written[i] != expected[i]) ++wrong;
    if (layout->position(static_cast<std::int32_t>(i)) != expected[i]) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("positions of random layouts") {
  Random random(11);
  for (int round = 0; round < 3000; ++round) {
    std::vector<RopeImage> images;
    std::int32_t next = 0;
    const std::uint64_t kind = random.below(3);  // apart, touching or overlapping
    for (std::uint64_t i = random.below(6); i != 0; --i) {
      const auto height = static_cast<std::int32_t>(random.below(9));
      const auto width = static_cast<std::int32_t>(random.below(9));
      auto start = next + (kind == 1 ? 0 : static_cast<std::int32_t>(random.below(12)));
      if (kind == 2) start -= static_cast<std::int32_t>(random.below(15));
      images.push_back({start, height, width});
      next = start + height * width;
    }
    const std::int32_t length = (next > 0 ? next : 0) + static_cast<std::int32_t>(random.below(5));
    check_layout(images, length);
  }
}

TEST_CASE("published grids, and those that meet halves") {
  for (const auto& [height, width] :
       {std::pair{64, 64}, {128, 32}, {32, 128}, {80, 45}, {45, 80}, {39, 26}, {27, 36}}) {
    check_layout({{20, height, width}}, 20 + height * width + 5);
    check_layout({{21, height, width}, {21 + height * width + 1, 27, 36}}, 40 + height * width + 27 * 36);
  }
}

constexpr bool one_grid() {
  constexpr RopeImage image{5, 2, 3};
  constexpr RopeLayout layout = *RopeLayout::create(&image, 1, 14);
  static_assert(layout.position(4) == RopePosition{4, 4}, "text has its index");
  static_assert(layout.position(5) == RopePosition{7, 6}, "5 + (6 - 2) / 2, trunc(5 + (6 - 3) / 2)");
  static_assert(layout.position(7) == RopePosition{7, 8}, "columns go to the right in x");
  static_assert(layout.position(8) == RopePosition{8, 6}, "rows go down in y");
  static_assert(layout.position(10) == RopePosition{8, 8}, "the last cell");
  static_assert(layout.position(11) == RopePosition{11, 11}, "text after it has its index");
  RopePosition written[14]{};
  EXPECT(layout.write(written, 14) == Errc::none);
  for (std::int32_t i = 0; i < 14; ++i) EXPECT(written[i] == layout.position(i));
  return true;
}
BOTH_TIMES(one_grid)

/// Cells lie symmetrically around the middle of the run, so opposite ones add up to the same.
constexpr bool grids_are_centred() {
  for (std::int32_t height = 1; height <= 7; ++height) {
    for (std::int32_t width = 1; width <= 7; ++width) {
      const RopeImage image{10, height, width};
      const std::int32_t cells = height * width;
      const RopeLayout layout = *RopeLayout::create(&image, 1, 10 + cells);
      for (std::int32_t i = 0; i < cells; ++i) {
        const RopePosition a = layout.position(10 + i);
        const RopePosition b = layout.position(10 + cells - 1 - i);
        EXPECT(a.y + b.y == 20 + cells - 1 - (cells - height) % 2);  // a half is cut off both
        EXPECT(a.x + b.x == 20 + cells - 1 - (cells - width) % 2);
      }
    }
  }
  return true;
}
BOTH_TIMES(grids_are_centred)

constexpr bool halves_are_cut() {
  const RopeImage image{5000, 39, 26};
  const RopeLayout layout = *RopeLayout::create(&image, 1, 5000 + 39 * 26);
  EXPECT(layout.position(5000) == RopePosition{5487, 5494});  // from 5487.5 and 5494
  const RopeImage before{-3, 2, 1};                           // -3 + 0, -3 + 0.5: cut towards zero, too
  EXPECT(RopeLayout::create(&before, 1, 4)->position(0) == RopePosition{-3, -2});
  return true;
}
BOTH_TIMES(halves_are_cut)

constexpr bool refused_layouts() {
  using Small = BasicRopeLayout<2>;
  const RopeImage images[3] = {{0, 1, 1}, {1, 1, 1}, {2, 1, 1}};
  EXPECT(Small::create(images, 2, 9).has_value());
  EXPECT(Small::create(images, 3, 9).error() == Errc::too_many_images);
  EXPECT(Small::create(images, 3, 9).position() == 2);
  EXPECT(Small::create(images, 2, -1).error() == Errc::negative_length);
  EXPECT(Small::create(images, 2, 2).has_value());
  EXPECT(Small::create(images, 2, 1).error() == Errc::image_beyond_sequence);
  EXPECT(Small::create(images, 2, 1).position() == 1);
  const RopeImage negative[2] = {{0, 1, 1}, {1, 1, -1}};
  EXPECT(Small::create(negative, 2, 9).error() == Errc::negative_length);
  EXPECT(Small::create(negative, 2, 9).position() == 1);
  const RopeImage far[2] = {{4194304 - 4, 1, 1}, {4194304 - 3, 1, 1}};
  EXPECT(Small::create(far, 1, 5000000).has_value());
  EXPECT(Small::create(far, 2, 5000000).error() == Errc::position_too_large);
  EXPECT(Small::create(far, 2, 5000000).position() == 1);
  const RopeImage huge[1] = {{0, max_side, max_side}};
  EXPECT(Small::create(huge, 1, max_side).error() == Errc::position_too_large);
  const RopeImage thin[1] = {{0, max_side, 0}};
  EXPECT(Small::create(thin, 1, max_side).error() == Errc::position_too_large);
  const RopeImage low[1] = {{-max_side - 1, 1, 1}};
  EXPECT(Small::create(low, 1, 9).error() == Errc::position_too_large);
  return true;
}
BOTH_TIMES(refused_layouts)

constexpr bool small_buffers() {
  const RopeImage image{1, 2, 2};
  const RopeLayout layout = *RopeLayout::create(&image, 1, 6);
  RopePosition out[6] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
  EXPECT(layout.write(out, 5) == Errc::buffer_too_small);
  for (const RopePosition& position : out) EXPECT(position == RopePosition{-1, -1});
  EXPECT(RopeLayout::create(&image, 0, 0)->write(nullptr, 0) == Errc::none);
  return true;
}
BOTH_TIMES(small_buffers)

/// Text alone: every token has its index.
constexpr bool no_images() {
  const RopeLayout layout = *RopeLayout::create(static_cast<const RopeImage*>(nullptr), 0, 7);
  EXPECT(layout.image_count() == 0 && layout.sequence_length() == 7);
  RopePosition written[7]{};
  EXPECT(layout.write(written, 7) == Errc::none);
  for (std::int32_t i = 0; i < 7; ++i) EXPECT(written[i] == RopePosition{i, i} && layout.position(i) == written[i]);
  EXPECT(RopeLayout::create(profiles::instruct, nullptr, 0, 7)->position(6) == RopePosition{6, 6});
  EXPECT(RopeLayout::create(profiles::instruct, nullptr, 0, -1).error() == Errc::negative_length);
  return true;
}
BOTH_TIMES(no_images)

constexpr ModelProfile with_attention(ConditioningAttention attention) {
  ModelProfile profile = profiles::instruct;
  profile.conditioning_attention = attention;
  return profile;
}

/// Which runs of a joint block get a grid; everything else always does.
constexpr bool runs_by_attention() {
  const ImageRun runs[4] = {{{5, 11}, ImageRunKind::vae, true, 2, 3},
                            {{12, 20}, ImageRunKind::vit, true, 2, 2},
                            {{22, 26}, ImageRunKind::vit, false, 2, 2},
                            {{30, 36}, ImageRunKind::generated, false, 2, 3}};
  const auto images = [&runs](ConditioningAttention attention) {
    return RopeLayout::create(with_attention(attention), runs, 4, 40)->image_count();
  };
  EXPECT(images(ConditioningAttention::full) == 4);
  EXPECT(images(ConditioningAttention::joint_full) == 4);
  EXPECT(images(ConditioningAttention::full_causal) == 3);
  EXPECT(images(ConditioningAttention::causal) == 2);
  const RopeLayout layout = *RopeLayout::create(profiles::instruct, runs, 4, 40);
  EXPECT(layout.position(12) == RopePosition{13, 13});
  EXPECT(layout.position(16) == RopePosition{16, 16});  // padded slots behind the true grid are text
  using Small = BasicRopeLayout<1>;
  const ModelProfile causal = with_attention(ConditioningAttention::causal);
  EXPECT(Small::create(causal, runs, 4, 40).error() == Errc::too_many_images);
  EXPECT(Small::create(causal, runs, 4, 40).position() == 3);
  EXPECT(Small::create(causal, runs, 3, 40).has_value());
  // The run at fault is told by its number among all runs.
  EXPECT(RopeLayout::create(causal, runs, 4, 35).error() == Errc::image_beyond_sequence);
  EXPECT(RopeLayout::create(causal, runs, 4, 35).position() == 3);
  return true;
}
BOTH_TIMES(runs_by_attention)

/// A run that was read from ids that do not tell its grid.
constexpr bool unknown_grids() {
  ImageRun runs[3] = {{{5, 11}, ImageRunKind::vae, true, 2, 3},
                      {{12, 20}, ImageRunKind::vit, true, 0, 0},
                      {{30, 36}, ImageRunKind::generated, false, 2, 3}};
  EXPECT(RopeLayout::create(profiles::instruct, runs, 3, 40).error() == Errc::image_grid_unknown);
  EXPECT(RopeLayout::create(profiles::instruct, runs, 3, 40).position() == 1);
  // Where no grid is needed none is missed.
  EXPECT(RopeLayout::create(with_attention(ConditioningAttention::full_causal), runs, 3, 40).has_value());
  runs[1].token_height = 2;
  EXPECT(RopeLayout::create(profiles::instruct, runs, 3, 40).error() == Errc::image_grid_unknown);
  runs[1].token_height = 0;
  runs[1].slice = {12, 12};  // an empty run has an empty grid
  EXPECT(RopeLayout::create(profiles::instruct, runs, 3, 40)->image_count() == 3);
  runs[2].token_width = 0;
  EXPECT(RopeLayout::create(profiles::instruct, runs, 3, 40).position() == 2);
  return true;
}
BOTH_TIMES(unknown_grids)

TEST_CASE("frequencies") {
  float thetas[64];
  REQUIRE(write_rope_thetas(thetas, 64, 128, 10000.0) == Errc::none);
  CHECK(thetas[0] == 1.0F);
  for (int k = 0; k < 64; ++k) {
    const double exact = std::pow(10000.0, -2.0 * k / 128);
    CHECK(std::abs(static_cast<double>(thetas[k]) - exact) <= 2e-7 * exact);  // two roundings to 24 bits
  }
  for (const ModelProfile* profile : profiles::all) {
    float own[64];
    REQUIRE(write_rope_thetas(*profile, own, 64) == Errc::none);
    for (int k = 0; k < 64; ++k) CHECK(own[k] == thetas[k]);
    CHECK(write_rope_thetas(*profile, own, 63) == Errc::buffer_too_small);
  }
  ModelProfile other = profiles::instruct;
  other.head_dimension = 64;
  other.rope_theta = 500000.0;
  float own[32];
  float given[32];
  REQUIRE(write_rope_thetas(other, own, 32, 2.0) == Errc::none);
  REQUIRE(write_rope_thetas(given, 32, 64, 500000.0, 2.0) == Errc::none);
  for (int k = 0; k < 32; ++k) CHECK(own[k] == given[k]);
  CHECK(write_rope_thetas(thetas, 63, 128, 10000.0) == Errc::buffer_too_small);
  for (const std::int32_t dimension : {126, 127, 2, 0, -4, -2}) {
    CHECK(write_rope_thetas(thetas, 64, dimension, 10000.0) == Errc::head_dimension_not_multiple_of_four);
  }
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan_value = std::numeric_limits<double>::quiet_NaN();
  for (const double bad : {0.0, -0.0, -1.0, infinity, -infinity, nan_value}) {
    CHECK(write_rope_thetas(thetas, 64, 128, 10000.0, bad) == Errc::rescale_not_positive);
    CHECK(write_rope_thetas(thetas, 64, 128, bad) == Errc::rescale_not_positive);
  }
  CHECK(write_rope_thetas(thetas, 64, 128, 1e300, 1e300) == Errc::rescale_not_positive);  // the product is infinite
  float rescaled[64];
  REQUIRE(write_rope_thetas(rescaled, 64, 128, 10000.0, 2.0) == Errc::none);
  CHECK(rescaled[0] == 1.0F);
  CHECK(rescaled[63] < thetas[63]);
}

TEST_CASE("the table's layout") {
  constexpr std::int32_t dimension = 4;
  float thetas[2];
  REQUIRE(write_rope_thetas(thetas, 2, dimension, 10000.0) == Errc::none);
  const RopePosition positions[2] = {{3, 7}, {100, 0}};
  float cos_table[9];
  float sin_table[9];
  REQUIRE(write_rope_table(positions, 2, thetas, dimension, cos_table, sin_table, 9) == Errc::none);
  for (int row = 0; row < 2; ++row) {
    for (int k = 0; k < 2; ++k) {
      const int position = k % 2 == 0 ? positions[row].y : positions[row].x;
      const double angle = static_cast<double>(static_cast<float>(position) * thetas[k]);
      const float* cos_row = cos_table + row * dimension;
      const float* sin_row = sin_table + row * dimension;
      CHECK(std::abs(static_cast<double>(cos_row[k]) - std::cos(angle)) <= 3e-8);
      CHECK(std::abs(static_cast<double>(sin_row[k]) - std::sin(angle)) <= 3e-8);
      CHECK(cos_row[k] == cos_row[k + 2]);
      CHECK(sin_row[k] == sin_row[k + 2]);
    }
  }
  for (const std::int32_t bad : {0, 2, 5, 6, -4}) {
    CHECK(write_rope_table(positions, 2, thetas, bad, cos_table, sin_table, 9) ==
          Errc::head_dimension_not_multiple_of_four);
  }
  cos_table[0] = 5.0F;
  CHECK(write_rope_table(positions, 2, thetas, dimension, cos_table, sin_table, 7) == Errc::buffer_too_small);
  CHECK(cos_table[0] == 5.0F);
  CHECK(write_rope_table(positions, 0, thetas, dimension, nullptr, nullptr, 0) == Errc::none);
}

}  // namespace
}  // namespace hunyuan_reso_test
