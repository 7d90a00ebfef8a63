// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TILES_HPP
#define HUNYUAN_RESO_TILES_HPP

#include "resolution.hpp"
#include "result.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// How a tile's weight rises from its edge over the overlap.
enum class TileProfile : std::uint8_t {
  cosine,  ///< 0.5 - 0.5 cos(pi x)
  linear,  ///< x
};

/// Tiles along one axis that follow one another.
struct TileSpan {
  std::int32_t first = 0;
  std::int32_t count = 0;
};

namespace detail {

inline constexpr std::int32_t tile_unit = 1 << 12;  // of a weight along one axis

/// sin(pi / 2 * numerator / denominator)^2 in units of 2^-30, in integers: the same at compile time, at run time and on
/// every device. numerator in 0 .. denominator.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t sine_squared(std::int64_t numerator,
                                                                  std::int64_t denominator) noexcept {
  constexpr std::int64_t half_pi = 1686629713;  // * 2^-30
  const std::int64_t y = half_pi * numerator / denominator;
  const std::int64_t y2 = (y * y) >> 30;
  // Taylor's series from the far end: y (1 - y2 / (2 3) (1 - y2 / (4 5) (1 - ..))).
  constexpr std::int64_t one = std::int64_t{1} << 30;
  std::int64_t sum = one;
  for (std::int64_t k = 6; k >= 1; --k) sum = one - ((y2 * sum) >> 30) / (2 * k * (2 * k + 1));
  const std::int64_t sine = (y * sum) >> 30;
  const std::int64_t square = (sine * sine) >> 30;
  return square < one ? square : one;
}

/// Tiles along one axis, in cells: `count` tiles of `tile` cells, evenly spread from 0 to the end of `length`.
struct TileAxis {
  std::int32_t length = 1;
  std::int32_t tile = 1;
  std::int32_t overlap = 0;
  std::int32_t count = 1;
  std::int32_t unit = 1;  // tiles start at multiples of so many cells

  [[nodiscard]] HUNYUAN_RESO_HD static constexpr TileAxis of(std::int32_t length, std::int32_t tile,
                                                             std::int32_t overlap) noexcept {
    if (length <= tile) return {length, length, 0, 1, 1};
    const std::int32_t stride = tile - overlap;
    return {length, tile, overlap, (length - tile + stride - 1) / stride + 1, 1};
  }
  /// The same tiles where each cell is cut into `parts`.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr TileAxis finer(std::int32_t parts) const noexcept {
    return {length * parts, tile * parts, overlap * parts, count, unit * parts};
  }

  /// First cell of tile i: i (length - tile) / (count - 1), halves to even, in the cells that the axis was made of.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t start(std::int32_t i) const noexcept {
    if (count == 1) return 0;
    const std::int64_t numerator = std::int64_t{i} * ((length - tile) / unit);
    const std::int64_t denominator = count - 1;
    const std::int64_t whole = numerator / denominator;
    const std::int64_t twice_rest = 2 * (numerator - whole * denominator);
    const bool up = twice_rest > denominator || (twice_rest == denominator && whole % 2 != 0);
    return static_cast<std::int32_t>(whole + (up ? 1 : 0)) * unit;
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool covers(std::int32_t i, std::int32_t cell) const noexcept {
    return i >= 0 && i < count && cell >= start(i) && cell < start(i) + tile;
  }
  /// The first tile that covers a cell. Starts ascend, so the last one is found by going on from it.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t first_covering(std::int32_t cell) const noexcept {
    std::int32_t low = 0;
    for (std::int32_t high = count - 1; low < high;) {
      const std::int32_t middle = low + (high - low) / 2;
      if (start(middle) + tile > cell) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  [[nodiscard]] HUNYUAN_RESO_HD constexpr TileSpan covering(std::int32_t cell) const noexcept {
    TileSpan span{first_covering(cell), 0};
    while (covers(span.first + span.count, cell)) ++span.count;
    return span;
  }

  /// The profile's value of tile i at a cell that it covers, in units of 2^-30, at least 1.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t raw_weight(std::int32_t i, std::int32_t cell,
                                                                  TileProfile profile) const noexcept {
    const std::int32_t j = cell - start(i);
    const std::int32_t from_edge = j + 1 < tile - j ? j + 1 : tile - j;
    const std::int32_t ramp = overlap > 1 ? overlap : 1;
    const std::int32_t risen = from_edge < ramp ? from_edge : ramp;
    const std::int64_t value =
        profile == TileProfile::cosine ? sine_squared(risen, ramp) : (std::int64_t{risen} << 30) / ramp;
    return value < 1 ? 1 : value;
  }

  /// The share of tile i in a cell, in units of tile_unit: the shares of all tiles add up to exactly tile_unit. What
  /// rounding leaves over goes to the tile with the largest share, the first one of equals.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t share(std::int32_t i, std::int32_t cell,
                                                             TileProfile profile) const noexcept {
    if (cell < 0 || cell >= length || !covers(i, cell)) return 0;
    const std::int32_t first = first_covering(cell);
    std::int64_t total = 0;
    std::int64_t largest = 0;
    std::int32_t owner = first;
    std::int32_t last = first;
    for (std::int32_t k = first; k < count && start(k) <= cell; ++k) {
      const std::int64_t weight = raw_weight(k, cell, profile);
      total += weight;
      last = k;
      if (weight > largest) {
        largest = weight;
        owner = k;
      }
    }
    // Up to 32 tiles in a cell leave none of them out; beyond, the smallest shares may round to nothing.
    const std::int64_t least = last - first < 32 ? 1 : 0;
    std::int64_t given = 0;
    std::int64_t own = 0;
    for (std::int32_t k = first; k <= last; ++k) {
      const std::int64_t exact = raw_weight(k, cell, profile) * tile_unit / total;
      const std::int64_t rounded = exact < least ? least : exact;
      given += rounded;
      if (k == i) own = rounded;
    }
    return static_cast<std::int32_t>(i == owner ? own + tile_unit - given : own);
  }
};

}  // namespace detail

/// A rectangle of a canvas, in pixels or in cells.
struct Tile {
  std::int32_t top = 0;
  std::int32_t left = 0;
  std::int32_t height = 0;
  std::int32_t width = 0;

  [[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution size() const noexcept { return {height, width}; }
};

/// Overlapping tiles over a canvas, for refining a picture that is larger than what the checkpoint was trained on: each
/// tile is one call of the model, and the predictions are summed with weights. Cells are latent cells, `align` pixels
/// along each axis. All tiles have the same size, and are numbered row by row. Trivially copyable, a few numbers; the
/// same at compile time, at run time and in device code.
class TileLayout {
 public:
  /// Weights are whole numbers of this unit: the weights of all tiles in a cell add up to exactly weight_one. They fit
  /// a binary32 number, and a binary64 sum of binary32 predictions times weights loses nothing.
  static constexpr std::int32_t weight_one = detail::tile_unit * detail::tile_unit;  // 2^24

  constexpr TileLayout() noexcept = default;

  /// `canvas`, `tile` and `overlap` in pixels, all multiples of `align`. A canvas that is not longer than a tile along
  /// an axis has one tile there, as long as the canvas. Errors: Errc::side_not_positive, align_not_positive,
  /// tiles_not_aligned, overlap_not_below_tile (or negative), too_many_tiles for 2^31 or more.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<TileLayout> create(
      Resolution canvas, Resolution tile, std::int32_t overlap, std::int32_t align,
      TileProfile profile = TileProfile::cosine) noexcept {
    if (!canvas.is_positive() || !tile.is_positive()) return Errc::side_not_positive;
    if (align <= 0) return Errc::align_not_positive;
    const bool is_aligned = canvas.height % align == 0 && canvas.width % align == 0 && tile.height % align == 0 &&
                            tile.width % align == 0 && overlap % align == 0;
    if (!is_aligned) return Errc::tiles_not_aligned;
    if (overlap < 0 || overlap >= tile.height || overlap >= tile.width) return Errc::overlap_not_below_tile;
    TileLayout layout;
    layout.align_ = align;
    layout.profile_ = profile;
    layout.vertical_ = detail::TileAxis::of(canvas.height / align, tile.height / align, overlap / align);
    layout.horizontal_ = detail::TileAxis::of(canvas.width / align, tile.width / align, overlap / align);
    if (std::int64_t{layout.vertical_.count} * layout.horizontal_.count > max_side) return Errc::too_many_tiles;
    return layout;
  }

  /// The same tiles at the same places with smaller cells, `pixels` pixels along each axis: for weights finer than a
  /// latent cell, such as those of a decoded picture's pixels. Errc::align_not_positive; Errc::tiles_not_aligned where
  /// align() is no multiple of `pixels`.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Result<TileLayout> with_cells_of(std::int32_t pixels) const noexcept {
    if (pixels <= 0) return Errc::align_not_positive;
    if (align_ % pixels != 0) return Errc::tiles_not_aligned;
    TileLayout layout = *this;
    layout.align_ = pixels;
    layout.vertical_ = vertical_.finer(align_ / pixels);
    layout.horizontal_ = horizontal_.finer(align_ / pixels);
    return layout;
  }

  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t rows() const noexcept { return vertical_.count; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t columns() const noexcept { return horizontal_.count; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t size() const noexcept {
    return vertical_.count * horizontal_.count;
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t align() const noexcept { return align_; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr TileProfile profile() const noexcept { return profile_; }
  /// The canvas in pixels and in cells.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution canvas() const noexcept {
    return {vertical_.length * align_, horizontal_.length * align_};
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution canvas_cells() const noexcept {
    return {vertical_.length, horizontal_.length};
  }
  /// The size of every tile, in pixels.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution tile_size() const noexcept {
    return {vertical_.tile * align_, horizontal_.tile * align_};
  }

  /// Tile i in pixels and in cells; empty past the end.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Tile operator[](std::int32_t i) const noexcept {
    const Tile cells = tile_cells(i);
    return {cells.top * align_, cells.left * align_, cells.height * align_, cells.width * align_};
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Tile tile_cells(std::int32_t i) const noexcept {
    if (i < 0 || i >= size()) return {};
    return {vertical_.start(i / columns()), horizontal_.start(i % columns()), vertical_.tile, horizontal_.tile};
  }

  /// The least overlap of neighbours that was reached, in pixels (height, width); at least the one asked for, and 0
  /// along an axis with one tile.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution overlap_reached() const noexcept {
    return {least_overlap(vertical_) * align_, least_overlap(horizontal_) * align_};
  }

  /// The weight of tile i in a cell of the canvas, in units of 1 / weight_one; 0 outside the tile. It is the product of
  /// row_share and column_share, which an engine may tabulate.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t weight(std::int32_t i, std::int32_t row,
                                                              std::int32_t column) const noexcept {
    if (i < 0 || i >= size()) return 0;
    return row_share(i / columns(), row) * column_share(i % columns(), column);
  }
  /// The share of a row (column) of tiles in a row (column) of cells, in 4096ths.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t row_share(std::int32_t tile_row,
                                                                 std::int32_t cell_row) const noexcept {
    return vertical_.share(tile_row, cell_row, profile_);
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t column_share(std::int32_t tile_column,
                                                                    std::int32_t cell_column) const noexcept {
    return horizontal_.share(tile_column, cell_column, profile_);
  }

  /// The first tile row (column) that covers a row (column) of cells; those that cover it follow one another.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t first_tile_row(std::int32_t cell_row) const noexcept {
    return vertical_.first_covering(cell_row);
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t first_tile_column(std::int32_t cell_column) const noexcept {
    return horizontal_.first_covering(cell_column);
  }
  /// All tile rows (columns) that cover a row (column) of cells: at least one, none outside the canvas. A cell is
  /// covered by the tiles row * columns() + column of both spans.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr TileSpan tile_rows_at(std::int32_t cell_row) const noexcept {
    return vertical_.covering(cell_row);
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr TileSpan tile_columns_at(std::int32_t cell_column) const noexcept {
    return horizontal_.covering(cell_column);
  }
  /// Whether tile i covers a cell.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool covers(std::int32_t i, std::int32_t row,
                                                      std::int32_t column) const noexcept {
    return i >= 0 && i < size() && vertical_.covers(i / columns(), row) && horizontal_.covers(i % columns(), column);
  }

 private:
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr std::int32_t least_overlap(const detail::TileAxis& axis) noexcept {
    std::int32_t least = axis.count == 1 ? 0 : axis.tile;
    for (std::int32_t i = 0; i + 1 < axis.count; ++i) {
      const std::int32_t overlap = axis.start(i) + axis.tile - axis.start(i + 1);
      if (overlap < least) least = overlap;
    }
    return least;
  }

  detail::TileAxis vertical_{};
  detail::TileAxis horizontal_{};
  std::int32_t align_ = 1;
  TileProfile profile_ = TileProfile::cosine;
};

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TILES_HPP
