// SPDX-License-Identifier: MIT
// Rules over a buffer of logits, with every kind of float in it.
#include <hunyuan_reso/logits.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "support/expect.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

using Logits = std::vector<float>;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

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
    if (token >= slice.start && token < slice.stop) return true;
  }
  return false;
}

/// In any order, overlapping, empty, reaching past the end.
std::vector<VocabularySlice> random_slices(Random& random, std::size_t vocabulary) {
  std::vector<VocabularySlice> slices;
  for (std::uint64_t i = random.below(5); i != 0; --i) {
    const auto start = static_cast<TokenId>(random.below(vocabulary + 3));
    const auto length = static_cast<TokenId>(random.below(9));
    const VocabularySlice kinds[] = {{start, start + length},
                                     {start + length, start},
                                     VocabularySlice::from(start),
                                     VocabularySlice::until(start),
                                     VocabularySlice::whole()};
    const std::size_t odd = random.place_below(12);
    slices.push_back(kinds[odd < 5 ? odd : 0]);
  }
  return slices;
}

std::size_t argmax(const Logits& logits) { return *argmax_logit(logits.data(), logits.size()); }

TEST_CASE("argmax") {
  Random random(51);
  for (int round = 0; round < 20000; ++round) {
    const Logits logits = random_logits(random, 1 + random.place_below(20));
    CHECK(argmax(logits) == plain_argmax(logits));
  }
  for (int round = 0; round < 3000; ++round) {  // longer than a block, ties between blocks included
    const Logits logits = random_logits(random, 200 + random.place_below(1200));
    CHECK(argmax(logits) == plain_argmax(logits));
  }
  for (const std::size_t count :
       std::vector<std::size_t>{255, 256, 257, 511, 512, 513, 1024, 5000}) {  // each place is found
    Logits logits(count, -1.0F);
    for (std::size_t i = 0; i < count; ++i) {
      logits[i] = 1.0F;
      CHECK(argmax(logits) == i);
      logits[i] = -1.0F;
    }
    CHECK(argmax(logits) == 0);
  }
  CHECK(argmax_logit(static_cast<const float*>(nullptr), 0).error() == Errc::no_value);
  const auto best = [](const Logits& logits) { return argmax(logits); };
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
    CHECK(detail::float_order(ascending[i]) < detail::float_order(ascending[i + 1]));
    const double wide[2] = {static_cast<double>(ascending[i]), static_cast<double>(ascending[i + 1])};
    CHECK(detail::float_order(wide[0]) < detail::float_order(wide[1]));
  }
  CHECK(detail::float_order(0.0F) == detail::float_order(-0.0F));
  CHECK(detail::float_order(nan_value) == detail::float_order(-nan_value));
  CHECK(detail::float_order(1.0) < detail::float_order(1.0 + 1e-15));  // which binary32 could not tell apart
}

/// A 16-bit float as programs have them: only its conversion is known.
struct Half {
  std::uint16_t bits = 0;
  constexpr explicit operator float() const noexcept { return static_cast<float>(bits) - 100.0F; }
};

constexpr bool other_types() {
  const double doubles[] = {-1.0, 3.0, 3.0 + 1e-15, 2.0};
  EXPECT(*argmax_logit(doubles, 4) == 2);
  const Half halves[] = {{3}, {500}, {499}};
  EXPECT(*argmax_logit(halves, 3) == 1);
  const float with_nan[] = {1.0F, nan_value, 9.0F};
  EXPECT(*argmax_logit(with_nan, 3) == 1);
  EXPECT(argmax_logit(with_nan, 0).error() == Errc::no_value);
  return true;
}
BOTH_TIMES(other_types)

TEST_CASE("compact slices") {
  Random random(53);
  std::size_t accepted = 0;
  for (int round = 0; round < 8000; ++round) {
    const std::size_t vocabulary = 5 + random.place_below(30);
    const Logits logits = random_logits(random, vocabulary);
    const auto slices = random_slices(random, vocabulary);
    Logits expected;
    bool first_is_empty = false;
    for (std::size_t i = 0; i < slices.size(); ++i) {
      const std::size_t before = expected.size();
      for (std::size_t id = 0; id < vocabulary; ++id) {
        if (slices[i].contains(static_cast<TokenId>(id))) expected.push_back(logits[id]);
      }
      first_is_empty = first_is_empty || (i == 0 && expected.size() == before);
    }
    Logits out(expected.size() + 1, 77.0F);
    const auto written =
        slice_logits(logits.data(), vocabulary, slices.data(), slices.size(), out.data(), expected.size());
    if (first_is_empty) {
      CHECK(written.error() == Errc::vocabulary_slice_empty);
      CHECK(same_bits(out, Logits(expected.size() + 1, 77.0F)));
      continue;
    }
    ++accepted;
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
  CHECK(accepted > 5000);
}

constexpr bool slices_without_bounds() {
  const float logits[4] = {1.0F, 2.0F, 3.0F, 4.0F};
  float out[8]{};
  const auto written = [&](VocabularySlice slice) { return *slice_logits(logits, 4, &slice, 1, out, 8); };
  EXPECT(written(VocabularySlice::whole()) == 4 && out[0] == 1.0F && out[3] == 4.0F);
  EXPECT(written(VocabularySlice::from(3)) == 1 && out[0] == 4.0F);
  EXPECT(written(VocabularySlice::until(2)) == 2 && out[0] == 1.0F && out[1] == 2.0F);
  const VocabularySlice with_empty[3] = {{1, 3}, {2, 2}, {9, 12}};  // further slices add nothing
  EXPECT(*slice_logits(logits, 4, with_empty, 3, out, 8) == 2);
  EXPECT(*slice_logits(logits, 4, with_empty, 0, out, 8) == 0);
  const VocabularySlice empty[] = {{3, 3}, {4, 3}, {4, 5}, VocabularySlice::until(0), VocabularySlice::from(4)};
  for (const VocabularySlice& slice : empty) {
    const VocabularySlice slices[2] = {slice, {0, 4}};
    EXPECT(slice_logits(logits, 4, slices, 2, out, 8).error() == Errc::vocabulary_slice_empty);
  }
  const VocabularySlice negative[] = {{-1, 3}, {1, -1}, {-3, -1}};
  for (const VocabularySlice& slice : negative) {
    const VocabularySlice slices[2] = {{0, 4}, slice};
    EXPECT(slice_logits(logits, 4, slices, 2, out, 8).error() == Errc::token_id_out_of_range);
    EXPECT(slice_logits(logits, 4, slices, 2, out, 8).position() == 1);
    float masked[4] = {1.0F, 2.0F, 3.0F, 4.0F};
    EXPECT(mask_logits(masked, 4, slices, 2) == Errc::token_id_out_of_range && masked[3] == 4.0F);
  }
  return true;
}
BOTH_TIMES(slices_without_bounds)

TEST_CASE("masked logits") {
  Random random(55);
  for (int round = 0; round < 10000; ++round) {
    const std::size_t vocabulary = 1 + random.place_below(30);
    const auto slices = random_slices(random, vocabulary);
    Logits logits = random_logits(random, vocabulary);
    Logits expected = logits;
    for (std::size_t id = 0; id < vocabulary; ++id) {
      if (!is_in(slices, id)) expected[id] = lowest_logit;
    }
    Logits greedy = logits;
    CHECK(mask_logits(logits.data(), vocabulary, slices.data(), slices.size()) == Errc::none);
    CHECK(same_bits(logits, expected));
    const std::size_t best = plain_argmax(expected);
    expected.assign(vocabulary, lowest_logit);
    expected[best] = 0.0F;
    CHECK(mask_logits(greedy.data(), vocabulary, slices.data(), slices.size(), true) == Errc::none);
    CHECK(same_bits(greedy, expected));
  }
  CHECK(mask_logits(nullptr, 0, nullptr, 0, true) == Errc::none);
}

TEST_CASE("forced tokens") {
  Logits logits(5, nan_value);
  for (const TokenId outside : {-1, 5, max_side}) {
    CHECK(force_token(logits.data(), 5, outside) == Errc::token_id_out_of_range);
    CHECK(same_bits(logits, Logits(5, nan_value)));
  }
  CHECK(force_token(logits.data(), 5, 3) == Errc::none);
  CHECK(same_bits(logits, {lowest_logit, lowest_logit, lowest_logit, 0.0F, lowest_logit}));
  CHECK(lowest_logit == std::numeric_limits<float>::lowest());
}

constexpr bool slices_of_the_profiles() {
  const RatioSlices instruct = ratio_slices(profiles::instruct);
  EXPECT(instruct.count == 2 && instruct.token_count() == 37);
  EXPECT(instruct.slices[0].start == 128044 && instruct.slices[0].stop == 128077);
  EXPECT(instruct.slices[1].start == 130103 && instruct.slices[1].stop == 130107);
  EXPECT(ratio_slices(profiles::base).count == 1 && ratio_slices(profiles::base).token_count() == 33);
  EXPECT(ratio_slices(profiles::instruct_distil).token_count() == 37);
  EXPECT(ratio_slices(profiles::panorama).token_count() == 37);  // the last one has no id
  const RatioSlices panorama = ratio_slices(*profiles::panorama.with_ratio_token_id(37, 130108));
  EXPECT(panorama.count == 3 && panorama.token_count() == 38);  // <timestep_r> lies between 36 and 37
  return true;
}
BOTH_TIMES(slices_of_the_profiles)

/// The definition of predict_ratio: all ratio tokens with an id, the first NaN, else the first of the greatest.
std::size_t plain_ratio(const ModelProfile& profile, const Logits& logits) {
  std::size_t best = RatioTokens::capacity;
  float best_value = 0;
  for (std::size_t i = 0; i < profile.ratio_tokens.count; ++i) {
    if (profile.ratio_tokens.ids[i] == RatioTokens::unknown) continue;
    const float value = logits[static_cast<std::size_t>(profile.ratio_tokens.ids[i])];
    if (best == RatioTokens::capacity) {
      best = i;
      best_value = value;
    } else if (!std::isnan(best_value) && (std::isnan(value) || value > best_value)) {
      best = i;
      best_value = value;
    }
  }
  return best;
}

TEST_CASE("the predicted ratio, whichever ids are unknown") {
  Random random(57);
  for (const ModelProfile* published : profiles::all) {
    for (int round = 0; round < 1500; ++round) {
      ModelProfile profile = *published;
      std::size_t known = 0;
      for (std::size_t i = 0; i < profile.ratio_tokens.count; ++i) {
        if (round % 3 != 0 && random.below(3) == 0) profile.ratio_tokens.ids[i] = RatioTokens::unknown;
        if (profile.ratio_tokens.ids[i] != RatioTokens::unknown) ++known;
      }
      CHECK(ratio_slices(profile).token_count() == known);
      // Nothing outside the ratio tokens counts, however great.
      Logits logits(130107, infinity);
      const Logits values = random_logits(random, profile.ratio_tokens.count);
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (profile.ratio_tokens.ids[i] != RatioTokens::unknown) {
          logits[static_cast<std::size_t>(profile.ratio_tokens.ids[i])] = values[i];
        }
      }
      const auto index = predict_ratio(profile, logits.data(), logits.size());
      REQUIRE(index);
      CHECK(*index == plain_ratio(profile, logits));
      // Upstream's two steps find the same token.
      const RatioSlices slices = ratio_slices(profile);
      Logits compact(slices.token_count());
      REQUIRE(slice_logits(logits.data(), logits.size(), slices.slices, slices.count, compact.data(), compact.size()));
      const float best = compact[argmax(compact)];
      const float chosen = logits[static_cast<std::size_t>(*ratio_token_id(profile, *index))];
      CHECK(std::memcmp(&best, &chosen, sizeof best) == 0);
      if (known == profile.ratio_tokens.count) CHECK(argmax(compact) == *index);
    }
  }
}

TEST_CASE("every ratio token in turn, in every type") {
  for (const ModelProfile* profile : profiles::all) {
    Logits logits(133120, -1.0F);
    std::vector<double> doubles(133120, -1.0);
    std::vector<Half> halves(133120);
    for (std::size_t index = 0; index < ratio_token_count(*profile); ++index) {
      if (!ratio_token_id(*profile, index)) continue;
      const auto id = static_cast<std::size_t>(*ratio_token_id(*profile, index));
      logits[id] = 1.0F;
      doubles[id] = 1.0;
      halves[id] = {7};
      CHECK(*predict_ratio(*profile, logits.data(), logits.size()) == index);
      CHECK(*predict_ratio(*profile, doubles.data(), doubles.size()) == index);
      CHECK(*predict_ratio(*profile, halves.data(), halves.size()) == index);
      logits[id] = -1.0F;
      doubles[id] = -1.0;
      halves[id] = {};
    }
    CHECK(*predict_ratio(*profile, logits.data(), logits.size()) == 0);
  }
}

/// A profile whose ratio tokens fit into a short row.
constexpr ModelProfile small_profile() {
  ModelProfile profile = profiles::instruct;
  profile.ratio_tokens = {};
  profile.ratio_tokens.append(5, 2);
  profile.ratio_tokens.append(RatioTokens::unknown);
  profile.ratio_tokens.append(2);
  return profile;
}

constexpr bool predictions() {
  ModelProfile profile = small_profile();
  const float logits[8] = {9.0F, 9.0F, 4.0F, 9.0F, 9.0F, 1.0F, 3.0F, 9.0F};
  EXPECT(*predict_ratio(profile, logits, 8) == 3);  // the compact argmax would say 2
  EXPECT(*predict_ratio(profile, logits, 7) == 3);
  EXPECT(predict_ratio(profile, logits, 6).error() == Errc::vocabulary_too_small);
  EXPECT(predict_ratio(profile, logits, 6).position() == 1);
  EXPECT(predict_ratio(profile, logits, 0).error() == Errc::vocabulary_too_small);
  const float ties[8] = {0.0F, 0.0F, 3.0F, 0.0F, 0.0F, -1.0F, 3.0F, 0.0F};
  EXPECT(*predict_ratio(profile, ties, 8) == 1);
  const float with_nan[8] = {0.0F, 0.0F, nan_value, 0.0F, 0.0F, infinity, 3.0F, 0.0F};
  EXPECT(*predict_ratio(profile, with_nan, 8) == 3);
  for (std::size_t i = 0; i < 4; ++i) profile.ratio_tokens.ids[i] = RatioTokens::unknown;
  EXPECT(predict_ratio(profile, logits, 8).error() == Errc::ratio_token_id_unknown);
  EXPECT(ratio_slices(profile).count == 0);
  return true;
}
BOTH_TIMES(predictions)

}  // namespace
}  // namespace hunyuan_reso_test
