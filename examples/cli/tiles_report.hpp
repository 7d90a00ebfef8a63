// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_TILES_REPORT_HPP
#define HUNYUAN_RESO_CLI_TILES_REPORT_HPP

#include <hunyuan_reso/tiles.hpp>
#include <string>

#include "target.hpp"

namespace hunyuan_reso::cli {

/// A canvas in overlapping tiles, and where the wished size lies in it.
struct TiledCanvas {
  Target target;
  TileLayout layout{};
  std::int32_t overlap = 0;  ///< the one asked for, in pixels
  std::int32_t crop_top = 0;
  std::int32_t crop_left = 0;
};

/// Most tiles that are listed or drawn one by one.
inline constexpr std::int32_t most_listed_tiles = 65536;

/// "3 rows of 5 tiles, 1024x1024 each; ...".
[[nodiscard]] std::string tiles_sentence(const Selection& selection, const TileLayout& layout, std::int32_t overlap);
/// canvas, tile, overlap, overlap_reached, weights_profile, align, rows, columns, tiles.
[[nodiscard]] Json tiles_json(const TileLayout& layout, std::int32_t overlap);

[[nodiscard]] std::string tiles_text(const Selection& selection, const TiledCanvas& canvas);
/// The layout drawn to scale, with what of each row and column of tiles counts where.
[[nodiscard]] std::string tiles_svg(const Selection& selection, const TiledCanvas& canvas);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_TILES_REPORT_HPP
