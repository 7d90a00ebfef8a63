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

inline at::Tensor positions_of(const std::vector<std::int32_t>& positions) {
  return at::tensor(std::vector<std::int64_t>(positions.begin(), positions.end()), at::kLong).unsqueeze(0);
}

// A mask [1, length] that is true in the slices.
inline at::Tensor mask_of(const std::vector<hunyuan_reso::Slice>& slices, std::int64_t length) {
  at::Tensor mask = at::zeros({1, length}, at::kBool);
  for (const hunyuan_reso::Slice& slice : slices) mask.narrow(1, slice.start, slice.length()).fill_(true);
  return mask;
}

// The sections of a recording, int64 [n, 4] on the CPU: start, stop, grid height and width of each image in a sequence
// of `length` tokens. Undefined stands for none. Throws Error that names them.
inline at::Tensor checked_sections(const std::string& name, const at::Tensor& sections, std::int64_t length) {
  if (!sections.defined()) return at::empty({0, 4}, at::kLong);
  const auto refuse = [&](const std::string& expected) { throw Error(name + ": expected " + expected); };
  if (sections.dim() != 2 || sections.size(1) != 4 || sections.scalar_type() != at::kLong) {
    refuse("int64 [images, 4]: start, stop, grid height, grid width");
  }
  const at::Tensor host = sections.to(at::kCPU).contiguous();
  for (std::int64_t i = 0; i < host.size(0); ++i) {
    const auto* values = host.data_ptr<std::int64_t>() + 4 * i;
    if (values[0] < 0 || values[1] < values[0] || values[1] > length) {
      refuse("sections inside the " + std::to_string(length) + " tokens");
    }
    if (values[2] < 0 || values[3] < 0 || values[2] > hunyuan_reso::max_side || values[3] > hunyuan_reso::max_side) {
      refuse("grid sides from 0 to " + std::to_string(hunyuan_reso::max_side));
    }
  }
  return host;
}

// Checked sections as runs of images; of kinds they say nothing.
inline std::vector<hunyuan_reso::ImageRun> runs_of(const at::Tensor& sections) {
  std::vector<hunyuan_reso::ImageRun> runs;
  for (std::int64_t i = 0; i < sections.size(0); ++i) {
    const auto* values = sections.data_ptr<std::int64_t>() + 4 * i;
    const auto number = [&](int k) { return static_cast<std::int32_t>(values[k]); };
    hunyuan_reso::ImageRun run;
    run.slice = {number(0), number(1)};
    run.token_height = number(2);
    run.token_width = number(3);
    runs.push_back(run);
  }
  return runs;
}

// What a recording says of its images besides the ids: grids, and which run is generated.
class ImageReader {
 public:
  ImageReader(const hunyuan_reso::ModelProfile& profile, std::vector<hunyuan_reso::TokenId> ids, at::Tensor sections,
              at::Tensor generated)
      : profile_(profile), ids_(std::move(ids)), sections_(std::move(sections)), generated_(std::move(generated)) {}

  hunyuan_reso::TokenLayout read() {
    std::vector<hunyuan_reso::ImageInfo> images;
    const std::int64_t count = sections_.size(0);
    for (std::int64_t i = 0; i < count; ++i) {
      hunyuan_reso::ImageInfo image = header(start(i));
      const bool is_generated = generated_.defined() && generated_[0][start(i)].item<bool>();
      const bool is_joint = id_at(stop(i)) == profile_.special.joint_img_sep && i + 1 < count;
      const bool is_vit = !is_generated && !is_joint && !image.add_image_shape_token && !image.add_timestep_token;
      image.kind = is_generated ? hunyuan_reso::ImageKind::generated
                   : is_joint   ? hunyuan_reso::ImageKind::cond_joint
                   : is_vit     ? hunyuan_reso::ImageKind::cond_vit
                                : hunyuan_reso::ImageKind::cond_vae;
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
    hunyuan_reso::SequenceReading reading;
    reading.images = images.data();
    reading.image_count = images.size();
    if (images.empty()) reading = {};
    return require(hunyuan_reso::read_sequence(profile_, ids_.data(), ids_.size(), reading), "the recorded sequence");
  }

 private:
  [[nodiscard]] std::int64_t start(std::int64_t i) const { return sections_[i][0].item<std::int64_t>(); }
  [[nodiscard]] std::int64_t stop(std::int64_t i) const { return sections_[i][1].item<std::int64_t>(); }
  [[nodiscard]] std::int32_t side(std::int64_t i, std::int64_t k) const {
    return static_cast<std::int32_t>(sections_[i][k].item<std::int64_t>());
  }
  [[nodiscard]] hunyuan_reso::TokenId id_at(std::int64_t i) const {
    return i >= 0 && i < static_cast<std::int64_t>(ids_.size()) ? ids_[static_cast<std::size_t>(i)] : -1;
  }

  // The tokens between <boi> and a run that starts at `run`.
  hunyuan_reso::ImageInfo header(std::int64_t run) const {
    hunyuan_reso::ImageInfo image;
    image.add_timestep_token = image.add_image_shape_token = false;
    for (std::int64_t i = run - 1; i >= 0 && id_at(i) != profile_.special.boi; --i) {
      const auto base_size = hunyuan_reso::base_size_of(profile_, id_at(i));
      const auto ratio_index = hunyuan_reso::ratio_index_of(profile_, id_at(i));
      image.add_timestep_token = image.add_timestep_token || id_at(i) == profile_.special.timestep;
      image.add_guidance_token = image.add_guidance_token || id_at(i) == profile_.special.guidance;
      image.add_timestep_r_token = image.add_timestep_r_token || id_at(i) == profile_.special.timestep_r;
      if (ratio_index) image.ratio_index = *ratio_index;
      if (base_size) image.base_size = *base_size;
      image.add_image_shape_token = image.add_image_shape_token || base_size.has_value();
    }
    return image;
  }

  const hunyuan_reso::ModelProfile& profile_;
  std::vector<hunyuan_reso::TokenId> ids_;
  at::Tensor sections_, generated_;
};

/// One recorded case: the tensors whose names start with `prefix`, which ends in a dot. Its ids are read with the
/// library; what that finds in them (masks, slices, runs of images) is compared with what was recorded, in rows
/// "library.*". Positions of such a case are not recorded: those of the runs that were found are compared with those of
/// the recorded sections, and the angles made of them with the recording.
class RecordedCase {
 public:
  RecordedCase(CheckContext& context, std::string prefix) : context_(context), prefix_(std::move(prefix)) {}

  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  [[nodiscard]] const Model& model() const { return context_.model; }
  [[nodiscard]] const hunyuan_reso::ModelProfile& profile() const { return context_.profile; }
  [[nodiscard]] const ComputeOptions& options() const { return context_.options; }
  [[nodiscard]] at::Device device() const { return context_.model.options.device; }

  // Those of the comparison, by the rest of the name.
  [[nodiscard]] bool has(const std::string& leaf) const { return context_.comparison.has(prefix_ + leaf); }
  /// Throws Error for a single number, which has no axes.
  [[nodiscard]] const std::vector<std::int64_t>& shape(const std::string& leaf) const {
    const std::vector<std::int64_t>& shape = context_.comparison.recorded().entries().at(prefix_ + leaf).shape;
    if (shape.empty()) throw Error(prefix_ + leaf + ": expected an array, but a single number was recorded");
    return shape;
  }

  [[nodiscard]] at::Tensor input(const std::string& leaf) const { return context_.comparison.input(prefix_ + leaf); }
  [[nodiscard]] at::Tensor optional_input(const std::string& leaf) const {
    return context_.comparison.optional_input(prefix_ + leaf);
  }

  void compare(const std::string& leaf, const at::Tensor& computed, Tolerance tolerance) const {
    context_.comparison.compare(prefix_ + leaf, computed, tolerance);
  }

  [[nodiscard]] Probe probe(Tolerance otherwise, const std::string& stage = {}) const {
    return context_.comparison.probe(prefix_ + stage, otherwise);
  }

  /// The schedule of an image case.
  [[nodiscard]] ScheduleTensors schedule() const {
    return schedule_tensors(input("num_steps").item<std::int64_t>(), input("flow_shift").item<double>());
  }

  /// Its loop, before the start.
  [[nodiscard]] Denoiser denoiser(const ScheduleTensors& schedule) const {
    const at::Tensor ids = this->ids(), generated = input("gen_image_mask");
    const hunyuan_reso::TokenLayout layout = layout_of(ids, generated);
    ImageSequence sequence = image_sequence(profile(), ids, layout, device());
    sequence.mask = input("step0.attention_mask");
    const std::int64_t length = ids.size(1);
    compare_rows(ids, "attention_mask", mask_tensor(attention_layout(profile(), layout), {0, layout.length}, length),
                 sequence.mask);
    compare_rows(ids, "gen_image_mask", mask_of(layout.image_slices(hunyuan_reso::ImageRunKind::generated), length),
                 generated);
    compare_rows(ids, "timesteps_index", positions_of(layout.gen_timestep_positions),
                 optional_input("timesteps_index"));
    compare_rows(ids, "guidance_index", positions_of(layout.guidance_positions), optional_input("guidance_index"));
    compare_rows(ids, "timesteps_r_index", positions_of(layout.timestep_r_positions),
                 optional_input("timesteps_r_index"));
    // Conditioning values are recorded partly at the case and partly at its first step.
    const Probe at_case = probe(Tolerance::timed), at_step = probe(Tolerance::timed, "step0.");
    const auto both = [&](const std::string& name, const at::Tensor& value) {
      at_case(name, value);
      at_step(name, value);
    };
    return {model(),  sequence, conditioning(ids, layout, both), schedule, input("guidance_scale").item<double>(),
            options()};
  }

  /// The prompt of a text case, with rotary angles for `room` more tokens.
  struct Prompt {
    at::Tensor ids;
    hunyuan_reso::TokenLayout layout;
    RotaryTable rope;
    std::vector<Overwrite> conditioning;
  };
  [[nodiscard]] Prompt prompt(std::int64_t room) const {
    const at::Tensor ids = this->ids();
    const hunyuan_reso::TokenLayout layout = layout_of(ids, at::Tensor());
    compare_library("attention_mask", mask_tensor(attention_layout(profile(), layout), {0, layout.length}, ids.size(1)),
                    input("attention_mask"));
    return {ids, layout, rotary_table(profile(), position_tensor(profile(), layout, room), device()),
            conditioning(ids, layout, probe(Tolerance::plain))};
  }

  /// Position pairs (y, x) of `length` tokens, int64 [length, 2], with images where the checked `sections` say.
  [[nodiscard]] at::Tensor positions(const at::Tensor& sections, std::int64_t length) const {
    hunyuan_reso::TokenLayout layout;
    layout.length = static_cast<std::int32_t>(length);
    layout.image_runs = runs_of(sections);
    return position_tensor(profile(), layout);
  }

 private:
  void compare_library(const std::string& leaf, const at::Tensor& computed, const at::Tensor& expected) const {
    if (expected.defined()) context_.comparison.compare_exactly("library." + prefix_ + leaf, computed, expected);
  }
  // The library reads one row; what it finds, [1, ..], holds for each row of the ids.
  void compare_rows(const at::Tensor& ids, const std::string& leaf, const at::Tensor& computed,
                    const at::Tensor& expected) const {
    std::vector<std::int64_t> shape = computed.sizes().vec();
    shape.front() = ids.size(0);
    compare_library(leaf, computed.expand(shape), expected);
  }

  [[nodiscard]] at::Tensor ids() const {
    const at::Tensor ids = input("input_ids");
    const std::int64_t vocabulary = model().config.vocab_size;
    if (ids.dim() != 2 || ids.scalar_type() != at::kLong || ids.numel() == 0 || ids.min().item<std::int64_t>() < 0 ||
        ids.max().item<std::int64_t>() >= vocabulary) {
      throw Error(prefix_ + "input_ids: not token ids [rows, tokens] below " + std::to_string(vocabulary));
    }
    return ids;
  }

  [[nodiscard]] hunyuan_reso::TokenLayout layout_of(const at::Tensor& ids, const at::Tensor& generated) const {
    const at::Tensor row = ids[0].to(at::kCPU, at::kInt).contiguous();
    const auto* first = row.data_ptr<std::int32_t>();
    const at::Tensor sections =
        checked_sections(prefix_ + "rope_sections", optional_input("rope_sections"), row.numel());
    hunyuan_reso::TokenLayout layout = ImageReader(profile(), {first, first + row.numel()}, sections,
                                                   generated.defined() ? generated.to(at::kCPU) : generated)
                                           .read();
    compare_library("positions_yx", position_tensor(profile(), layout), positions(sections, row.numel()));
    return layout;
  }

  // Vectors of the case's conditioning images; none when it has none.
  [[nodiscard]] std::vector<Overwrite> conditioning(const at::Tensor& ids, const hunyuan_reso::TokenLayout& layout,
                                                    const Probe& probe) const {
    const auto mask = [&](hunyuan_reso::ImageRunKind kind) {
      return mask_of(layout.image_slices(kind), layout.length);
    };
    compare_rows(ids, "cond_vae_image_mask", mask(hunyuan_reso::ImageRunKind::vae),
                 optional_input("cond_vae_image_mask"));
    compare_rows(ids, "cond_vit_image_mask", mask(hunyuan_reso::ImageRunKind::vit),
                 optional_input("cond_vit_image_mask"));
    compare_rows(ids, "cond_timesteps_index", positions_of(layout.cond_timestep_positions),
                 optional_input("cond_timesteps_index"));
    ConditioningImages images;
    images.vit_pixel_values = optional_input("vit_pixel_values");
    images.vit_grids = optional_input("vit_spatial_shapes");
    images.vit_mask = optional_input("vit_attention_mask");
    // One tensor for images of one size, or numbered tensors for several sizes.
    for (const auto& [name, entry] : context_.comparison.recorded().entries()) {
      if (name.rfind(prefix_ + "cond_latents", 0) != 0) continue;
      for (const at::Tensor& latents : context_.comparison.input(name).split(1)) images.latents.push_back(latents);
    }
    return conditioning_vectors(model(), layout, images, probe);
  }

  CheckContext& context_;
  std::string prefix_;
};

/// Runs every case recorded in the comparison's file.
void check_cases(CheckContext& context);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_RECORDING_HPP
