// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_REFEED_HPP
#define HUNYUAN_RESO_REFEED_HPP

#include "sequence.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// The positions that the denoising steps after the first feed again (backbone.md, section 10): the generated image's
/// <timestep>, <guidance> if the profile is distilled, <timestep_r> if it uses meanflow, then the <img> runs of all
/// generated images, as slices in this order; slices that touch are joined. With several generated images upstream
/// takes the scalar tokens of the last one. The rows of the mask at these positions are the later steps' mask.
/// Errc::no_generated_image, Errc::scalar_token_missing.
[[nodiscard]] inline Result<std::vector<Slice>> refeed_slices(const TokenSequence& sequence,
                                                              const ModelProfile& profile) {
  if (sequence.gen_timestep_positions.empty()) return Errc::no_generated_image;
  if (profile.cfg_distilled && sequence.guidance_positions.empty()) return Errc::scalar_token_missing;
  if (profile.use_meanflow && sequence.timestep_r_positions.empty()) return Errc::scalar_token_missing;
  std::vector<Slice> slices;
  const auto append = [&slices](Slice slice) {
    if (!slices.empty() && slices.back().stop == slice.start) {
      slices.back().stop = slice.stop;
    } else {
      slices.push_back(slice);
    }
  };
  const auto append_position = [&append](std::int32_t position) { append({position, position + 1}); };
  append_position(sequence.gen_timestep_positions.back());
  if (profile.cfg_distilled) append_position(sequence.guidance_positions.back());
  if (profile.use_meanflow) append_position(sequence.timestep_r_positions.back());
  for (const ImageRun& run : sequence.image_runs) {
    if (run.kind == ImageRunKind::generated) append(run.slice);
  }
  return slices;
}

/// The same, position by position.
[[nodiscard]] inline Result<std::vector<std::int32_t>> refeed_positions(const TokenSequence& sequence,
                                                                        const ModelProfile& profile) {
  const Result<std::vector<Slice>> slices = refeed_slices(sequence, profile);
  if (!slices) return slices.error();
  std::vector<std::int32_t> positions;
  for (const Slice& slice : *slices) {
    for (std::int32_t position = slice.start; position < slice.stop; ++position) positions.push_back(position);
  }
  return positions;
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_REFEED_HPP
