// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_UNIT_FLAGS_LOGITS_REFERENCE_HPP
#define HUNYUAN_RESO_TESTS_UNIT_FLAGS_LOGITS_REFERENCE_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

/// What logits_test.cpp compares with, without a line of the library; always compiled with strict floating point.
namespace hunyuan_reso_test {
namespace strict {

/// The first NaN, else the first of the greatest.
std::size_t argmax(const std::vector<float>& values);

/// 1 / binary32(base^(2k / dimension)), each step in binary32 but for the power.
std::vector<float> thetas(std::int32_t dimension, double base);

/// cos and sin of the binary32 product, rounded to binary32.
float cos_of(std::int32_t position, float theta);
float sin_of(std::int32_t position, float theta);

}  // namespace strict
}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_UNIT_FLAGS_LOGITS_REFERENCE_HPP
