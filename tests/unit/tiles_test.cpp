// SPDX-License-Identifier: MIT
// Tiles: where they lie, that they cover the canvas, and that their weights add up to exactly one in every cell.
#include <hunyuan_reso/tiles.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "support/expect.hpp"
#include "support/random.hpp"

namespace {

using namespace hunyuan_reso;

constexpr double pi = 3.14159265358979323846;

constexpr bool four_k_in_tiles_of_one_megapixel() {
  const auto layout = TileLayout::create({2160 / 16 * 16, 3840}, {1024, 1024}, 256, 16);
  EXPECT(layout.has_value());
  // Cells: 135 rows, 240 columns, tiles of 64 with overlap 16: ceil(71 / 48) + 1 = 3 and ceil(176 / 48) + 1 = 5.
  EXPECT(layout->rows() == 3 && layout->columns() == 5 && layout->size() == 15);
  EXPECT((*layout)[0].top == 0 && (*layout)[0].left == 0);
  EXPECT((*layout)[14].top + 1024 == 2160 && (*layout)[14].left + 1024 == 3840);
  EXPECT(layout->tile_cells(5).top == 36);   // 35.5 rounds to the even integer
  EXPECT(layout->tile_cells(1).left == 44);  // 176 / 4
  EXPECT(layout->overlap_reached() == Resolution{28 * 16, 20 * 16});
  EXPECT((*layout)[15].size() == Resolution{} && (*layout)[-1].size() == Resolution{});
  return true;
}
BOTH_TIMES(four_k_in_tiles_of_one_megapixel)

constexpr bool a_small_canvas_is_one_tile() {
  const auto layout = TileLayout::create({640, 1024}, {1024, 1024}, 256, 16);
  EXPECT(layout->size() == 1);
  EXPECT((*layout)[0].size() == Resolution{640, 1024});
  EXPECT(layout->overlap_reached() == Resolution{0, 0});
  for (std::int32_t row = 0; row < 40; ++row) EXPECT(layout->weight(0, row, 63 - row) == TileLayout::weight_one);
  EXPECT(layout->weight(0, 40, 0) == 0 && layout->weight(0, -1, 0) == 0 && layout->weight(1, 0, 0) == 0);
  return true;
}
BOTH_TIMES(a_small_canvas_is_one_tile)

constexpr bool what_is_refused() {
  EXPECT(TileLayout::create({0, 16}, {16, 16}, 0, 16).error() == Errc::side_not_positive);
  EXPECT(TileLayout::create({16, 16}, {16, 0}, 0, 16).error() == Errc::side_not_positive);
  EXPECT(TileLayout::create({16, 16}, {16, 16}, 0, 0).error() == Errc::align_not_positive);
  EXPECT(TileLayout::create({1080, 1920}, {1024, 1024}, 256, 16).error() == Errc::tiles_not_aligned);
  EXPECT(TileLayout::create({1088, 1920}, {1024, 1024}, 250, 16).error() == Errc::tiles_not_aligned);
  EXPECT(TileLayout::create({1088, 1920}, {1024, 1024}, 1024, 16).error() == Errc::overlap_not_below_tile);
  EXPECT(TileLayout::create({1088, 1920}, {1024, 1024}, -16, 16).error() == Errc::overlap_not_below_tile);
  EXPECT(TileLayout::create({65536, 65536}, {1, 1}, 0, 1).error() == Errc::too_many_tiles);
  EXPECT(TileLayout().size() == 1);
  return true;
}
BOTH_TIMES(what_is_refused)

constexpr bool smaller_cells_leave_the_tiles_where_they_are() {
  const auto layout = TileLayout::create({2160, 3840}, {1024, 1024}, 256, 16);
  const std::int32_t sizes[] = {1, 2, 8, 16};
  for (const std::int32_t pixels : sizes) {
    const auto finer = layout->with_cells_of(pixels);
    EXPECT(finer.has_value() && finer->align() == pixels && finer->size() == layout->size());
    EXPECT(finer->canvas() == layout->canvas() && finer->tile_size() == layout->tile_size());
    EXPECT(finer->overlap_reached() == layout->overlap_reached());
    for (std::int32_t i = 0; i < layout->size(); ++i) {
      EXPECT((*finer)[i].top == (*layout)[i].top && (*finer)[i].left == (*layout)[i].left);
      EXPECT((*finer)[i].size() == (*layout)[i].size());
    }
  }
  EXPECT(layout->with_cells_of(0).error() == Errc::align_not_positive);
  EXPECT(layout->with_cells_of(5).error() == Errc::tiles_not_aligned);
  EXPECT(layout->with_cells_of(32).error() == Errc::tiles_not_aligned);
  // Along a tile's left edge the cosine now rises pixel by pixel: 0.5 - 0.5 cos(pi (j + 1) / 256) of what is covered.
  const auto pixels = layout->with_cells_of(1);
  const std::int32_t left = (*layout)[1].left;
  for (std::int32_t j = 1; j < 256; ++j) {
    EXPECT(pixels->column_share(1, left + j) >= pixels->column_share(1, left + j - 1));
  }
  EXPECT(pixels->column_share(1, left) == 1 && pixels->column_share(1, left + 400) == 4096);
  return true;
}
BOTH_TIMES(smaller_cells_leave_the_tiles_where_they_are)

/// Every cell of one axis: covered, shares whole and positive, and exactly one in all.
bool axis_is_whole(const TileLayout& layout, std::int32_t cells) {
  for (std::int32_t cell = 0; cell < cells; ++cell) {
    std::int32_t sum = 0;
    std::int32_t covering = 0;
    std::int32_t least = 4096;
    for (std::int32_t tile = layout.first_tile_column(cell); tile < layout.columns(); ++tile) {
      const Tile place = layout.tile_cells(tile);
      if (place.left > cell) break;
      if (cell >= place.left + place.width) return false;
      const std::int32_t share = layout.column_share(tile, cell);
      least = share < least ? share : least;
      sum += share;
      ++covering;
    }
    const TileSpan span = layout.tile_columns_at(cell);
    if (span.first != layout.first_tile_column(cell) || span.count != covering) return false;
    if (covering == 0 || sum != 4096 || least < (covering <= 32 ? 1 : 0)) return false;
    // Tiles before the first and behind the last that covers the cell have no share in it.
    if (layout.column_share(layout.first_tile_column(cell) - 1, cell) != 0) return false;
    if (layout.column_share(layout.first_tile_column(cell) + covering, cell) != 0) return false;
  }
  return true;
}

TEST_CASE("the weights of all tiles add up to exactly one: every layout of up to 40 cells, tiles of up to 12") {
  std::size_t layouts = 0;
  for (const TileProfile profile : {TileProfile::cosine, TileProfile::linear}) {
    for (std::int32_t cells = 1; cells <= 40; ++cells) {
      for (std::int32_t tile = 1; tile <= 12; ++tile) {
        for (std::int32_t overlap = 0; overlap < tile; ++overlap) {
          const auto layout = TileLayout::create({tile, cells}, {tile, tile}, overlap, 1, profile);
          REQUIRE(layout);
          CAPTURE(cells);
          CAPTURE(tile);
          CAPTURE(overlap);
          CHECK(axis_is_whole(*layout, cells));
          ++layouts;
          // The count and the places of the rule, in doubles.
          if (cells <= tile) continue;
          const int count = static_cast<int>(std::ceil(static_cast<double>(cells - tile) / (tile - overlap))) + 1;
          CHECK(layout->columns() == count);
          for (int i = 0; i < count; ++i) {
            const double place = static_cast<double>(i) * (cells - tile) / (count - 1);
            CHECK(layout->tile_cells(i).left == static_cast<std::int32_t>(std::nearbyint(place)));
          }
          CHECK(layout->overlap_reached().width >= overlap);
          std::int32_t least = tile;
          for (int i = 0; i + 1 < count; ++i) {
            const std::int32_t shared = layout->tile_cells(i).left + tile - layout->tile_cells(i + 1).left;
            least = shared < least ? shared : least;
          }
          CHECK(layout->overlap_reached().width == least);
        }
      }
    }
  }
  CHECK(layouts == std::size_t{2} * 40 * 78);
}

constexpr bool which_tiles_cover_a_cell() {
  const auto layout = TileLayout::create({96, 160}, {64, 64}, 16, 1);
  EXPECT(layout->rows() == 2 && layout->columns() == 3);  // tops 0, 32; lefts 0, 48, 96
  EXPECT(layout->tile_rows_at(31).first == 0 && layout->tile_rows_at(31).count == 1);
  EXPECT(layout->tile_rows_at(32).first == 0 && layout->tile_rows_at(32).count == 2);
  EXPECT(layout->tile_rows_at(64).first == 1 && layout->tile_rows_at(64).count == 1);
  EXPECT(layout->tile_columns_at(48).count == 2 && layout->tile_columns_at(64).first == 1);
  EXPECT(layout->tile_columns_at(-1).count == 0 && layout->tile_columns_at(160).count == 0);
  std::int32_t covered = 0;
  for (std::int32_t i = -1; i <= 6; ++i) covered += layout->covers(i, 40, 100) ? 1 << (i + 1) : 0;
  EXPECT(covered == ((1 << 2) + (1 << 3) + (1 << 5) + (1 << 6)));  // tiles 1, 2, 4, 5
  EXPECT(!layout->covers(0, 64, 0) && !layout->covers(0, 0, -1));
  return true;
}
BOTH_TIMES(which_tiles_cover_a_cell)

/// A number made from every weight of a layout.
constexpr std::uint64_t all_weights(TileProfile profile, std::int32_t height) {
  std::uint64_t digest = 0;
  const auto layout = TileLayout::create({height, 17}, {6, 8}, 3, 1, profile);
  for (std::int32_t i = 0; i < layout->size(); ++i) {
    const Tile tile = layout->tile_cells(i);
    for (std::int32_t row = tile.top; row < tile.top + tile.height; ++row) {
      for (std::int32_t column = tile.left; column < tile.left + tile.width; ++column) {
        digest = (digest ^ static_cast<std::uint64_t>(layout->weight(i, row, column))) * 0x9E3779B97F4A7C15U;
      }
    }
  }
  return digest;
}
TEST_CASE("weights are the same at compile time and at run time") {
  constexpr std::uint64_t cosine = all_weights(TileProfile::cosine, 13);
  constexpr std::uint64_t linear = all_weights(TileProfile::linear, 13);
  const volatile std::int32_t not_foreseen = 13;
  CHECK(all_weights(TileProfile::cosine, not_foreseen) == cosine);
  CHECK(all_weights(TileProfile::linear, not_foreseen) == linear);
  CHECK(cosine != linear);
}

TEST_CASE("large layouts: prime canvases, half-tile overlaps and more, 65536 cells a side") {
  hunyuan_reso_test::Random random(7);
  for (int i = 0; i < 60; ++i) {
    const auto cells = static_cast<std::int32_t>(1 + random.below(i < 2 ? 65536 : 2048));
    const auto tile = static_cast<std::int32_t>(1 + random.below(160));
    const auto overlap = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(tile < 97 ? tile : 97)));
    const auto layout = TileLayout::create({tile, cells}, {tile, tile}, overlap, 1);
    REQUIRE(layout);
    CAPTURE(cells);
    CAPTURE(tile);
    CAPTURE(overlap);
    CHECK(axis_is_whole(*layout, cells));
  }
  for (const std::int32_t cells : {65521, 65536}) {
    const auto layout = TileLayout::create({64, cells}, {64, 64}, 16, 1);
    REQUIRE(layout);
    CHECK(axis_is_whole(*layout, cells));
    CHECK(layout->tile_cells(layout->columns() - 1).left + 64 == cells);
  }
}

TEST_CASE("weights of smaller cells add up to exactly one, too") {
  for (const std::int32_t cells : {60, 64, 65, 79, 97, 128, 135, 240, 251}) {
    const auto layout = TileLayout::create({64 * 16, cells * 16}, {64 * 16, 64 * 16}, 16 * 16, 16);
    REQUIRE(layout);
    for (const std::int32_t pixels : {1, 4}) {
      const auto finer = layout->with_cells_of(pixels);
      REQUIRE(finer);
      CHECK(axis_is_whole(*finer, cells * 16 / pixels));
    }
  }
}

TEST_CASE("in two dimensions, too, and a constant stays that constant to the last bit") {
  const auto layout = TileLayout::create({97, 61}, {24, 16}, 5, 1);
  REQUIRE(layout);
  const float constant = 0.7320508F;
  for (std::int32_t row = 0; row < 97; ++row) {
    for (std::int32_t column = 0; column < 61; ++column) {
      std::int64_t sum = 0;
      double blended = 0.0;
      for (std::int32_t i = 0; i < layout->size(); ++i) {
        const std::int32_t weight = layout->weight(i, row, column);
        CHECK(static_cast<std::int32_t>(static_cast<float>(weight)) == weight);
        sum += weight;
        blended += static_cast<double>(weight) / TileLayout::weight_one * static_cast<double>(constant);
      }
      REQUIRE(sum == TileLayout::weight_one);
      REQUIRE(static_cast<float>(blended) == constant);
    }
  }
}

TEST_CASE("shares follow the profile: within two units of the real numbers") {
  for (const TileProfile profile : {TileProfile::cosine, TileProfile::linear}) {
    const auto layout = TileLayout::create({64, 240}, {64, 64}, 16, 1, profile);
    REQUIRE(layout);
    for (std::int32_t cell = 0; cell < 240; ++cell) {
      double total = 0.0;
      double real[8] = {};
      for (std::int32_t i = 0; i < layout->columns(); ++i) {
        const std::int32_t j = cell - layout->tile_cells(i).left;
        if (j < 0 || j >= 64) continue;
        const double x = std::fmin(1.0, std::fmin(j + 1.0, 64.0 - j) / 16.0);
        real[i] = profile == TileProfile::cosine ? 0.5 - 0.5 * std::cos(pi * x) : x;
        total += real[i];
      }
      for (std::int32_t i = 0; i < layout->columns(); ++i) {
        CHECK(std::fabs(layout->column_share(i, cell) - 4096.0 * real[i] / total) <= 2.0);
      }
    }
  }
}

}  // namespace
