// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SIZE_LIST_HPP
#define HUNYUAN_RESO_CLI_SIZE_LIST_HPP

#include <hunyuan_reso/image_size.hpp>
#include <string>
#include <string_view>

#include "side_order.hpp"

namespace hunyuan_reso::cli {

/// A size as people write it. Beyond what parse_image_size takes: pairs with `*`, a comma or blanks between the
/// numbers, in brackets, and with `px`; ratios with `/` and with decimals (2.39:1); the full-width signs for `:`, `/`,
/// `*`, `x` and the comma; `auto` in any case. A position in an error is that of the given text.
[[nodiscard]] Result<ImageSize> parse_size(std::string_view text, const ModelProfile& profile, SideOrder order);

/// Why parse_size refused a text: what was expected at the byte at fault and, where the text is of none of the forms,
/// what the forms are (`forms` in place of all that parse_size takes).
[[nodiscard]] std::string size_refusal(std::string_view text, const Result<ImageSize>& refused, SideOrder order,
                                       const std::string& forms = "");

/// For a size that was read but looks like a slip (1024x024): what it was read as; else empty.
[[nodiscard]] std::string size_doubt(std::string_view text, const ImageSize& read, SideOrder order);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SIZE_LIST_HPP
