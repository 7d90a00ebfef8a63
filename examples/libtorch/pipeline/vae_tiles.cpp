// SPDX-License-Identifier: MIT
#include "pipeline/vae_tiles.hpp"

#include "adapter/adapter.hpp"
#include "model/vae.hpp"
#include "pipeline/conditioning.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

at::Tensor cut(const at::Tensor& canvas, const hr::Tile& tile, std::int64_t first_axis) {
  return canvas.narrow(first_axis, tile.top, tile.height).narrow(first_axis + 1, tile.left, tile.width);
}

hr::TileLayout with_cells_of(const hr::TileLayout& tiles, std::int32_t pixels) {
  return require(tiles.with_cells_of(pixels), "tiles of the image encoder and decoder");
}

at::Tensor blended(const at::Tensor& sums) {
  return (sums / static_cast<double>(hr::TileLayout::weight_one)).to(at::kFloat).unsqueeze(0);
}

at::Tensor checked(const at::Tensor& values, const hr::Tile& tile, const char* what) {
  if (values.dim() != 4 || values.size(2) != tile.height || values.size(3) != tile.width) {
    throw Error(std::string(what) + " of a tile is " + shape_text(values.sizes()) +
                ", expected a height and width of " + shape_text({tile.height, tile.width}));
  }
  if (!values.isfinite().all().item<bool>()) throw Error(std::string(what) + " of a tile is not finite");
  return values.to(at::kCPU, at::kDouble).squeeze(0);
}

}  // namespace

at::Tensor tile_weights(const hr::TileLayout& tiles, std::int32_t index) {
  const hr::Tile tile = tiles.tile_cells(index);
  at::Tensor rows = at::empty({tile.height, 1}, at::kDouble), columns = at::empty({1, tile.width}, at::kDouble);
  auto* row = rows.data_ptr<double>();
  auto* column = columns.data_ptr<double>();
  for (std::int32_t r = 0; r < tile.height; ++r) row[r] = tiles.row_share(index / tiles.columns(), tile.top + r);
  for (std::int32_t c = 0; c < tile.width; ++c) {
    column[c] = tiles.column_share(index % tiles.columns(), tile.left + c);
  }
  return rows * columns;
}

at::Tensor decode_tiles(const hr::TileLayout& tiles, std::int32_t latent_pixels, const at::Tensor& latents,
                        const TileDecoder& decode) {
  const hr::TileLayout in = with_cells_of(tiles, latent_pixels), out = with_cells_of(tiles, 1);
  const hr::Resolution size = out.canvas();
  const std::int32_t rows = out.tile_cells(0).height;
  at::Tensor pixels = at::empty({size.height, size.width, 3}, at::kByte);
  // Sums of one row of tiles. Rows of pixels above the next row of tiles are done; the others move up.
  at::Tensor band = at::zeros({3, rows, size.width}, at::kDouble);
  for (std::int32_t tile_row = 0; tile_row < out.rows(); ++tile_row) {
    const std::int32_t first = tile_row * out.columns(), top = out.tile_cells(first).top;
    for (std::int32_t i = first; i < first + out.columns(); ++i) {
      const hr::Tile place = out.tile_cells(i);
      const at::Tensor image = checked(decode(cut(latents, in.tile_cells(i), 2)), place, "the decoded image");
      band.narrow(2, place.left, place.width).add_(image * tile_weights(out, i));
    }
    const bool last = tile_row + 1 == out.rows();
    const std::int32_t done = last ? rows : out.tile_cells(first + out.columns()).top - top;
    pixels.narrow(0, top, done).copy_(to_pixels(blended(band.narrow(1, 0, done))).squeeze(0));
    if (last) break;
    const at::Tensor open = band.narrow(1, done, rows - done).clone();
    band.zero_();
    band.narrow(1, 0, rows - done).copy_(open);
  }
  return pixels;
}

at::Tensor encode_tiles(const hr::TileLayout& tiles, std::int32_t latent_pixels, const at::Tensor& pixels,
                        const TileEncoder& encode) {
  const hr::TileLayout in = with_cells_of(tiles, 1), out = with_cells_of(tiles, latent_pixels);
  const hr::Resolution size = out.canvas_cells();
  at::Tensor sums;
  for (std::int32_t i = 0; i < out.size(); ++i) {
    const hr::Tile place = out.tile_cells(i);
    const at::Tensor values =
        checked(encode(vae_input(cut(pixels, in.tile_cells(i), 0))), place, "what the image encoder gives");
    if (!sums.defined()) sums = at::zeros({values.size(0), size.height, size.width}, at::kDouble);
    cut(sums, place, 1).add_(values * tile_weights(out, i));
  }
  return blended(sums);
}

at::Tensor wrap_round(const at::Tensor& pixels, std::int64_t columns) {
  if (columns == 0) return pixels;
  const std::int64_t width = pixels.size(1) - columns;
  if (columns < 0 || width < columns) throw Error("a picture that wraps round is narrower than what is blended");
  const at::Tensor left = pixels.narrow(1, 0, columns).to(at::kFloat);
  const at::Tensor right = pixels.narrow(1, width, columns).to(at::kFloat);
  // At the edge itself stands what went on behind the right edge, then more and more of the left edge's own.
  const at::Tensor share = at::arange(columns, at::kFloat).div_(static_cast<double>(columns)).view({1, columns, 1});
  at::Tensor result = pixels.narrow(1, 0, width).clone();
  result.narrow(1, 0, columns).copy_((right + (left - right) * share).round().clamp(0, 255).to(at::kByte));
  return result;
}

}  // namespace hunyuan_generate
