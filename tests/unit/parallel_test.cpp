// SPDX-License-Identifier: MIT
// Layouts over several devices: texts, what divides, and figures worked out by hand from the published shapes.
#include <hunyuan_reso/parallel.hpp>

#include "support/expect.hpp"

namespace {

using namespace hunyuan_reso;

// The loop of 1024x1024 with a prompt that makes 4225 tokens, two rows.
constexpr LoopShape square{2, 4225, 4097};

constexpr Result<DeviceShare> share_of(ParallelLayout layout, Precision precision = Precision::bf16,
                                       const LoopShape& loop = square) {
  return device_share(profiles::instruct, precision, layout, loop);
}

constexpr bool layouts_are_read() {
  EXPECT(*parse_parallel_layout("tp2") == (ParallelLayout{2, 1}));
  EXPECT(*parse_parallel_layout("cfg2") == (ParallelLayout{1, 2}));
  EXPECT(*parse_parallel_layout("tp2cfg2") == (ParallelLayout{2, 2}));
  EXPECT(*parse_parallel_layout("tp16cfg4") == (ParallelLayout{16, 4}));
  EXPECT(parse_parallel_layout("tp16cfg4")->devices() == 64);
  EXPECT(parse_parallel_layout("tp65536cfg65536")->devices() == 4294967296);
  EXPECT((ParallelLayout{2, 1} != ParallelLayout{1, 2}));
  return true;
}
BOTH_TIMES(layouts_are_read)

constexpr bool other_texts_are_refused_where_they_go_wrong() {
  const struct {
    std::string_view text;
    std::size_t position;
  } cases[] = {{"", 0},       {"2", 0},       {"TP2", 0},    {"tp", 2},
               {"tp0", 2},    {"tp-2", 2},    {"tp2 ", 3},   {"cfg2tp2", 4},
               {"tp2cfg", 6}, {"tp2cfg0", 6}, {"tp2tp2", 3}, {"tp2,cfg2", 3},
               {"cfg", 3},    {"tp65537", 2}, {"tp2x", 3},   {"tp99999999999999999999", 2}};
  for (const auto& item : cases) {
    const Result<ParallelLayout> layout = parse_parallel_layout(item.text);
    EXPECT(layout.error() == Errc::expected_parallel_layout);
    EXPECT(layout.position() == item.position);
  }
  return true;
}
BOTH_TIMES(other_texts_are_refused_where_they_go_wrong)

constexpr bool one_device_holds_everything() {
  for (const ModelProfile* profile : profiles::all) {
    for (const Precision precision :
         {Precision::fp32, Precision::bf16, Precision::fp16, Precision::int8, Precision::fp8, Precision::nf4}) {
      const Result<DeviceShare> share = device_share(*profile, precision, {}, square);
      EXPECT(share.has_value());
      EXPECT(share->weights.total() == weight_bytes(*profile, precision).total());
      EXPECT(share->cache_bytes == cache_bytes(*profile, precision, 4225, 2));
      EXPECT(share->attention_heads == profile->attention_heads && share->experts == profile->experts);
      EXPECT(share->link_bytes() == 0);
    }
  }
  return true;
}
BOTH_TIMES(one_device_holds_everything)

constexpr bool heads_and_experts_are_split() {
  const auto two = share_of({2, 1});
  EXPECT(two->attention_heads == 16 && two->key_value_heads == 4 && two->experts == 32 && two->rows == 2);
  EXPECT(two->weights.backbone == 82057912320);
  EXPECT(two->weights.embedders == weight_bytes(profiles::instruct, Precision::bf16).embedders);
  EXPECT(share_of({2, 1}, Precision::fp8)->weights.backbone == 42171916288);
  EXPECT(share_of({4, 1})->weights.backbone == 42128138240);
  EXPECT(share_of({8, 1}, Precision::fp8)->weights.backbone == 12192538624);
  EXPECT(two->cache_bytes == 553779200);
  // 2 x 32 sums of 2 x 4097 x 4096 numbers of 2 bytes, of which a ring of two sends each once.
  EXPECT(two->layer_link_bytes == 4296015872);
  EXPECT(two->velocity_link_bytes == 0);
  EXPECT(share_of({2, 1}, Precision::fp32)->layer_link_bytes == 2 * 4296015872);
  EXPECT(share_of({8, 1})->layer_link_bytes == 7518027776);
  return true;
}
BOTH_TIMES(heads_and_experts_are_split)

constexpr bool rows_are_split() {
  const auto rows = share_of({1, 2});
  EXPECT(rows->rows == 1 && rows->attention_heads == 32 && rows->experts == 64);
  EXPECT(rows->weights.total() == weight_bytes(profiles::instruct, Precision::bf16).total());
  EXPECT(rows->cache_bytes == 553779200);
  EXPECT(rows->layer_link_bytes == 0);
  EXPECT(rows->velocity_link_bytes == 1048832);
  const auto both = share_of({2, 2});
  EXPECT(both->cache_bytes == 276889600);
  EXPECT(both->layer_link_bytes == 2148007936);
  EXPECT(both->link_bytes() == 2148007936 + 1048832);
  return true;
}
BOTH_TIMES(rows_are_split)

// A number divides or is refused with the reason; every one of them.
constexpr bool what_does_not_divide_is_refused() {
  for (std::int32_t n = 1; n <= 130; ++n) {
    const Result<DeviceShare> share = share_of({n, 1});
    EXPECT(share.error() == (8 % n == 0 ? Errc::none : Errc::key_value_heads_not_divisible));
    const Result<DeviceShare> rows = share_of({1, n}, Precision::bf16, {12, 4225, 4097});
    EXPECT(rows.error() == (12 % n == 0 ? Errc::none : Errc::rows_not_divisible));
  }
  ModelProfile odd = profiles::instruct;
  odd.experts = 63;
  EXPECT(device_share(odd, Precision::bf16, {2, 1}, square).error() == Errc::experts_not_divisible);
  odd = profiles::instruct;
  odd.expert_intermediate_size = 3073;
  EXPECT(device_share(odd, Precision::bf16, {2, 1}, square).error() == Errc::expert_width_not_divisible);
  odd = profiles::instruct;
  odd.attention_heads = 33;
  EXPECT(device_share(odd, Precision::bf16, {2, 1}, square).error() == Errc::key_value_heads_not_divisible);
  // A distilled model has one row a picture.
  EXPECT(share_of({1, 2}, Precision::bf16, {1, 4225, 4097}).error() == Errc::rows_not_divisible);
  EXPECT(share_of({0, 1}).error() == Errc::expected_parallel_layout);
  EXPECT(share_of({1, -1}).error() == Errc::expected_parallel_layout);
  EXPECT(share_of({1, 1}, Precision::bf16, {0, 1, 1}).error() == Errc::count_out_of_range);
  EXPECT(share_of({1, 1}, Precision::bf16, {1, -1, 1}).error() == Errc::count_out_of_range);
  return true;
}
BOTH_TIMES(what_does_not_divide_is_refused)

constexpr bool large_numbers_saturate() {
  constexpr std::int64_t most = 0x7FFFFFFFFFFFFFFF;
  const auto share = share_of({2, 2}, Precision::fp32, {2, most, most});
  EXPECT(share->cache_bytes == most / 2);
  EXPECT(share->link_bytes() == most);
  return true;
}
BOTH_TIMES(large_numbers_saturate)

}  // namespace
