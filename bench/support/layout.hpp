// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_BENCH_SUPPORT_LAYOUT_HPP
#define HUNYUAN_RESO_BENCH_SUPPORT_LAYOUT_HPP

#include <hunyuan_reso/image_runs.hpp>

#include <cstdint>
#include <vector>

namespace hunyuan_reso_bench {

/// The image runs of a request of `length` tokens: up to three conditioning images of two runs each (a grid of 64 x 48
/// through the VAE, 32 x 32 through the ViT) with texts between them, and one square to generate near the end. Short
/// sequences get smaller grids.
inline std::vector<hunyuan_reso::ImageRun> image_runs(std::int32_t length) {
  using hunyuan_reso::ImageRunKind;
  std::vector<hunyuan_reso::ImageRun> runs;
  std::int32_t side = 64;
  while (2 * side * side > length) side /= 2;
  const std::int32_t generated = length - side * side - 4;
  std::int32_t position = 8;
  const std::int32_t joint = side * side / 4 * 3 + side * side / 4 + 1;
  for (int i = 0; i < 3 && position + joint + 16 <= generated; ++i) {
    const std::int32_t vae = side * (side / 4 * 3);
    runs.push_back({{position, position + vae}, ImageRunKind::vae, true, side, side / 4 * 3});
    position += vae + 1;
    const std::int32_t vit = side / 2 * (side / 2);
    runs.push_back({{position, position + vit}, ImageRunKind::vit, true, side / 2, side / 2});
    position += vit + 16;
  }
  runs.push_back({{generated, generated + side * side}, ImageRunKind::generated, false, side, side});
  return runs;
}

/// Lengths up to the position limit of the published checkpoints.
inline constexpr std::int64_t sequence_lengths[] = {1024, 2048, 4096, 8192, 16384, 22800};

}  // namespace hunyuan_reso_bench

#endif  // HUNYUAN_RESO_BENCH_SUPPORT_LAYOUT_HPP
