// SPDX-License-Identifier: MIT
#include "logits_input.hpp"

#include <cstring>
#include <limits>

#include "common.hpp"
#include "support/random.hpp"
#include "support/sha256.hpp"

namespace hunyuan_reso_test {

using hunyuan_reso::TokenId;
using hunyuan_reso::VocabularySlice;

LogitsGenerator::LogitsGenerator(const Json& root)
    : vocabulary(static_cast<std::size_t>(int32(root["vocab"]))),
      shift(int32(root["generator"]["shift"])),
      subtract(root["generator"]["subtract"].integer()),
      divide(root["generator"]["divide"].integer()) {}

std::vector<float> LogitsGenerator::matrix(std::uint64_t seed, std::size_t rows) const {
  Random random(seed);
  std::vector<float> values(rows * vocabulary);
  for (float& value : values) {
    const auto drawn = static_cast<std::int64_t>(random.next() >> shift) - subtract;
    value = static_cast<float>(static_cast<double>(drawn) / static_cast<double>(divide));  // exact
  }
  return values;
}

float logit_of(const Json& value) {
  if (value.is_string()) {
    const std::string text = value.text();
    if (text == "nan") {
      const std::uint32_t bits = 0x7FC00000;
      float result = 0;
      std::memcpy(&result, &bits, sizeof result);
      return result;
    }
    if (text == "inf") return std::numeric_limits<float>::infinity();
    if (text == "-inf") return -std::numeric_limits<float>::infinity();
    if (text == "min") return std::numeric_limits<float>::lowest();
  }
  return static_cast<float>(value.number());
}

void apply_patches(const Json& entry, std::size_t vocabulary, std::vector<float>& matrix) {
  if (!entry.has("patches") || entry["patches"].is_null()) return;
  for (const Json& patch : entry["patches"].elements()) {
    const auto row = static_cast<std::size_t>(int32(patch[std::size_t{0}]));
    matrix.at(row * vocabulary + static_cast<std::size_t>(int32(patch[1]))) = logit_of(patch[2]);
  }
}

bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

std::string sha256_of(const float* values, std::size_t count) {
  std::vector<unsigned char> bytes;
  bytes.reserve(count * 4);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, values + i, sizeof bits);
    for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<unsigned char>(bits >> shift));
  }
  return sha256(bytes.data(), bytes.size());
}

namespace {

VocabularySlice slice_of(const Json& start, const Json& stop) {
  VocabularySlice slice = VocabularySlice::whole();
  if (!start.is_null()) slice.start = int32(start);
  if (!stop.is_null()) slice.stop = int32(stop);
  return slice;
}

}  // namespace

std::vector<VocabularySlice> vocabulary_slices(const Json& entry) {
  std::vector<VocabularySlice> slices{slice_of(entry["vocab_start"], entry["vocab_end"])};
  if (entry.has("other_slices") && !entry["other_slices"].is_null()) {
    for (const Json& other : entry["other_slices"].elements()) {
      slices.push_back(slice_of(other[std::size_t{0}], other[1]));
    }
  }
  return slices;
}

std::vector<TokenId> token_list(const Json& list) {
  std::vector<TokenId> tokens;
  for (const Json& token : list.elements()) tokens.push_back(int32(token));
  return tokens;
}

}  // namespace hunyuan_reso_test
