// SPDX-License-Identifier: MIT
// Rules over a buffer of logits (sequence.md, section 5), with every kind of float in it.
#include <hunyuan_reso/logits.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

using Logits = std::vector<float>;

const float infinity = std::numeric_limits<float>::infinity();
const float nan_value = std::numeric_limits<float>::quiet_NaN();

bool same_bits(const Logits& a, const Logits& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// Few different values, so that ties come up, and the special ones.
Logits random_logits(Random& random, std::size_t count) {
  const float special[] = {infinity, -infinity,    nan_value,     -nan_value, 0.0F,
                           -0.0F,    lowest_logit, -lowest_logit, 1e-45F};
  Logits logits(count);
  const bool plain = random.below(2) == 0;
  for (float& value : logits) {
    value = static_cast<float>(static_cast<int>(random.below(9)) - 4);
    if (!plain && random.below(4) == 0) value = special[random.below(9)];
  }
  return logits;
}

/// The first NaN, else the first of the greatest.
std::size_t plain_argmax(const Logits& logits) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[best])) return best;
    if (std::isnan(logits[i]) || logits[i] > logits[best]) best = i;
  }
  return best;
}

bool is_in(const std::vector<VocabularySlice>& slices, std::size_t id) {
  for (const VocabularySlice& slice : slices) {
    const auto token = static_cast<TokenId>(id);
    if (slice.start >= 0 && token >= slice.start && token < slice.stop) return true;
  }
  return false;
}

/// In any order, overlapping, empty, reaching past the end.
std::vector<VocabularySlice> random_slices(Random& random, std::size_t vocabulary, bool valid) {
  std::vector<VocabularySlice> slices;
  for (std::uint64_t i = random.below(4); i != 0; --i) {
    const auto start = static_cast<TokenId>(random.below(vocabulary + (valid ? 0 : 2))) - (valid ? 0 : 1);
    const auto length = static_cast<TokenId>(random.below(9)) - (valid ? -1 : 1);
    slices.push_back({start, start + length});
  }
  return slices;
}

TEST_CASE("argmax") {
  Random random(51);
  for (int round = 0; round < 20000; ++round) {
    const Logits logits = random_logits(random, 1 + random.place_below(20));
    CHECK(argmax_logit(logits.data(), logits.size()) == plain_argmax(logits));
  }
  for (int round = 0; round < 3000; ++round) {  // longer than a block, ties between blocks included
    const Logits logits = random_logits(random, 200 + random.place_below(1200));
    CHECK(argmax_logit(logits.data(), logits.size()) == plain_argmax(logits));
  }
  for (const std::size_t count :
       std::vector<std::size_t>{255, 256, 257, 511, 512, 513, 1024, 5000}) {  // each place is found
    Logits logits(count, -1.0F);
    for (std::size_t i = 0; i < count; ++i) {
      logits[i] = 1.0F;
      CHECK(argmax_logit(logits.data(), count) == i);
      logits[i] = -1.0F;
    }
    CHECK(argmax_logit(logits.data(), count) == 0);
  }
  CHECK(argmax_logit(nullptr, 0) == 0);
  const auto best = [](const Logits& logits) { return argmax_logit(logits.data(), logits.size()); };
  CHECK(best({-0.0F, 0.0F}) == 0);  // equal, so the first
  CHECK(best({0.0F, -0.0F}) == 0);
  CHECK(best({-infinity, lowest_logit}) == 1);
  CHECK(best({infinity, nan_value, nan_value}) == 1);
  CHECK(best({1.0F, -nan_value, infinity}) == 1);
  CHECK(best({-1e-45F, 0.0F, 1e-45F}) == 2);
}

TEST_CASE("order of floats") {
  const float ascending[] = {-infinity, lowest_logit, -1.0F,         -1e-45F,  0.0F,
                             1e-45F,    1.0F,         -lowest_logit, infinity, nan_value};
  for (std::size_t i = 0; i + 1 < 10; ++i) {
    CHECK(detail::logit_order(ascending[i]) < detail::logit_order(ascending[i + 1]));
  }
  CHECK(detail::logit_order(0.0F) == detail::logit_order(-0.0F));
  CHECK(detail::logit_order(nan_value) == detail::logit_order(-nan_value));
}

TEST_CASE("compact slices") {
  Random random(53);
  for (int round = 0; round < 5000; ++round) {
    const std::size_t vocabulary = 5 + random.place_below(30);
    const Logits logits = random_logits(random, vocabulary);
    const auto slices = random_slices(random, vocabulary, true);
    Logits expected;
    for (const VocabularySlice& slice : slices) {
      for (TokenId id = slice.start; id < slice.stop && static_cast<std::size_t>(id) < vocabulary; ++id) {
        expected.push_back(logits[static_cast<std::size_t>(id)]);
      }
    }
    Logits out(expected.size() + 1, 77.0F);
    const auto written =
        slice_logits(logits.data(), vocabulary, slices.data(), slices.size(), out.data(), expected.size());
    REQUIRE(written);
    CHECK(*written == expected.size());
    CHECK(out.back() == 77.0F);
    out.pop_back();
    CHECK(same_bits(out, expected));
    if (expected.empty()) continue;
    out.assign(expected.size(), 77.0F);
    CHECK(slice_logits(logits.data(), vocabulary, slices.data(), slices.size(), out.data(), expected.size() - 1)
              .error() == Errc::buffer_too_small);
    CHECK(same_bits(out, Logits(expected.size(), 77.0F)));
  }
}

TEST_CASE("slices without tokens") {
  const Logits logits(10);
  float out[20] = {};
  const VocabularySlice bad[] = {{3, 3}, {4, 3}, {-1, 3}, {10, 12}, {max_side, max_side}};
  for (const VocabularySlice& slice : bad) {
    const VocabularySlice slices[2] = {{0, 4}, slice};
    const auto written = slice_logits(logits.data(), 10, slices, 2, out, 20);
    CHECK(written.error() == Errc::vocabulary_slice_empty);
    CHECK(written.position() == 1);
  }
  const VocabularySlice past_end{8, max_side};
  CHECK(*slice_logits(logits.data(), 10, &past_end, 1, out, 20) == 2);
}

TEST_CASE("masked logits") {
  Random random(55);
  for (int round = 0; round < 10000; ++round) {
    const std::size_t vocabulary = 1 + random.place_below(30);
    const auto slices = random_slices(random, vocabulary, false);
    Logits logits = random_logits(random, vocabulary);
    Logits expected = logits;
    for (std::size_t id = 0; id < vocabulary; ++id) {
      if (!is_in(slices, id)) expected[id] = lowest_logit;
    }
    Logits greedy = logits;
    mask_logits(logits.data(), vocabulary, slices.data(), slices.size());
    CHECK(same_bits(logits, expected));
    const std::size_t best = plain_argmax(expected);
    expected.assign(vocabulary, lowest_logit);
    expected[best] = 0.0F;
    mask_logits(greedy.data(), vocabulary, slices.data(), slices.size(), true);
    CHECK(same_bits(greedy, expected));
  }
  mask_logits(nullptr, 0, nullptr, 0, true);
}

TEST_CASE("forced tokens") {
  Logits logits(5, nan_value);
  force_token(logits.data(), 5, 3);
  CHECK(same_bits(logits, {lowest_logit, lowest_logit, lowest_logit, 0.0F, lowest_logit}));
  for (const TokenId outside : {-1, 5, max_side}) {
    force_token(logits.data(), 5, outside);
    CHECK(same_bits(logits, Logits(5, lowest_logit)));
  }
  CHECK(lowest_logit == std::numeric_limits<float>::lowest());
}

TEST_CASE("ratio slices of the profiles") {
  const RatioSlices instruct = ratio_slices(profiles::instruct);
  CHECK(instruct.count == 2);
  CHECK(instruct.token_count() == 37);
  CHECK(instruct.slices[0].start == 128044);
  CHECK(instruct.slices[0].stop == 128077);
  CHECK(instruct.slices[1].start == 130103);
  CHECK(instruct.slices[1].stop == 130107);
  CHECK(ratio_slices(profiles::base).token_count() == 33);
  CHECK(ratio_slices(profiles::panorama).token_count() == 37);  // the last one has no id
  CHECK(ratio_slices(profiles::panorama.with_ratio_token_id(37, 130108)).token_count() == 38);
  static_assert(ratio_slices(profiles::instruct_distil).token_count() == 37);
  // The compact argmax is the ratio index: every ratio token in turn.
  Logits logits(133120, 0.0F);
  float compact[37];
  for (std::size_t index = 0; index < 37; ++index) {
    const auto id = static_cast<std::size_t>(*ratio_token_id(profiles::instruct, index));
    logits[id] = 1.0F;
    REQUIRE(slice_logits(logits.data(), logits.size(), instruct.slices, instruct.count, compact, 37));
    CHECK(argmax_logit(compact, 37) == index);
    logits[id] = 0.0F;
  }
}

}  // namespace
}  // namespace hunyuan_reso_test
