// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_RECORDING_HPP
#define HUNYUAN_GENERATE_RECORDING_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <hunyuan_reso/hunyuan_reso.hpp>
#include <string>  // string
#include <vector>  // vector

#include "adapter/adapter.hpp"
#include "model/denoiser.hpp"
#include "model/model.hpp"
#include "tools/comparison.hpp"

namespace hunyuan_generate {

/// What the check of one folder runs with.
struct CheckContext {
  const Model& model;
  Comparison& comparison;
  ComputeOptions options;
  hunyuan_reso::ModelProfile profile;  ///< with the ids of the recorded vocabulary
};

/// Position pairs (y, x) of `length` tokens, int64 [length, 2], by a formula of their own. `sections` is int64 [n, 4],
/// each an image's start, stop, grid height and grid width; undefined = text only.
at::Tensor section_positions(const at::Tensor& sections, std::int64_t length);

// The recorded ids of a case, read with the library; what it finds in them (positions, masks, slices) is compared with
// what was recorded, in rows "library.*".

/// The sequence of an image case and its layout. `prefix` ends in a dot.
struct RecordedImage {
  ImageSequence sequence;
  hunyuan_reso::TokenLayout layout;
};
RecordedImage recorded_image(CheckContext& context, const std::string& prefix);
/// The prompt of a text case, with rotary angles for `room` more tokens.
struct RecordedPrompt {
  at::Tensor ids;
  hunyuan_reso::TokenLayout layout;
  RotaryTable rope;
};
RecordedPrompt recorded_prompt(CheckContext& context, const std::string& prefix, std::int64_t room);
/// The conditioning images of a case; everything empty when it has none.
ConditioningImages recorded_conditioning(CheckContext& context, const std::string& prefix,
                                         const hunyuan_reso::TokenLayout& layout);

/// Runs every case recorded in the comparison's file.
void check_cases(CheckContext& context);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_RECORDING_HPP
