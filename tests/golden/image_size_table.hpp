// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_GOLDEN_IMAGE_SIZE_TABLE_HPP
#define HUNYUAN_RESO_TESTS_GOLDEN_IMAGE_SIZE_TABLE_HPP

#include <hunyuan_reso/resolution.hpp>
#include <hunyuan_reso/result.hpp>
#include <string_view>

namespace hunyuan_reso_test {

/// An image_size text that the library and a release treat differently, on purpose: the reason and the position of the
/// refusal (the byte, as UTF-8), or Errc::none and the row (at base size 1024) where only the library accepts.
struct ListedDifference {
  std::string_view text;
  std::string_view release;  ///< "instruct", "base", or "both"
  hunyuan_reso::Errc error;
  std::size_t position;
  hunyuan_reso::Resolution row;
};

/// The entry for a text and a release, or null.
const ListedDifference* find_listed_difference(std::string_view text, std::string_view release);

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_GOLDEN_IMAGE_SIZE_TABLE_HPP
