// SPDX-License-Identifier: MIT
// Rebuilds the recorded sequences with the library: its blocks, positions, masks and positions fed again.
#include <tuple>    // tie
#include <utility>  // exchange, move

#include "adapter.hpp"
#include "recording.hpp"

namespace hunyuan_generate {
namespace {

using hunyuan_reso::ImageRunKind;
using hunyuan_reso::Section;
using hunyuan_reso::SectionKind;
using hunyuan_reso::TokenId;
namespace tokens = hunyuan_reso::tokens;

// Reads a recorded row back into the sections that it was built from.
class RowReader {
 public:
  // `grids`: [height, width] of each image run in order; `generated`: true at the tokens of the generated image.
  RowReader(std::vector<TokenId> ids, std::vector<std::pair<std::int32_t, std::int32_t>> grids,
            std::vector<bool> generated)
      : ids_(std::move(ids)), grids_(std::move(grids)), generated_(std::move(generated)) {}

  std::vector<Section> sections() {
    if (take(tokens::bos)) has_bos_ = true;
    while (next_ < ids_.size()) {
      if (ids_[next_] != tokens::boi || !read_image()) text_.push_back(ids_[next_++]);
    }
    end_text();
    return std::move(sections_);
  }
  [[nodiscard]] bool has_bos() const noexcept { return has_bos_; }

 private:
  bool take(TokenId token) {
    if (next_ == ids_.size() || ids_[next_] != token) return false;
    ++next_;
    return true;
  }
  std::int32_t take_run() {
    const std::size_t start = next_;
    while (take(tokens::img)) {
    }
    return static_cast<std::int32_t>(next_ - start);
  }
  std::pair<std::int32_t, std::int32_t> next_grid() {
    return grid_ < grids_.size() ? grids_[grid_++] : std::pair<std::int32_t, std::int32_t>{};
  }
  void end_text() {
    if (text_.empty()) return;
    Section section;
    section.tokens = std::exchange(text_, {});
    sections_.push_back(std::move(section));
  }

  // A whole block from <boi> to <eoi>; leaves everything as it was where there is none.
  bool read_image() {
    const std::size_t start = next_++, grid = grid_;
    hunyuan_reso::ImageBlock block;
    block.add_image_shape_token = false;
    if (next_ < ids_.size() && hunyuan_reso::base_size_or_zero(ids_[next_]) != 0) {
      block.base_size = hunyuan_reso::base_size_or_zero(ids_[next_++]);
      const auto ratio = next_ < ids_.size()
                             ? hunyuan_reso::ratio_index_of(hunyuan_reso::profiles::instruct, ids_[next_])
                             : std::nullopt;
      if (!ratio) return back_to(start, grid);
      ++next_;
      block.ratio_index = *ratio;
      block.add_image_shape_token = true;
    }
    block.add_timestep_token = take(tokens::timestep);
    block.add_guidance_token = take(tokens::guidance);
    block.add_timestep_r_token = take(tokens::timestep_r);
    const bool generated = next_ < ids_.size() && generated_[next_];
    block.token_length = take_run();
    std::tie(block.token_height, block.token_width) = next_grid();
    const bool joint = take(tokens::joint_img_sep);
    if (joint) {
      block.vit_token_length = take_run();
      std::tie(block.vit_token_height, block.vit_token_width) = next_grid();
    }
    if (block.token_length == 0 || !take(tokens::eoi)) return back_to(start, grid);
    end_text();
    const bool vit = !generated && !joint && !block.add_image_shape_token && !block.add_timestep_token;
    if (vit) {
      std::swap(block.token_length, block.vit_token_length);
      std::swap(block.token_height, block.vit_token_height);
      std::swap(block.token_width, block.vit_token_width);
    }
    const SectionKind kind = generated ? SectionKind::gen_image
                             : joint   ? SectionKind::cond_joint_image
                             : vit     ? SectionKind::cond_vit_image
                                       : SectionKind::cond_vae_image;
    sections_.push_back(Section::of_image(kind, block));
    return true;
  }
  bool back_to(std::size_t start, std::size_t grid) {
    next_ = start;
    grid_ = grid;
    return false;
  }

  std::vector<TokenId> ids_, text_;
  std::vector<std::pair<std::int32_t, std::int32_t>> grids_;
  std::vector<bool> generated_;
  std::vector<Section> sections_;
  std::size_t next_ = 0, grid_ = 0;
  bool has_bos_ = false;
};

hunyuan_reso::TokenBatch rebuild(const CheckContext& context, const at::Tensor& ids, const at::Tensor& sections,
                                 const at::Tensor& generated) {
  std::vector<std::pair<std::int32_t, std::int32_t>> grids;
  for (std::int64_t i = 0; sections.defined() && i < sections.size(0); ++i) {
    grids.emplace_back(static_cast<std::int32_t>(sections[i][2].item<std::int64_t>()),
                       static_cast<std::int32_t>(sections[i][3].item<std::int64_t>()));
  }
  std::vector<hunyuan_reso::TokenSequence> rows;
  for (std::int64_t row = 0; row < ids.size(0); ++row) {
    std::vector<TokenId> published;
    std::vector<bool> marks;
    for (std::int64_t i = 0; i < ids.size(1); ++i) {
      published.push_back(context.vocabulary.to_published(ids[row][i].item<std::int64_t>()));
      marks.push_back(generated.defined() && generated[row][i].item<bool>());
    }
    RowReader reader(std::move(published), grids, std::move(marks));
    const std::vector<Section> parts = reader.sections();
    hunyuan_reso::SequenceOptions options;
    options.add_bos = reader.has_bos();
    const auto no_text = [](std::string_view) { return std::vector<TokenId>(); };
    rows.push_back(
        require(hunyuan_reso::build_sequence(parts, hunyuan_reso::profiles::instruct, no_text, options), "sequence"));
  }
  return require(hunyuan_reso::make_batch(std::move(rows)), "batch");
}

at::Tensor whole_mask(const hunyuan_reso::TokenBatch& batch) {
  std::vector<at::Tensor> masks;
  for (const hunyuan_reso::TokenSequence& row : batch.rows) {
    masks.push_back(mask_tensor(attention_layout(row), {0, batch.length}, batch.length));
  }
  return at::cat(masks);
}

hunyuan_reso::ModelProfile profile_of(const ModelConfig& config) {
  hunyuan_reso::ModelProfile profile = hunyuan_reso::profiles::instruct;
  profile.cfg_distilled = config.cfg_distilled;
  profile.use_meanflow = config.use_meanflow;
  return profile;
}

}  // namespace

void use_library(CheckContext& context, const std::string& prefix, ImageSequence& sequence) {
  Comparison& comparison = context.comparison;
  const at::Tensor sections = comparison.optional_input(prefix + "rope_sections");
  const at::Tensor generated = comparison.optional_input(prefix + "gen_image_mask");
  const auto host = [](const at::Tensor& x) { return x.defined() ? x.to(at::kCPU) : x; };
  const hunyuan_reso::TokenBatch batch = rebuild(context, host(sequence.input_ids), host(sections), host(generated));
  const auto profile = profile_of(context.model.config);
  const ImageSequence rebuilt =
      image_sequence_of(batch, profile, context.model.config, context.vocabulary, sequence.input_ids.device());

  const std::string name = "library." + prefix;
  comparison.compare_exactly(name + "input_ids", rebuilt.input_ids, sequence.input_ids);
  comparison.compare_exactly(name + "positions_yx", position_tensor(batch.rows.front()),
                             section_positions(sections, sequence.input_ids.size(1)));
  comparison.compare_exactly(name + "attention_mask", whole_mask(batch), sequence.attention_mask);
  comparison.compare_exactly(name + "image_positions", rebuilt.image_positions, sequence.image_positions);
  comparison.compare_exactly(name + "timestep_position", rebuilt.timestep_position, sequence.timestep_position);
  if (sequence.guidance_position.defined()) {
    comparison.compare_exactly(name + "guidance_position", rebuilt.guidance_position, sequence.guidance_position);
  }
  if (sequence.timestep_r_position.defined()) {
    comparison.compare_exactly(name + "timestep_r_position", rebuilt.timestep_r_position, sequence.timestep_r_position);
  }
  if (comparison.has(prefix + "step1.position_ids")) {
    comparison.compare_exactly(name + "step1.position_ids",
                               refeed_tensor(batch.rows.front(), profile).expand({sequence.input_ids.size(0), -1}),
                               comparison.recorded().tensor(prefix + "step1.position_ids"));
  }
  sequence.rope = rebuilt.rope;
  sequence.first_segments = rebuilt.first_segments;
  sequence.later_segments = rebuilt.later_segments;
}

void use_library(CheckContext& context, const std::string& prefix, std::int64_t room, TextPrompt& prompt) {
  const at::Tensor sections = context.comparison.optional_input(prefix + "rope_sections");
  const hunyuan_reso::TokenBatch batch =
      rebuild(context, prompt.ids.to(at::kCPU), sections.defined() ? sections.to(at::kCPU) : sections, at::Tensor());
  const std::string name = "library." + prefix;
  const at::Tensor positions = position_tensor(batch.rows.front(), room);
  context.comparison.compare_exactly(name + "input_ids", id_tensor(batch, context.vocabulary), prompt.ids);
  context.comparison.compare_exactly(name + "positions_yx", positions,
                                     section_positions(sections, prompt.ids.size(1) + room));
  context.comparison.compare_exactly(name + "attention_mask", whole_mask(batch), prompt.mask);
  const ModelConfig& config = context.model.config;
  prompt.rope = rotary_table(positions, config.head_dim, config.rope_theta, prompt.ids.device());
}

}  // namespace hunyuan_generate
