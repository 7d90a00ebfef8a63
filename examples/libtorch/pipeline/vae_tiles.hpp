// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_VAE_TILES_HPP
#define HUNYUAN_GENERATE_VAE_TILES_HPP

#include <ATen/ATen.h>  // Tensor

#include <functional>  // function
#include <hunyuan_reso/hunyuan_reso.hpp>

namespace hunyuan_generate {

// Image encoder and decoder over a canvas, tile by tile. What they need of memory is that of one tile, whatever the
// canvas; on the device nothing else is kept. Their group norms and their attention see one tile at a time, so a tile's
// colours can differ a little from those of the whole picture at once; over the overlap the tiles are blended with the
// layout's weights.

/// Weights of a tile's cells, binary64 [h, w]: whole numbers that add up to weight_one over all tiles.
at::Tensor tile_weights(const hunyuan_reso::TileLayout& tiles, std::int32_t index);

/// Latents [1, C, h, w] of a tile to its image [1, 3, H, W], about -1 .. 1.
using TileDecoder = std::function<at::Tensor(const at::Tensor& latents)>;
/// A tile's image, float32 [1, 3, H, W] on the CPU, to anything that has one column of numbers a latent: [1, n, h, w].
using TileEncoder = std::function<at::Tensor(const at::Tensor& image)>;

/// A canvas's latents to its pixels, uint8 [H, W, 3] on the CPU. `tiles` may have cells of any size that a latent's
/// pixels are made of; `latent_pixels` is the side of a latent in pixels. With one tile the pixels are those of
/// to_pixels(decode(latents)). Throws Error where a value is not finite or a tile comes out in another size.
at::Tensor decode_tiles(const hunyuan_reso::TileLayout& tiles, std::int32_t latent_pixels, const at::Tensor& latents,
                        const TileDecoder& decode);

/// A canvas's pixels, uint8 [H, W, 3], to what the encoder makes of them, float32 [1, n, h, w] on the CPU.
at::Tensor encode_tiles(const hunyuan_reso::TileLayout& tiles, std::int32_t latent_pixels, const at::Tensor& pixels,
                        const TileEncoder& encode);

/// A picture that wraps round: its last `columns` columns, which go on behind the right edge, are blended into the
/// first ones and cut off, uint8 [h, w, 3] to [h, w - columns, 3].
at::Tensor wrap_round(const at::Tensor& pixels, std::int64_t columns);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_VAE_TILES_HPP
