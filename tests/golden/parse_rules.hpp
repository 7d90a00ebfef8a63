// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_GOLDEN_PARSE_RULES_HPP
#define HUNYUAN_RESO_TESTS_GOLDEN_PARSE_RULES_HPP

#include <cstddef>
#include <string_view>

/// Where parse_image_size may differ from the releases' parser, by class of input.
namespace hunyuan_reso_test {

/// Upstream accepts, the library refuses. Allowed for a sign, an underscore, a control character, anything outside
/// ASCII, a number that is zero or over 2^31 - 1, and an <img_ratio_ text that is not exactly <img_ratio_DIGITS> with
/// an index below `row_count`.
bool may_refuse(std::string_view text, std::size_t row_count);

/// Upstream refuses, the library accepts. Allowed for `auto`, for X and U+00D7 as the separator, for blanks around
/// <img_ratio_i>, and for numbers of more than 4300 digits, where Python's int() gives up (leading zeros).
bool may_accept(std::string_view text);

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_GOLDEN_PARSE_RULES_HPP
