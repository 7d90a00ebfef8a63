// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_GOLDEN_LOGITS_INPUT_HPP
#define HUNYUAN_RESO_TESTS_GOLDEN_LOGITS_INPUT_HPP

#include <hunyuan_reso/text_stage.hpp>
#include <string>
#include <vector>

#include "report.hpp"

namespace hunyuan_reso_test {

/// Parameters of the recorded generator of raw logits.
struct LogitsGenerator {
  LogitsGenerator(const Json& root);

  std::size_t vocabulary = 0;
  int shift = 0;
  std::int64_t subtract = 0;
  std::int64_t divide = 1;

  /// `rows` rows, one after another.
  std::vector<float> matrix(std::uint64_t seed, std::size_t rows) const;
};

/// Sets [row, column, value].
void apply_patches(const Json& entry, std::size_t vocabulary, std::vector<float>& matrix);

/// A recorded number, "inf", "-inf", "nan" or "min" (the lowest finite one) as binary32.
float logit_of(const Json& value);
bool same_bits(float a, float b);

/// sha256 of binary32, little-endian.
std::string sha256_of(const float* values, std::size_t count);

/// vocab_start, vocab_end, then other_slices; null stands for no bound.
std::vector<hunyuan_reso::VocabularySlice> vocabulary_slices(const Json& entry);

std::vector<hunyuan_reso::TokenId> token_list(const Json& list);

// The checks of one entry each; all count it.
void check_stage(const Json& entry, const LogitsGenerator& generator, Report& report);
void check_combined(const Json& entry, const LogitsGenerator& generator, Report& report);
/// Transitions and stop tokens of a plan, where recorded.
void check_transitions(const Json& entry, Report& report);

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_GOLDEN_LOGITS_INPUT_HPP
