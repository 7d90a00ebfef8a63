// SPDX-License-Identifier: MIT
// Full slices and the mask (sequence.md, section 4): predicate, ranges, mask and count say the same.
#include <hunyuan_reso/attention.hpp>

#include <limits>
#include <type_traits>
#include <vector>

#include "support/expect.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

static_assert(std::is_trivially_copyable_v<AttentionLayout>, "a layout is passed by value to kernels");
static_assert(sizeof(AttentionLayout) <= 1024, "and leaves room for their other arguments");

/// The definition: causal, and full inside each slice.
bool may_attend(const std::vector<Slice>& slices, std::int32_t query, std::int32_t key) {
  if (key <= query) return true;
  for (const Slice& slice : slices) {
    if (slice.contains(query) && slice.contains(key)) return true;
  }
  return false;
}

void check_layout(const std::vector<Slice>& slices, std::int32_t length) {
  const auto layout = AttentionLayout::create(slices.data(), slices.size());
  REQUIRE(layout);
  CHECK(std::vector<Slice>(layout->begin(), layout->end()) == slices);
  const auto side = static_cast<std::size_t>(length);
  std::vector<std::uint8_t> mask(side * side, 7);
  REQUIRE(layout->write_mask(length, mask.data(), mask.size()) == Errc::none);
  std::int64_t pairs = 0;
  std::size_t wrong = 0;
  for (std::int32_t query = 0; query < length; ++query) {
    const Slice range = layout->row_range(query);
    for (std::int32_t key = 0; key < length; ++key) {
      const bool expected = may_attend(slices, query, key);
      pairs += expected ? 1 : 0;
      if (layout->allows(query, key) != expected) ++wrong;
      if (range.contains(key) != expected) ++wrong;
      if (mask[static_cast<std::size_t>(query) * side + static_cast<std::size_t>(key)] != (expected ? 1 : 0)) ++wrong;
    }
    if (layout->allows(query, -1)) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(layout->allowed_pairs(length) == pairs);
}

TEST_CASE("masks of random slices") {
  Random random(21);
  for (int round = 0; round < 400; ++round) {
    std::vector<Slice> slices;
    std::int32_t next = 0;
    for (std::uint64_t i = random.below(6); i != 0; --i) {
      const std::int32_t start = next + static_cast<std::int32_t>(random.below(6));  // touching ones, too
      const std::int32_t stop = start + static_cast<std::int32_t>(random.below(9));  // empty ones, too
      slices.push_back({start, stop});
      next = stop;
    }
    // The sequence may end before, inside or after the last slice.
    check_layout(slices, static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(next) + 8)));
  }
}

TEST_CASE("rows of a mask, in any type") {
  const std::vector<Slice> slices{{2, 5}};
  const auto layout = *AttentionLayout::create(slices.data(), slices.size());
  const float never = -std::numeric_limits<float>::infinity();
  float rows[2 * 6];
  REQUIRE(layout.write_mask(Slice{1, 3}, 6, rows, 12, 0.0F, never) == Errc::none);
  for (std::int32_t row = 0; row < 2; ++row) {
    for (std::int32_t key = 0; key < 6; ++key) {
      CHECK(rows[row * 6 + key] == (may_attend(slices, row + 1, key) ? 0.0F : never));
    }
  }
  rows[0] = 5.0F;
  CHECK(layout.write_mask(Slice{1, 3}, 6, rows, 11) == Errc::buffer_too_small);
  CHECK(rows[0] == 5.0F);
  CHECK(layout.write_mask(Slice{-1, 3}, 6, rows, 12) == Errc::negative_length);
  CHECK(layout.write_mask(Slice{3, 1}, 6, rows, 12) == Errc::negative_length);
  CHECK(layout.write_mask(Slice{0, 1}, -1, rows, 12) == Errc::negative_length);
  CHECK(layout.write_mask(0, static_cast<float*>(nullptr), 0) == Errc::none);
  bool flags[6];
  REQUIRE(layout.write_mask(Slice{4, 5}, 6, flags, 6) == Errc::none);
  CHECK(flags[4]);
  CHECK(!flags[5]);
}

constexpr bool in_constant_expressions() {
  constexpr Slice slices[2] = {{2, 4}, {6, 7}};
  constexpr AttentionLayout layout = *AttentionLayout::create(slices, 2);
  static_assert(layout.allows(2, 3) && !layout.allows(1, 2) && !layout.allows(3, 4));
  static_assert(layout.allowed_end(2) == 4 && layout.allowed_end(4) == 5 && layout.allowed_end(6) == 7);
  static_assert(layout.row_range(3) == Slice{0, 4});
  static_assert(layout.allowed_pairs(8) == 36 + 1);
  static_assert(layout[1] == Slice{6, 7} && layout[2] == Slice{} && layout.size() == 2);
  bool mask[64]{};
  EXPECT(layout.write_mask(8, mask, 64) == Errc::none);
  for (std::int32_t i = 0; i < 64; ++i) EXPECT(mask[i] == layout.allows(i / 8, i % 8));
  EXPECT(layout.allowed_end(max_side) == max_side);
  return true;
}
BOTH_TIMES(in_constant_expressions)

constexpr bool refused_slices() {
  using Small = BasicAttentionLayout<2>;
  const Slice slices[3] = {{0, 2}, {2, 3}, {5, 9}};
  EXPECT(Small::create(slices, 2).has_value());
  EXPECT(Small::create(slices, 3).error() == Errc::too_many_images);
  EXPECT(Small::create(slices, 3).position() == 2);
  const Slice overlapping[2] = {{0, 3}, {2, 4}};
  EXPECT(Small::create(overlapping, 2).error() == Errc::images_not_ascending);
  EXPECT(Small::create(overlapping, 2).position() == 1);
  const Slice backwards[1] = {{3, 2}};
  EXPECT(Small::create(backwards, 1).error() == Errc::images_not_ascending);
  const Slice negative[1] = {{-1, 2}};
  EXPECT(Small::create(negative, 1).error() == Errc::images_not_ascending);
  return true;
}
BOTH_TIMES(refused_slices)

/// A run with a place in a sequence that nothing else takes.
constexpr ImageRun run(std::int32_t start, ImageRunKind kind, bool joint) {
  return {{start, start + 4}, kind, joint, 2, 2};
}

/// Which slices are listed, as start * 100 + stop, by image type and attention: the table of section 4.
std::vector<std::int32_t> listed(ConditioningImageType type, ConditioningAttention attention, bool generated = true) {
  const ImageRun runs[5] = {run(1, ImageRunKind::vae, false), run(6, ImageRunKind::vit, false),
                            run(11, ImageRunKind::vae, true), run(16, ImageRunKind::vit, true),
                            run(21, ImageRunKind::generated, false)};
  const auto layout = AttentionLayout::create(runs, 5, type, attention, generated);
  std::vector<std::int32_t> result;
  if (!layout) return {static_cast<std::int32_t>(layout.error())};
  for (const Slice& slice : *layout) result.push_back(slice.start * 100 + slice.stop);
  return result;
}

TEST_CASE("slices by image type and attention") {
  using List = std::vector<std::int32_t>;
  using Type = ConditioningImageType;
  using Attention = ConditioningAttention;
  const List refused{static_cast<std::int32_t>(Errc::unknown_attention_combination)};
  for (const Type type : {Type::vae, Type::vit, Type::vae_vit}) CHECK(listed(type, Attention::causal) == List{2125});
  CHECK(listed(Type::vae, Attention::full) == List{105, 1115, 2125});
  CHECK(listed(Type::vit, Attention::full) == List{610, 1620, 2125});
  CHECK(listed(Type::vae_vit, Attention::full) == List{105, 610, 1115, 1620, 2125});
  CHECK(listed(Type::vae_vit, Attention::joint_full) == List{1120, 2125});  // the separator at 15 is inside
  CHECK(listed(Type::vae_vit, Attention::full_causal) == List{105, 1115, 2125});
  for (const Type type : {Type::vae, Type::vit}) {
    CHECK(listed(type, Attention::joint_full) == refused);
    CHECK(listed(type, Attention::full_causal) == refused);
  }
  CHECK(listed(Type::vae_vit, Attention::joint_full, false) == List{1120});
  CHECK(listed(Type::vae_vit, Attention::causal, false).empty());
}

}  // namespace
}  // namespace hunyuan_reso_test
