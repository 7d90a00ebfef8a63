// SPDX-License-Identifier: MIT
// Sections as recorded: what render_chat makes, and which image runs get a grid.
#include <hunyuan_reso/rope.hpp>

#include <stdexcept>

#include "common.hpp"
#include "sequence_compare.hpp"
#include "sequence_input.hpp"

namespace hunyuan_reso_test {

using hunyuan_reso::ConditioningAttention;
using hunyuan_reso::ImageInfo;
using hunyuan_reso::ImageKind;
using hunyuan_reso::ImageRun;
using hunyuan_reso::Section;
using hunyuan_reso::TokenSequence;

namespace {

void fail_unknown_keys(const Json& object, std::initializer_list<const char*> known, const std::string& where,
                       Report& report) {
  try {
    only_known_keys(object, known, where);
  } catch (const NotApplicable& why) {
    report.fail(why.reason);
  }
}

void compare_text(const Section& actual, const Json& expected, const std::string& where, Report& report) {
  fail_unknown_keys(expected, {"type", "text", "uncond_enabled", "uncond_p", "max_length", "ignore"}, where, report);
  if (actual.text != expected["text"].text())
    report.fail(where + " is '" + actual.text + "', expected " + expected.dump());
  report.equal(actual.unconditional ? 1 : 0, flag(expected, "uncond_enabled", false) ? 1 : 0,
               (where + ", unconditional").c_str());
  const std::int64_t max_tokens = given(expected, "max_length") ? expected["max_length"].integer() : -1;
  report.equal(actual.max_tokens.value_or(-1), max_tokens, (where + ", max_tokens").c_str());
  report.equal(actual.in_text_mask ? 0 : 1, flag(expected, "ignore", false) ? 1 : 0, (where + ", ignored").c_str());
}

/// Joint images record [VAE, ViT] in one list.
void compare_sides(const char* key, std::int64_t vae, std::int64_t vit, ImageKind kind, const Json& expected,
                   const std::string& where, Report& report) {
  const std::string what = where + ", " + key;
  if (kind == ImageKind::cond_joint) {
    report.equal(vae, expected[key][std::size_t{0}].integer(), what.c_str());
    report.equal(vit, expected[key][1].integer(), what.c_str());
  } else {
    report.equal(kind == ImageKind::cond_vit ? vit : vae, expected[key].integer(), what.c_str());
  }
}

void compare_image(const Section& actual, const Json& expected, const std::string& where, Report& report) {
  fail_unknown_keys(expected,
                    {"type", "token_length", "token_height", "token_width", "image_height", "image_width", "base_size",
                     "ratio_idx", "add_timestep_token", "add_guidance_token", "add_timestep_r_token",
                     "use_front_boi_token", "add_image_shape_token", "ori_image_width", "ori_image_height"},
                    where, report);
  const ImageInfo& image = actual.image;
  compare_sides("token_length", image.image_token_length, image.vit_token_length, image.kind, expected, where, report);
  compare_sides("token_height", image.token_height, image.vit_token_height, image.kind, expected, where, report);
  compare_sides("token_width", image.token_width, image.vit_token_width, image.kind, expected, where, report);
  if (image.kind == ImageKind::cond_vit) return;  // it has neither shape nor timestep tokens
  report.equal(image.base_size, expected["base_size"].integer(), (where + ", base_size").c_str());
  report.equal(static_cast<std::int64_t>(image.ratio_index), expected["ratio_idx"].integer(),
               (where + ", ratio_idx").c_str());
  const std::pair<const char*, bool> flags[] = {{"add_timestep_token", image.add_timestep_token},
                                                {"add_guidance_token", image.add_guidance_token},
                                                {"add_timestep_r_token", image.add_timestep_r_token},
                                                {"use_front_boi_token", image.use_front_boi_token},
                                                {"add_image_shape_token", image.add_image_shape_token}};
  for (const auto& [key, value] : flags) {
    if (!given(expected, key)) continue;
    report.equal(value ? 1 : 0, expected[key].boolean() ? 1 : 0, (where + ", " + key).c_str());
  }
}

ConditioningAttention attention_type(const std::string& name) {
  if (name == "causal") return ConditioningAttention::causal;
  if (name == "full") return ConditioningAttention::full;
  if (name == "full_causal") return ConditioningAttention::full_causal;
  if (name == "joint_full" || name == "base") return ConditioningAttention::joint_full;  // base knows one type only
  throw std::runtime_error("unknown attention type " + name);
}

}  // namespace

void compare_sections(const std::vector<Section>& actual, const Json& expected, Report& report) {
  report.equal(static_cast<std::int64_t>(actual.size()), static_cast<std::int64_t>(expected.size()), "sections");
  for (std::size_t i = 0; i < actual.size() && i < expected.size(); ++i) {
    const std::string where = "section " + std::to_string(i);
    const auto kind = image_kind(expected[i]["type"].text());
    if (kind.has_value() != actual[i].is_image || (kind && *kind != actual[i].image.kind)) {
      report.fail(where + " is of another kind than " + expected[i].dump());
    } else if (!kind) {
      compare_text(actual[i], expected[i], where, report);
    } else {
      compare_image(actual[i], expected[i], where, report);
    }
  }
}

void compare_rope_image_info(const std::vector<TokenSequence>& rows, const Json& info, Report& report) {
  for (const auto& [name, expected_rows] : info.members()) {
    const ConditioningAttention attention = attention_type(name);
    report.equal(static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(expected_rows.size()),
                 "rows of rope_image_info");
    for (std::size_t i = 0; i < rows.size() && i < expected_rows.size(); ++i) {
      std::vector<std::int64_t> actual;
      for (const ImageRun& run : rows[i].image_runs) {
        if (!has_rope_grid(run, attention)) continue;
        for (const std::int32_t value : {run.slice.start, run.slice.stop, run.token_height, run.token_width}) {
          actual.push_back(value);
        }
      }
      std::vector<std::int64_t> expected;
      for (const Json& image : expected_rows[i].elements()) {
        for (const Json& value : image.elements()) expected.push_back(value.integer());
      }
      if (actual != expected) {
        report.fail("rope_image_info of " + name + ", row " + std::to_string(i) + ": expected " +
                    expected_rows[i].dump());
      }
    }
  }
}

}  // namespace hunyuan_reso_test
