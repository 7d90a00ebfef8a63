// SPDX-License-Identifier: MIT
#include "tools/recording.hpp"

#include <cmath>  // trunc

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;
using hr::Slice;
using hr::TokenId;

// Where a grid of `cells` rows or columns starts on the diagonal, and its position number `offset`; halves truncate.
std::int64_t grid_position(std::int64_t start, std::int64_t height, std::int64_t width, std::int64_t cells,
                           std::int64_t offset) {
  const float first = static_cast<float>(start) + static_cast<float>(width * height - cells) / 2;
  return static_cast<std::int64_t>(std::trunc(first + static_cast<float>(offset)));
}

at::Tensor positions_of(const std::vector<std::int32_t>& positions) {
  return at::tensor(std::vector<std::int64_t>(positions.begin(), positions.end()), at::kLong).unsqueeze(0);
}

// A mask [1, length] that is true in the slices.
at::Tensor mask_of(const std::vector<Slice>& slices, std::int64_t length) {
  at::Tensor mask = at::zeros({1, length}, at::kBool);
  for (const Slice& slice : slices) mask.narrow(1, slice.start, slice.length()).fill_(true);
  return mask;
}

// What a recording says of its images besides the ids: grids, and which run is generated.
class ImageReader {
 public:
  ImageReader(const hr::ModelProfile& profile, std::vector<TokenId> ids, at::Tensor sections, at::Tensor generated)
      : profile_(profile), ids_(std::move(ids)), sections_(std::move(sections)), generated_(std::move(generated)) {}

  hr::TokenLayout read() {
    std::vector<hr::ImageInfo> images;
    const std::int64_t count = sections_.defined() ? sections_.size(0) : 0;
    for (std::int64_t i = 0; i < count; ++i) {
      hr::ImageInfo image = header(start(i));
      const bool is_generated = generated_.defined() && generated_[0][start(i)].item<bool>();
      const bool is_joint = id_at(stop(i)) == profile_.special.joint_img_sep && i + 1 < count;
      const bool is_vit = !is_generated && !is_joint && !image.add_image_shape_token && !image.add_timestep_token;
      image.kind = is_generated ? hr::ImageKind::generated
                   : is_joint   ? hr::ImageKind::cond_joint
                   : is_vit     ? hr::ImageKind::cond_vit
                                : hr::ImageKind::cond_vae;
      if (!is_vit) {
        image.image_token_length = stop(i) - start(i);
        image.token_height = side(i, 2);
        image.token_width = side(i, 3);
        if (is_joint) ++i;
      }
      if (is_vit || is_joint) {
        std::int64_t end = start(i);
        while (id_at(end) == profile_.special.img) ++end;
        image.vit_token_length = end - start(i);  // padded slots are not part of the section
        image.vit_token_height = side(i, 2);
        image.vit_token_width = side(i, 3);
      }
      images.push_back(image);
    }
    hr::SequenceReading reading;
    reading.images = images.data();
    reading.image_count = images.size();
    if (images.empty()) reading = {};
    return require(hr::read_sequence(profile_, ids_.data(), ids_.size(), reading), "the recorded sequence");
  }

 private:
  [[nodiscard]] std::int64_t start(std::int64_t i) const { return sections_[i][0].item<std::int64_t>(); }
  [[nodiscard]] std::int64_t stop(std::int64_t i) const { return sections_[i][1].item<std::int64_t>(); }
  [[nodiscard]] std::int32_t side(std::int64_t i, std::int64_t k) const {
    return static_cast<std::int32_t>(sections_[i][k].item<std::int64_t>());
  }
  [[nodiscard]] TokenId id_at(std::int64_t i) const {
    return i >= 0 && i < static_cast<std::int64_t>(ids_.size()) ? ids_[static_cast<std::size_t>(i)] : -1;
  }

  // The tokens between <boi> and a run that starts at `run`.
  hr::ImageInfo header(std::int64_t run) const {
    hr::ImageInfo image;
    image.add_timestep_token = image.add_image_shape_token = false;
    for (std::int64_t i = run - 1; i >= 0 && id_at(i) != profile_.special.boi; --i) {
      const auto base_size = hr::base_size_of(profile_, id_at(i));
      const auto ratio_index = hr::ratio_index_of(profile_, id_at(i));
      image.add_timestep_token = image.add_timestep_token || id_at(i) == profile_.special.timestep;
      image.add_guidance_token = image.add_guidance_token || id_at(i) == profile_.special.guidance;
      image.add_timestep_r_token = image.add_timestep_r_token || id_at(i) == profile_.special.timestep_r;
      if (ratio_index) image.ratio_index = *ratio_index;
      if (base_size) image.base_size = *base_size;
      image.add_image_shape_token = image.add_image_shape_token || base_size.has_value();
    }
    return image;
  }

  const hr::ModelProfile& profile_;
  std::vector<TokenId> ids_;
  at::Tensor sections_, generated_;
};

at::Tensor require_ids(const at::Tensor& ids, std::int64_t vocab_size, const std::string& name) {
  if (ids.dim() != 2 || ids.scalar_type() != at::kLong || ids.numel() == 0 || ids.min().item<std::int64_t>() < 0 ||
      ids.max().item<std::int64_t>() >= vocab_size) {
    throw Error(name + ": not token ids [rows, tokens] below " + std::to_string(vocab_size));
  }
  return ids;
}

hr::TokenLayout read_row(CheckContext& context, const std::string& prefix, const at::Tensor& ids,
                         const at::Tensor& generated) {
  const at::Tensor sections = context.comparison.optional_input(prefix + "rope_sections");
  const auto host = [](const at::Tensor& x) { return x.defined() ? x.to(at::kCPU) : x; };
  const at::Tensor row = host(ids)[0].contiguous();
  const auto* begin = row.data_ptr<std::int64_t>();
  std::vector<TokenId> values;
  for (std::int64_t i = 0; i < row.numel(); ++i) values.push_back(static_cast<TokenId>(begin[i]));
  hr::TokenLayout layout = ImageReader(context.profile, std::move(values), host(sections), host(generated)).read();
  context.comparison.compare_exactly("library." + prefix + "positions_yx", position_tensor(context.profile, layout),
                                     section_positions(sections, row.numel()));
  return layout;
}

}  // namespace

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

RecordedImage recorded_image(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  const at::Tensor ids =
      require_ids(comparison.input(prefix + "input_ids"), context.model.config.vocab_size, prefix + "input_ids");
  const at::Tensor generated = comparison.input(prefix + "gen_image_mask");
  RecordedImage image;
  image.layout = read_row(context, prefix, ids, generated);
  image.sequence = image_sequence(context.profile, ids, image.layout, context.model.options.device);
  image.sequence.mask = comparison.input(prefix + "step0.attention_mask");

  const std::string name = "library." + prefix;
  const std::int64_t length = ids.size(1), rows = ids.size(0);
  const at::Tensor mask =
      mask_tensor(attention_layout(context.profile, image.layout), {0, image.layout.length}, length);
  comparison.compare_exactly(name + "attention_mask", mask.expand({rows, -1, -1, -1}), image.sequence.mask);
  const auto slices = image.layout.image_slices(hr::ImageRunKind::generated);
  comparison.compare_exactly(name + "gen_image_mask", mask_of(slices, length).expand({rows, -1}), generated);
  const std::pair<const char*, const std::vector<std::int32_t>*> scalars[] = {
      {"timesteps_index", &image.layout.gen_timestep_positions},
      {"guidance_index", &image.layout.guidance_positions},
      {"timesteps_r_index", &image.layout.timestep_r_positions}};
  for (const auto& [leaf, positions] : scalars) {
    const at::Tensor recorded = comparison.optional_input(prefix + leaf);
    if (recorded.defined())
      comparison.compare_exactly(name + leaf, positions_of(*positions).expand({rows, -1}), recorded);
  }
  return image;
}

RecordedPrompt recorded_prompt(CheckContext& context, const std::string& prefix, std::int64_t room) {
  Comparison& comparison = context.comparison;
  RecordedPrompt prompt;
  prompt.ids =
      require_ids(comparison.input(prefix + "input_ids"), context.model.config.vocab_size, prefix + "input_ids");
  prompt.layout = read_row(context, prefix, prompt.ids, {});
  prompt.rope = rotary_table(context.profile, position_tensor(context.profile, prompt.layout, room),
                             context.model.options.device);
  const at::Tensor mask =
      mask_tensor(attention_layout(context.profile, prompt.layout), {0, prompt.layout.length}, prompt.ids.size(1));
  comparison.compare_exactly("library." + prefix + "attention_mask", mask, comparison.input(prefix + "attention_mask"));
  return prompt;
}

ConditioningImages recorded_conditioning(CheckContext& context, const std::string& prefix,
                                         const hr::TokenLayout& layout) {
  Comparison& comparison = context.comparison;
  const std::string name = "library." + prefix;
  const auto compare_mask = [&](const std::string& leaf, hr::ImageRunKind kind) {
    const at::Tensor mask = comparison.optional_input(prefix + leaf);
    if (!mask.defined()) return;
    comparison.compare_exactly(name + leaf, mask_of(layout.image_slices(kind), layout.length).expand_as(mask), mask);
  };
  compare_mask("cond_vae_image_mask", hr::ImageRunKind::vae);
  compare_mask("cond_vit_image_mask", hr::ImageRunKind::vit);
  const at::Tensor timesteps = comparison.optional_input(prefix + "cond_timesteps_index");
  if (timesteps.defined()) {
    comparison.compare_exactly(name + "cond_timesteps_index",
                               positions_of(layout.cond_timestep_positions).expand_as(timesteps), timesteps);
  }
  ConditioningImages images;
  images.vit_pixel_values = comparison.optional_input(prefix + "vit_pixel_values");
  images.vit_grids = comparison.optional_input(prefix + "vit_spatial_shapes");
  images.vit_mask = comparison.optional_input(prefix + "vit_attention_mask");
  // One tensor for images of one size, or numbered tensors for several sizes.
  for (const auto& [recorded, entry] : comparison.recorded().entries()) {
    if (recorded.rfind(prefix + "cond_latents", 0) != 0) continue;
    for (const at::Tensor& latents : comparison.input(recorded).split(1)) images.latents.push_back(latents);
  }
  return images;
}

}  // namespace hunyuan_generate
