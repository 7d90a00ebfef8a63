// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_EXIF_ORIENTATION_HPP
#define HUNYUAN_RESO_CLI_EXIF_ORIENTATION_HPP

#include <hunyuan_reso/result.hpp>
#include <string_view>

namespace hunyuan_reso::cli {

/// An EXIF orientation: 1 to 8 as numbers, in exiftool's words ("Rotate 90 CW") or in ImageMagick's ("RightTop"). 0
/// where there is none: empty, "-", 0, "Undefined", and exiftool's "Unknown (N)", which viewers show as stored.
/// Errc::expected_number for anything else.
[[nodiscard]] Result<std::int32_t> parse_orientation(std::string_view text);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_EXIF_ORIENTATION_HPP
