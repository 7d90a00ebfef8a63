// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_RECORDING_HPP
#define HUNYUAN_GENERATE_RECORDING_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>     // int64_t
#include <filesystem>  // path
#include <string>      // string
#include <utility>     // pair
#include <vector>      // vector

#include "comparison.hpp"
#include "denoiser.hpp"
#include "model.hpp"
#include "vocabulary.hpp"

namespace hunyuan_generate {

/// What the check runs with.
struct CheckContext {
  const Model& model;
  Comparison& comparison;
  ComputeOptions options;
  std::vector<std::pair<std::int64_t, std::int64_t>> ratio_slices;  ///< [start, stop) in the vocabulary
  Vocabulary vocabulary;                                            ///< between these numbers and the library's
  bool library = true;  ///< sequences whose ids the vocabulary names are rebuilt with the library
};

/// A prompt of text mode.
struct TextPrompt {
  at::Tensor ids;    ///< int64 [1, S]
  at::Tensor mask;   ///< bool [1, 1, S, S]
  RotaryTable rope;  ///< [1, S + room, D]
  ConditioningImages conditioning;
};

/// The ratio slices of special_tokens.json; empty when the folder has no such file. Throws Error when it is malformed.
std::vector<std::pair<std::int64_t, std::int64_t>> read_ratio_slices(const std::filesystem::path& folder);

/// Position pairs (y, x) of `length` tokens, int64 [length, 2]. `sections` is int64 [n, 4], each an image's start,
/// stop, grid height and grid width; undefined = text only.
at::Tensor section_positions(const at::Tensor& sections, std::int64_t length);

// These three functions decide where ids, positions and masks come from: here, from the recorded inputs of a case
// (`prefix` ends in a dot). Whatever they do not take as an input is compared when it was recorded.

/// The sequence of an image case.
ImageSequence image_sequence(CheckContext& context, const std::string& prefix);
/// The conditioning images of a case; everything undefined when it has none.
ConditioningImages conditioning_images(CheckContext& context, const std::string& prefix);
/// The prompt of a text case, with rotary angles for `room` more tokens.
TextPrompt text_prompt(CheckContext& context, const std::string& prefix, std::int64_t room);

// Rebuild the sequence of a case with the library, compare it with the recorded one (rows "library.*"), and replace
// rotary tables and attention by the library's.

void use_library(CheckContext& context, const std::string& prefix, ImageSequence& sequence);
void use_library(CheckContext& context, const std::string& prefix, std::int64_t room, TextPrompt& prompt);

// One function a kind of case; each compares everything recorded under `prefix`.

void check_image_case(CheckContext& context, const std::string& prefix);
void check_text_case(CheckContext& context, const std::string& prefix);
void check_rope_case(CheckContext& context, const std::string& prefix);
void check_embedder_case(CheckContext& context, const std::string& prefix);
void check_moe_case(CheckContext& context, const std::string& prefix);
void check_schedule_case(CheckContext& context, const std::string& prefix);
void check_vae_decode_case(CheckContext& context, const std::string& prefix);
/// Expects pixels [1, 3, H, W] and noise [1, C, h, w]; compares moments [1, 2C, h, w] and latents [1, C, h, w].
void check_vae_encode_case(CheckContext& context, const std::string& prefix);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_RECORDING_HPP
