// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_SUPPORT_SHA256_HPP
#define HUNYUAN_RESO_TESTS_SUPPORT_SHA256_HPP

#include <cstddef>
#include <string>

namespace hunyuan_reso_test {

/// SHA-256 (FIPS 180-4) of `size` bytes, as 64 lower-case hexadecimal digits.
std::string sha256(const void* data, std::size_t size);

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_SUPPORT_SHA256_HPP
