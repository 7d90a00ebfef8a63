// SPDX-License-Identifier: MIT
#include "recording.hpp"

#include <cmath>    // trunc
#include <cstdio>   // printf
#include <fstream>  // ifstream
#include <nlohmann/json.hpp>

#include "error.hpp"

namespace hunyuan_generate {
namespace {

// Positions of the true entries of a mask [B, S], [B, n]; every row must have as many.
at::Tensor true_positions(const at::Tensor& mask, const std::string& name) {
  const at::Tensor counts = mask.sum(-1);
  if (mask.dim() != 2 || counts.ne(counts[0]).any().item<bool>()) {
    throw Error(name + ": not a mask [rows, tokens] with as many true entries in every row");
  }
  return mask.nonzero().select(1, 1).view({mask.size(0), -1});
}

// Where a grid of `cells` rows or columns starts on the diagonal, and its position number `offset`; halves truncate.
std::int64_t grid_position(std::int64_t start, std::int64_t height, std::int64_t width, std::int64_t cells,
                           std::int64_t offset) {
  const float first = static_cast<float>(start) + static_cast<float>(width * height - cells) / 2;
  return static_cast<std::int64_t>(std::trunc(first + static_cast<float>(offset)));
}

// A sequence that the library cannot rebuild (a token without a published text, say) is compared as it was recorded.
template <class Function>
void with_library(const CheckContext& context, const std::string& prefix, Function&& rebuild) {
  if (!context.library) return;
  try {
    rebuild();
  } catch (const Error& error) {
    std::printf("library.%s not rebuilt: %s\n", prefix.c_str(), error.what());
  }
}

void require_ids(const at::Tensor& ids, std::int64_t vocab_size, const std::string& name) {
  if (ids.dim() != 2 || ids.scalar_type() != at::kLong || ids.numel() == 0 || ids.min().item<std::int64_t>() < 0 ||
      ids.max().item<std::int64_t>() >= vocab_size) {
    throw Error(name + ": not token ids [rows, tokens] below " + std::to_string(vocab_size));
  }
}

}  // namespace

std::vector<std::pair<std::int64_t, std::int64_t>> read_ratio_slices(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "special_tokens.json";
  std::vector<std::pair<std::int64_t, std::int64_t>> slices;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return slices;
  try {
    const nlohmann::json json = nlohmann::json::parse(stream);
    for (const auto& slice : json.at("ratio_slices")) {
      slices.emplace_back(slice.at(0).get<std::int64_t>(), slice.at(1).get<std::int64_t>());
    }
  } catch (const nlohmann::json::exception&) {
    throw Error(path.string() + ": no JSON object with 'ratio_slices', a list of pairs");
  }
  return slices;
}

at::Tensor section_positions(const at::Tensor& sections, std::int64_t length) {
  std::vector<std::int64_t> pairs;
  std::int64_t next = 0;
  const auto text_until = [&](std::int64_t stop) {
    for (; next < stop; ++next) pairs.insert(pairs.end(), {next, next});
  };
  const at::Tensor host = sections.defined() ? sections.to(at::kCPU).contiguous() : at::empty({0, 4}, at::kLong);
  for (std::int64_t i = 0; i < host.size(0); ++i) {
    const auto* section = host.data_ptr<std::int64_t>() + 4 * i;
    const std::int64_t start = section[0], height = section[2], width = section[3];
    if (start < 0 || height < 1 || width < 1 || start > length || height > length || width > length) {
      throw Error("an image section of the position table lies outside the sequence");
    }
    text_until(start);
    for (std::int64_t cell = 0; cell < height * width; ++cell) {
      pairs.push_back(grid_position(start, height, width, height, cell / width));
      pairs.push_back(grid_position(start, height, width, width, cell % width));
    }
    next = start + height * width;
  }
  text_until(length);
  const auto rows = static_cast<std::int64_t>(pairs.size() / 2);
  return at::tensor(pairs, at::kLong).view({rows, 2}).narrow(0, 0, length);
}

ImageSequence image_sequence(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  const ModelConfig& config = context.model.config;
  const at::Tensor latents = comparison.input(prefix + "init_latents");
  ImageSequence sequence;
  sequence.input_ids = comparison.input(prefix + "input_ids");
  require_ids(sequence.input_ids, config.vocab_size, prefix + "input_ids");
  sequence.attention_mask = comparison.input(prefix + "step0.attention_mask");
  sequence.image_positions = true_positions(comparison.input(prefix + "gen_image_mask"), prefix + "gen_image_mask");
  sequence.timestep_position = comparison.input(prefix + "timesteps_index");
  sequence.guidance_position = comparison.optional_input(prefix + "guidance_index");
  sequence.timestep_r_position = comparison.optional_input(prefix + "timesteps_r_index");
  if (latents.dim() != 4) throw Error(prefix + "init_latents: not of shape [1, channels, height, width]");
  sequence.grid_height = latents.size(2);
  sequence.grid_width = latents.size(3);
  const at::Tensor positions =
      section_positions(comparison.optional_input(prefix + "rope_sections"), sequence.input_ids.size(1));
  sequence.rope = rotary_table(positions, config.head_dim, config.rope_theta, context.model.options.device);
  with_library(context, prefix, [&] { use_library(context, prefix, sequence); });
  return sequence;
}

ConditioningImages conditioning_images(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  const auto positions = [&](const std::string& name) {
    const at::Tensor mask = comparison.optional_input(prefix + name);
    return mask.defined() ? true_positions(mask, prefix + name) : mask;
  };
  ConditioningImages images;
  images.vae_positions = positions("cond_vae_image_mask");
  images.vit_positions = positions("cond_vit_image_mask");
  images.timestep_positions = comparison.optional_input(prefix + "cond_timesteps_index");
  images.vit_pixel_values = comparison.optional_input(prefix + "vit_pixel_values");
  images.vit_grids = comparison.optional_input(prefix + "vit_spatial_shapes");
  images.vit_mask = comparison.optional_input(prefix + "vit_attention_mask");
  // One tensor for images of one size, or numbered tensors for several sizes.
  for (const auto& [name, entry] : comparison.recorded().entries()) {
    if (name.rfind(prefix + "cond_latents", 0) == 0) images.latents.push_back(comparison.input(name));
  }
  return images;
}

TextPrompt text_prompt(CheckContext& context, const std::string& prefix, std::int64_t room) {
  Comparison& comparison = context.comparison;
  const ModelConfig& config = context.model.config;
  TextPrompt prompt;
  prompt.ids = comparison.input(prefix + "input_ids");
  require_ids(prompt.ids, config.vocab_size, prefix + "input_ids");
  prompt.mask = comparison.input(prefix + "attention_mask");
  const at::Tensor positions =
      section_positions(comparison.optional_input(prefix + "rope_sections"), prompt.ids.size(1) + room);
  prompt.rope = rotary_table(positions, config.head_dim, config.rope_theta, context.model.options.device);
  prompt.conditioning = conditioning_images(context, prefix);
  with_library(context, prefix, [&] { use_library(context, prefix, room, prompt); });
  return prompt;
}

}  // namespace hunyuan_generate
