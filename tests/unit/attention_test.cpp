// SPDX-License-Identifier: MIT
// Full slices and the mask: predicate, ranges, mask, segments and count say the same.
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

/// Marks what segments compute, one byte for a query and key; false where a query is computed twice.
bool expand(const std::vector<AttentionSegment>& segments, std::int32_t length, std::vector<std::uint8_t>& mask,
            std::vector<std::uint8_t>& computed) {
  const auto side = static_cast<std::size_t>(length);
  mask.assign(side * side, 0);
  computed.assign(side, 0);
  for (const AttentionSegment& segment : segments) {
    for (std::int32_t query = segment.queries.start; query < segment.queries.stop; ++query) {
      const auto row = static_cast<std::size_t>(query);
      if (computed[row]++ != 0) return false;
      // Aligned at the bottom right: the last query sees the last key.
      const std::int32_t hidden = segment.causal ? segment.queries.stop - 1 - query : 0;
      for (std::int32_t key = segment.keys.start; key < segment.keys.stop - hidden; ++key) {
        mask[row * side + static_cast<std::size_t>(key)] = 1;
      }
    }
  }
  return true;
}

/// Segments of some queries against the mask.
void check_segments(const AttentionLayout& layout, const std::vector<Slice>& queries, std::int32_t length,
                    const std::vector<std::uint8_t>& mask) {
  const std::size_t most = queries.size() * (2 * layout.size() + 1);
  std::vector<AttentionSegment> segments(most + 1);
  const auto written = layout.write_segments(queries.data(), queries.size(), length, segments.data(), segments.size());
  REQUIRE(written);
  CHECK(*written <= most);
  segments.resize(*written);
  std::vector<std::uint8_t> expanded;
  std::vector<std::uint8_t> computed;
  CHECK(expand(segments, length, expanded, computed));
  const auto side = static_cast<std::size_t>(length);
  std::size_t wrong = 0;
  for (std::size_t row = 0; row < side; ++row) {
    bool is_query = false;
    for (const Slice& slice : queries) is_query = is_query || slice.contains(static_cast<std::int32_t>(row));
    if (is_query != (computed[row] != 0)) ++wrong;
    for (std::size_t key = 0; key < side && is_query; ++key) {
      if (expanded[row * side + key] != mask[row * side + key]) ++wrong;
    }
  }
  CHECK(wrong == 0);
  // Cumulative lengths are the running sums.
  std::vector<std::int32_t> query_lengths(segments.size() + 1, -1);
  std::vector<std::int32_t> key_lengths(segments.size() + 1, -1);
  REQUIRE(write_cumulative_lengths(segments.data(), segments.size(), query_lengths.data(), key_lengths.data(),
                                   query_lengths.size()) == Errc::none);
  std::size_t slice = 0;
  std::int32_t next = queries.empty() ? 0 : queries[0].start;
  std::int32_t query_sum = 0;
  std::int32_t key_sum = 0;
  for (std::size_t i = 0; i <= segments.size(); ++i) {
    if (query_lengths[i] != query_sum || key_lengths[i] != key_sum) ++wrong;
    if (i == segments.size()) break;
    query_sum += segments[i].queries.length();
    key_sum += segments[i].keys.stop;
    if (segments[i].keys.start != 0 || segments[i].queries.length() == 0) ++wrong;
    const Slice at = segments[i].queries;  // in order of the queries, as they were given
    while (slice < queries.size() && (queries[slice].length() == 0 || next == queries[slice].stop)) {
      next = ++slice < queries.size() ? queries[slice].start : 0;
    }
    if (slice == queries.size() || at.start != next || at.stop > queries[slice].stop) ++wrong;
    next = at.stop;
  }
  CHECK(wrong == 0);
  if (segments.empty()) return;
  AttentionSegment untouched{{-1, -1}, {-1, -1}, false};
  std::vector<AttentionSegment> small(segments.size(), untouched);
  const auto refused = layout.write_segments(queries.data(), queries.size(), length, small.data(), segments.size() - 1);
  CHECK(refused.error() == Errc::buffer_too_small);
  CHECK(refused.position() == segments.size());
  CHECK(small[0].queries == untouched.queries);
}

void check_layout(const std::vector<Slice>& slices, std::int32_t length, Random& random) {
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
  check_segments(*layout, {{0, length}}, length, mask);
  std::vector<Slice> queries;  // what a later step might feed: any slices, in any order
  std::int32_t next = 0;
  while (next < length) {
    const std::int32_t start = next + static_cast<std::int32_t>(random.below(5));
    const std::int32_t stop = start + static_cast<std::int32_t>(random.below(9));
    if (stop > length) break;
    queries.insert(queries.begin() + static_cast<std::ptrdiff_t>(random.below(queries.size() + 1)), {start, stop});
    next = stop;
  }
  check_segments(*layout, queries, length, mask);
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
    check_layout(slices, static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(next) + 8)), random);
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

/// A sequence as image requests have it: text, a generated image, <eoi>; and what later steps feed of it.
constexpr bool segments_of_an_image() {
  constexpr Slice image{6, 10};
  constexpr AttentionLayout layout = *AttentionLayout::create(&image, 1);
  AttentionSegment out[3]{};
  EXPECT(*layout.write_segments(11, out, 3) == 3);
  EXPECT(out[0].queries == Slice{0, 6} && out[0].keys == Slice{0, 6} && out[0].causal);
  EXPECT(out[1].queries == Slice{6, 10} && out[1].keys == Slice{0, 10} && !out[1].causal);
  EXPECT(out[2].queries == Slice{10, 11} && out[2].keys == Slice{0, 11} && out[2].causal);
  const Slice fed{5, 10};  // <timestep> and the image
  EXPECT(*layout.write_segments(&fed, 1, 11, out, 3) == 2);
  EXPECT(out[0].queries == Slice{5, 6} && out[0].keys == Slice{0, 6} && out[0].causal);
  EXPECT(out[1].queries == Slice{6, 10} && out[1].keys == Slice{0, 10} && !out[1].causal);
  std::int32_t queries[3]{};
  std::int32_t keys[3]{};
  EXPECT(write_cumulative_lengths(out, 2, queries, keys, 3) == Errc::none);
  EXPECT(queries[0] == 0 && queries[1] == 1 && queries[2] == 5);
  EXPECT(keys[0] == 0 && keys[1] == 6 && keys[2] == 16);
  EXPECT(write_cumulative_lengths(out, 2, queries, keys, 2) == Errc::buffer_too_small);
  EXPECT(write_cumulative_lengths(out, 0, queries, keys, 0) == Errc::buffer_too_small);
  return true;
}
BOTH_TIMES(segments_of_an_image)

constexpr bool refused_segments() {
  constexpr Slice image{6, 10};
  constexpr AttentionLayout layout = *AttentionLayout::create(&image, 1);
  AttentionSegment out[3]{};
  EXPECT(layout.write_segments(-1, out, 3).error() == Errc::negative_length);
  EXPECT(*layout.write_segments(0, out, 3) == 0);
  const Slice overlapping[2] = {{0, 3}, {2, 4}};
  EXPECT(layout.write_segments(overlapping, 2, 11, out, 3).error() == Errc::query_slices_overlap);
  EXPECT(layout.write_segments(overlapping, 2, 11, out, 3).position() == 1);
  const Slice bad[3] = {{-1, 3}, {3, 2}, {9, 12}};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT(layout.write_segments(&bad[i], 1, 11, out, 3).error() == Errc::query_slices_overlap);
  }
  const AttentionSegment huge[2] = {{{0, 1}, {0, max_side}, false}, {{1, 2}, {0, 1}, false}};
  std::int32_t queries[3] = {7, 7, 7};
  std::int32_t keys[3] = {7, 7, 7};
  EXPECT(write_cumulative_lengths(huge, 1, queries, keys, 3) == Errc::none && keys[1] == max_side);
  queries[0] = 7;
  EXPECT(write_cumulative_lengths(huge, 2, queries, keys, 3) == Errc::sequence_too_long && queries[0] == 7);
  return true;
}
BOTH_TIMES(refused_segments)

/// A run with a place in a sequence that nothing else takes.
constexpr ImageRun run(std::int32_t start, ImageRunKind kind, bool joint) {
  return {{start, start + 4}, kind, joint, 2, 2};
}

/// Which slices are listed, as start * 100 + stop, by image type and attention.
std::vector<std::int32_t> listed(ConditioningImageType type, ConditioningAttention attention, bool generated = true) {
  const ImageRun runs[5] = {run(1, ImageRunKind::vae, false), run(6, ImageRunKind::vit, false),
                            run(11, ImageRunKind::vae, true), run(16, ImageRunKind::vit, true),
                            run(21, ImageRunKind::generated, false)};
  ModelProfile profile = profiles::instruct;
  profile.conditioning_image_type = type;
  profile.conditioning_attention = attention;
  const auto layout = AttentionLayout::create(profile, runs, 5, generated);
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

TEST_CASE("a joint span needs both its runs") {
  const ImageRun runs[3] = {run(1, ImageRunKind::vae, true), run(6, ImageRunKind::generated, false),
                            run(11, ImageRunKind::vae, true)};
  CHECK(AttentionLayout::create(profiles::instruct, runs, 3).error() == Errc::image_kind_mismatch);
  CHECK(AttentionLayout::create(profiles::instruct, runs, 3).position() == 0);
  CHECK(AttentionLayout::create(profiles::instruct, runs + 1, 2).position() == 1);
}

}  // namespace
}  // namespace hunyuan_reso_test
