// SPDX-License-Identifier: MIT
// Logits and rotary tables under flags that change floating point: compiled once for each set of flags, compared with
// logits_reference.cpp, which is always strict. -ffast-math lets a compiler assume that there is no NaN.
#include <hunyuan_reso/rope_table.hpp>
#include <hunyuan_reso/text_stage.hpp>

#include <cstdio>

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
    check(argmax_logit(values.data(), values.size()) == strict::argmax(values), "argmax");
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
    mask_logits(masked.data(), masked.size(), &slice, 1);
    check(same_bits(masked, expected), "masked logits");
    const std::size_t best = strict::argmax(expected);
    expected.assign(expected.size(), lowest);
    expected[best] = 0.0F;
    masked = values;
    mask_logits(masked.data(), masked.size(), &slice, 1, true);
    check(same_bits(masked, expected), "greedy logits");
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
    check(write_rope_table(&position, 1, thetas.data(), dimension, cos_row.data(), sin_row.data()) == Errc::none,
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
  // Through argc, so that no compiler can do it ahead of time.
  check_rope(128 + (argc > 100 ? argc : 0), 10000.0);
  check_rope(64 + (argc > 100 ? argc : 0), 500000.0);
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
