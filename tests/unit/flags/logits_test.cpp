// SPDX-License-Identifier: MIT
// Logits and rotary tables under flags that change floating point: compiled once for each set of flags, compared with
// logits_reference.cpp, which is always strict. -ffast-math lets a compiler assume that there is no NaN.
#include <hunyuan_reso/rope.hpp>
#include <hunyuan_reso/text_stage.hpp>

#include <cstdio>
#include <cstring>

#include "logits_reference.hpp"
#include "support/random.hpp"

namespace {

using namespace hunyuan_reso;
using hunyuan_reso_test::Random;
namespace strict = hunyuan_reso_test::strict;

int failures = 0;
void check(bool condition, const char* what) {
  if (!condition && ++failures <= 20) std::printf("%s differs\n", what);
}

std::uint32_t bits_of(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

float with_bits(std::uint32_t bits) {
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Every kind of float, as bits: no flag can decide that a NaN never gets here. Denormals are left out: in a program
/// linked with -ffast-math the reference would read them as zero.
std::vector<float> random_values(Random& random) {
  const std::uint32_t special[] = {0x7FC00000, 0xFFC00000, 0x7F800000, 0xFF800000, 0, 0x80000000, 0xFF7FFFFF};
  std::vector<float> values(1 + random.place_below(40));
  const bool has_special = random.below(2) == 0;
  for (float& value : values) {
    const std::uint32_t sign = static_cast<std::uint32_t>(random.below(2)) << 31;
    value = with_bits(sign | (0x3F800000 + static_cast<std::uint32_t>(random.below(8)) * 0x100000));
    if (has_special && random.below(4) == 0) value = with_bits(special[random.below(7)]);
  }
  return values;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void check_logits() {
  Random random(81);
  const float lowest = with_bits(0xFF7FFFFF);
  check(bits_of(lowest_logit) == 0xFF7FFFFF, "the lowest finite number");
  for (int round = 0; round < 50000; ++round) {
    const std::vector<float> values = random_values(random);
    check(*argmax_logit(values.data(), values.size()) == strict::argmax(values), "argmax");
    const auto start = static_cast<std::size_t>(random.below(values.size()));
    const std::size_t stop = start + 1 + static_cast<std::size_t>(random.below(values.size() - start));
    const VocabularySlice slice{static_cast<TokenId>(start), static_cast<TokenId>(stop)};
    std::vector<float> compact(values.size());
    check(slice_logits(values.data(), values.size(), &slice, 1, compact.data(), compact.size()).has_value(), "a slice");
    compact.resize(stop - start);
    check(std::memcmp(compact.data(), values.data() + start, compact.size() * sizeof(float)) == 0, "compact logits");
    std::vector<float> expected(values.size(), lowest);
    for (std::size_t i = start; i < stop; ++i) std::memcpy(&expected[i], &values[i], sizeof(float));
    std::vector<float> masked = values;
    check(mask_logits(masked.data(), masked.size(), &slice, 1) == Errc::none, "masking");
    check(same_bits(masked, expected), "masked logits");
    const std::size_t best = strict::argmax(expected);
    expected.assign(expected.size(), lowest);
    expected[best] = 0.0F;
    masked = values;
    check(mask_logits(masked.data(), masked.size(), &slice, 1, true) == Errc::none, "masking");
    check(same_bits(masked, expected), "greedy logits");
  }
}

/// The ratio tokens of a row: the same one as the strict argmax of their values alone, in float and in double.
void check_ratios(const ModelProfile& published) {
  Random random(87);
  std::vector<float> logits(static_cast<std::size_t>(published.vocabulary_size));
  std::vector<double> doubles(logits.size());
  for (int round = 0; round < 3000; ++round) {
    ModelProfile profile = published;
    const std::vector<float> values = random_values(random);
    std::vector<float> known;
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < ratio_token_count(profile); ++i) {
      if (random.below(4) == 0) profile.ratio_tokens.ids[i] = RatioTokens::unknown;
      const Result<TokenId> id = ratio_token_id(profile, i);
      if (!id) continue;
      known.push_back(values[i % values.size()]);
      indices.push_back(i);
      std::memcpy(&logits[static_cast<std::size_t>(*id)], &known.back(), sizeof(float));
      // Widened in whole numbers: a conversion of NaN could be compiled away.
      const bool is_nan = (bits_of(known.back()) & 0x7FFFFFFF) > 0x7F800000;
      const std::uint64_t nan_bits = 0xFFF8000000000000;
      doubles[static_cast<std::size_t>(*id)] = static_cast<double>(known.back());
      if (is_nan) std::memcpy(&doubles[static_cast<std::size_t>(*id)], &nan_bits, sizeof nan_bits);
    }
    const std::size_t expected = indices[strict::argmax(known)];
    check(*predict_ratio(profile, logits.data(), logits.size()) == expected, "the predicted ratio");
    check(*predict_ratio(profile, doubles.data(), doubles.size()) == expected, "the predicted ratio in double");
  }
}

/// Bases and factors that are refused, NaN and infinity included.
void check_refused_rescaling() {
  const std::uint64_t bad[] = {0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000000, 0xFFF0000000000000, 0,
                               0x8000000000000000, 0xBFF0000000000000};
  for (const std::uint64_t bits : bad) {
    double factor = 0;
    std::memcpy(&factor, &bits, sizeof factor);
    float thetas[64];
    check(write_rope_thetas(thetas, 64, 128, 10000.0, factor) == Errc::rescale_not_positive, "a refused factor");
    check(write_rope_thetas(thetas, 64, 128, factor) == Errc::rescale_not_positive, "a refused base");
  }
}

void check_rope(std::int32_t dimension, double base) {
  const std::vector<float> expected = strict::thetas(dimension, base);
  std::vector<float> thetas(expected.size());
  check(write_rope_thetas(thetas.data(), thetas.size(), dimension, base) == Errc::none, "the frequencies");
  check(same_bits(thetas, expected), "a frequency");
  Random random(83);
  std::vector<float> cos_row(static_cast<std::size_t>(dimension));
  std::vector<float> sin_row(static_cast<std::size_t>(dimension));
  for (int row = 0; row < 3000; ++row) {
    const RopePosition position{static_cast<std::int32_t>(random.below(22800)), static_cast<std::int32_t>(row)};
    check(write_rope_table(&position, 1, thetas.data(), dimension, cos_row.data(), sin_row.data(), cos_row.size()) ==
              Errc::none,
          "a row");
    for (std::size_t k = 0; k < thetas.size(); ++k) {
      const std::int32_t value = k % 2 == 0 ? position.y : position.x;
      check(bits_of(cos_row[k]) == bits_of(strict::cos_of(value, expected[k])), "a cosine");
      check(bits_of(sin_row[k]) == bits_of(strict::sin_of(value, expected[k])), "a sine");
      check(bits_of(cos_row[k]) == bits_of(cos_row[k + thetas.size()]), "the second half of the cosines");
      check(bits_of(sin_row[k]) == bits_of(sin_row[k + thetas.size()]), "the second half of the sines");
    }
  }
}

}  // namespace

int main(int argc, char**) {
  check_logits();
  check_ratios(argc > 100 ? profiles::base : profiles::panorama);
  check_refused_rescaling();
  // Through argc, so that no compiler can do it ahead of time.
  check_rope(128 + (argc > 100 ? argc : 0), 10000.0);
  check_rope(64 + (argc > 100 ? argc : 0), 500000.0);
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
