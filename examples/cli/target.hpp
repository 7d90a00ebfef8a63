// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_TARGET_HPP
#define HUNYUAN_RESO_CLI_TARGET_HPP

#include <string>

#include "options.hpp"

namespace hunyuan_reso::cli {

/// The size of a final picture, as wished.
struct Target {
  std::string wish;     ///< as given: a size, or 2K
  std::string meaning;  ///< of a name, in words; empty for a size
  Resolution size{};
};

/// What the names mean, for --help.
inline constexpr const char* target_names =
    "1K, 2K, 4K, 8K: as many pixels as 1024, 2048, 4096 or 8192 squared. 8MP (0.001 to 1000000): so many\n"
    "millions of pixels. 1440p (1 to 65536): the shorter side has so many pixels. All in the ratio of the request";

/// A size in pixels, or a name, each with one meaning. 1K, 2K, 4K, 8K: as many pixels as 1024, 2048 .. squared, 8MP
/// millions of pixels, both in the given ratio with sides in multiples of 16; 1440p: the shorter side has 1440 pixels
/// and the longer one follows the ratio. `ratio` is of the request: its height / width counts. Throws Refusal that
/// names `place`.
[[nodiscard]] Target require_target(const std::string& place, const std::string& text, Resolution ratio,
                                    const Selection& selection);

/// The ratio for names where the request has none: 16:9, landscape.
inline constexpr Resolution usual_ratio{9, 16};

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_TARGET_HPP
