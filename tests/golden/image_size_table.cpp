// SPDX-License-Identifier: MIT
#include "image_size_table.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::Errc;

constexpr ListedDifference table[] = {
    // Signs. Upstream computes with negative sides.
    {"5x-10", "both", Errc::expected_number, 2, {}},
    {"-16:9", "both", Errc::expected_number, 0, {}},
    {"-16:-9", "both", Errc::expected_number, 0, {}},
    // Zeros. Upstream divides by the one that is not zero, or dies.
    {"0x10", "both", Errc::number_not_positive, 0, {}},
    {"0:10", "base", Errc::number_not_positive, 0, {}},
    // Over 2^31 - 1.
    {"1x99999999999999999999999", "both", Errc::number_too_large, 2, {}},
    {"2147483648x4294967297", "both", Errc::number_too_large, 0, {}},
    {"9007199254740993x9007199254740992", "both", Errc::number_too_large, 0, {}},
    // What Python's int() takes for a number.
    {"1_000x1_000", "both", Errc::expected_separator, 1, {}},
    {"\uFF11\uFF10\uFF12\uFF14x\uFF11\uFF10\uFF12\uFF14", "both", Errc::expected_number, 0, {}},
    {"1024\u2009x\u20091024", "both", Errc::expected_separator, 4, {}},
    // Ratio tokens that are none. Upstream counts negative indices from the end.
    {"<img_ratio_-1>", "both", Errc::expected_number, 11, {}},
    {"<img_ratio_-34>", "instruct", Errc::expected_number, 11, {}},
    {"<img_ratio_5>>", "both", Errc::expected_end, 13, {}},
    {"<img_ratio_5 >", "both", Errc::expected_ratio_token_end, 12, {}},
    {"<img_ratio_\uFF15>", "both", Errc::expected_number, 11, {}},
    // What people type and upstream refuses.
    {"1024X1024", "both", Errc::none, 0, {1024, 1024}},
    {"1024\u00D71024", "both", Errc::none, 0, {1024, 1024}},
    {" <img_ratio_5>", "both", Errc::none, 0, {512, 1728}},
    // Not a size yet, but no mistake either.
    {"auto", "both", Errc::image_size_is_auto, 0, {}},
};

}  // namespace

const ListedDifference* find_listed_difference(std::string_view text, std::string_view release) {
  for (const ListedDifference& entry : table) {
    if (entry.text == text && (entry.release == "both" || entry.release == release)) return &entry;
  }
  return nullptr;
}

}  // namespace hunyuan_reso_test
