// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_ONE_SIZE_HPP
#define HUNYUAN_RESO_CLI_ONE_SIZE_HPP

#include <string>

#include "size_list.hpp"

namespace hunyuan_reso::cli {

/// The size in an argument, option or key named `place` (may be empty), as parse_size reads it. Throws Refusal with a
/// caret under the byte at fault; writes a doubt about a number to standard error.
[[nodiscard]] ImageSize require_size(const std::string& place, const std::string& text, const ModelProfile& profile,
                                     SideOrder order);
/// The same for what must be pixels.
[[nodiscard]] Resolution require_pixels(const std::string& place, const std::string& text, const ModelProfile& profile,
                                        SideOrder order);

/// A size as the tool writes it: pixels in the order that is in force, all else as format_image_size.
[[nodiscard]] std::string request_text(const ImageSize& size, const ModelProfile& profile, SideOrder order);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_ONE_SIZE_HPP
