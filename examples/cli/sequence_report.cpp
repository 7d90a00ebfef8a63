// SPDX-License-Identifier: MIT
#include "sequence_report.hpp"

#include <hunyuan_reso/rope.hpp>

#include "failure.hpp"
#include "mask_picture.hpp"

namespace hunyuan_reso::cli {
namespace {

using SequenceRope = BasicRopeLayout<4096>;

Result<SequenceRope> rope_of(const ModelProfile& profile, const TokenLayout& layout) {
  return SequenceRope::create(profile, layout.image_runs.data(), layout.image_runs.size(), layout.length);
}

Result<SequenceAttention> attention_of(const ModelProfile& profile, const TokenLayout& layout) {
  return SequenceAttention::create(profile, layout.image_runs.data(), layout.image_runs.size());
}

Json optional_json(const Result<std::int32_t>& position) { return position ? Json(*position) : Json(nullptr); }

/// The rotary position (y, x) of a run's first cell, or null where a grid is not known.
Json first_position(const Result<SequenceRope>& rope, const ImageRun& run) {
  if (!rope || run.slice.length() == 0) return nullptr;
  const RopePosition position = rope->position(run.slice.start);
  return {position.y, position.x};
}

std::string grid_text(const Selection& selection, const ImageRun& run) {
  const Resolution grid{run.token_height, run.token_width};
  if (!grid.is_positive()) return "grid unknown";
  const bool width_first = selection.order == SideOrder::width_height;
  return "grid " + std::to_string(width_first ? grid.width : grid.height) + " x " +
         std::to_string(width_first ? grid.height : grid.width) + " tokens";
}

std::string runs_text(const ModelProfile& profile, const std::vector<TokenRun>& runs) {
  std::string text;
  std::int32_t position = 0;
  std::int32_t plain = 0;
  const auto show_plain = [&] {
    if (plain > 0) text += "    " + std::to_string(position - plain) + ": " + std::to_string(plain) + " text tokens\n";
    plain = 0;
  };
  for (const TokenRun& run : runs) {
    const std::string special = text_of_token(profile, run.id);
    if (special.empty()) {
      plain += run.count;
      position += run.count;
      continue;
    }
    show_plain();
    text += "    " + std::to_string(position) + ": " + special;
    if (run.count > 1) text += " x " + std::to_string(run.count);
    text += '\n';
    position += run.count;
  }
  show_plain();
  return text;
}

}  // namespace

std::vector<TokenRun> runs_of(const std::vector<TokenId>& ids) {
  std::vector<TokenRun> runs;
  for (const TokenId id : ids) {
    if (!runs.empty() && runs.back().id == id) {
      ++runs.back().count;
    } else {
      runs.push_back({id, 1});
    }
  }
  return runs;
}

Json slices_json(const std::vector<Slice>& slices) {
  Json json = Json::array();
  for (const Slice& slice : slices) json.push_back({slice.start, slice.stop});
  return json;
}

Json sequences_json(const Selection& selection) {
  Json json = selection.json();
  json["limits"] = {{"max_length", selection.profile().max_length},
                    {"position_table", selection.profile().position_table}};
  return json;
}

std::string sequences_heading(const Selection& selection) {
  return selection.title() + "; limits " + std::to_string(selection.profile().max_length) + " tokens (max_length), " +
         std::to_string(selection.profile().position_table) + " (position table). Grids are " +
         size_heading(selection.order) + ".\n";
}

Json layout_json(const Selection& selection, const std::vector<TokenRun>& runs, const TokenLayout& layout) {
  const ModelProfile& profile = selection.profile();
  Json tokens = Json::array();
  for (const TokenRun& run : runs) tokens.push_back({run.id, run.count});
  const Result<SequenceRope> rope = rope_of(profile, layout);
  Json images = Json::array();
  for (const ImageRun& run : layout.image_runs) {
    constexpr const char* kinds[] = {"generated", "vae", "vit"};
    const bool is_known = run.token_height > 0 && run.token_width > 0;
    images.push_back({{"slice", {run.slice.start, run.slice.stop}},
                      {"kind", kinds[static_cast<std::size_t>(run.kind)]},
                      {"in_joint_block", run.in_joint_block},
                      {"token_height", is_known ? Json(run.token_height) : Json(nullptr)},
                      {"token_width", is_known ? Json(run.token_width) : Json(nullptr)},
                      {"first_position", first_position(rope, run)}});
  }
  const Result<std::vector<Slice>> refed = refeed_slices(profile, layout);
  const Result<SequenceAttention> attention = attention_of(profile, layout);
  Json full = nullptr;
  if (attention) full = slices_json({attention->begin(), attention->end()});
  return {{"tokens", tokens},
          {"length", layout.length},
          {"real_length", layout.real_length()},
          {"image_runs", images},
          {"joint_slices", slices_json(layout.joint_slices())},
          {"gen_timestep_positions", layout.gen_timestep_positions},
          {"cond_timestep_positions", layout.cond_timestep_positions},
          {"guidance_positions", layout.guidance_positions},
          {"timestep_r_positions", layout.timestep_r_positions},
          {"boi_positions", layout.boi_positions},
          {"eoi_positions", layout.eoi_positions},
          {"joint_img_sep_positions", layout.joint_img_sep_positions},
          {"eos_position", optional_json(layout.eos_position)},
          {"first_pad_position", optional_json(layout.first_pad_position)},
          {"full_slices", full},
          {"refeed_slices", refed ? slices_json(*refed) : Json(nullptr)}};
}

std::string layout_text(const Selection& selection, const std::vector<TokenRun>& runs, const TokenLayout& layout) {
  std::string text = runs_text(selection.profile(), runs);
  for (const ImageRun& run : layout.image_runs) {
    constexpr const char* kinds[] = {"generated image", "conditioning image (VAE)", "conditioning image (ViT)"};
    text += "    " + std::string(kinds[static_cast<std::size_t>(run.kind)]) + " at " + std::to_string(run.slice.start) +
            " .. " + std::to_string(run.slice.stop - 1) + ", " + grid_text(selection, run) + " (" +
            size_heading(selection.order) + ")\n";
  }
  return text;
}

std::string layout_picture(const Selection& selection, const TokenLayout& layout) {
  const Result<SequenceAttention> attention = attention_of(selection.profile(), layout);
  if (attention) return mask_picture(*attention, layout.length, "    ");
  return "    no mask: " + reason_of(attention.error()) + '\n';
}

}  // namespace hunyuan_reso::cli
