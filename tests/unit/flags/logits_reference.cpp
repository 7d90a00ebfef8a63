// SPDX-License-Identifier: MIT
#include "logits_reference.hpp"

#include <cmath>

namespace hunyuan_reso_test {
namespace strict {

std::size_t argmax(const std::vector<float>& values) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[best])) return best;
    if (std::isnan(values[i]) || values[i] > values[best]) best = i;
  }
  return best;
}

std::vector<float> thetas(std::int32_t dimension, double base) {
  std::vector<float> result;
  for (std::int32_t k = 0; k < dimension / 2; ++k) {
    const float exponent = static_cast<float>(2 * k) / static_cast<float>(dimension);
    const auto power = static_cast<float>(std::pow(base, static_cast<double>(exponent)));
    result.push_back(1.0F / power);
  }
  return result;
}

float cos_of(std::int32_t position, float theta) {
  return static_cast<float>(std::cos(static_cast<double>(static_cast<float>(position) * theta)));
}
float sin_of(std::int32_t position, float theta) {
  return static_cast<float>(std::sin(static_cast<double>(static_cast<float>(position) * theta)));
}

}  // namespace strict
}  // namespace hunyuan_reso_test
