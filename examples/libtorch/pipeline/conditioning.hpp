// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_CONDITIONING_HPP
#define HUNYUAN_GENERATE_CONDITIONING_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <hunyuan_reso/hunyuan_reso.hpp>

namespace hunyuan_generate {

/// How a picture is resized; both look at several pixels where it gets smaller.
enum class ResizeFilter { bilinear, lanczos };

/// Resizes uint8 [h, w, 3] as Pillow does: weights in fixed point, columns first, each pass rounded to 8 bits. The
/// published preprocessing does so, and float arithmetic differs from it by a level here and there.
at::Tensor resize_picture(const at::Tensor& pixels, std::int64_t height, std::int64_t width, ResizeFilter filter);

/// A conditioning picture as the VAE encoder takes it, still in 8 bits: resized to cover the row and cut at the centre,
/// or, with output alignment, stretched. uint8 [h, w, 3].
at::Tensor vae_picture(const at::Tensor& pixels, hunyuan_reso::Resolution row, bool align_output);
/// The encoder's input of it, float32 [1, 3, h, w], -1 .. 1.
at::Tensor vae_input(const at::Tensor& picture);

/// The vision tower's input of a picture.
struct VisionInput {
  at::Tensor patches;  ///< uint8 [rows * columns, patch * patch * 3], row by row; in a patch: row, column, channel
  at::Tensor pixels;   ///< float32 [1, slots, patch * patch * 3], -1 .. 1; zeros behind the true patches
  at::Tensor grid;     ///< int64 [1, 2], rows and columns
  at::Tensor mask;     ///< int64 [1, slots], 1 at the true patches
};
VisionInput vision_input(const at::Tensor& pixels, hunyuan_reso::Resolution grid, std::int64_t patch,
                         std::int64_t slots);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_CONDITIONING_HPP
