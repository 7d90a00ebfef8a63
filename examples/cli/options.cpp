// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <hunyuan_reso/vocabulary.hpp>

#include "failure.hpp"
#include "output.hpp"

namespace hunyuan_reso::cli {
namespace {

std::vector<std::string> profile_names() {
  std::vector<std::string> names;
  for (const ModelProfile* profile : profiles::all) names.emplace_back(profile->name);
  return names;
}

/// "a, b or c".
std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == items.size() ? " or " : ", ") + items[i];
  }
  return text;
}

bool is_all_digits(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

/// "37=130108" into a profile.
ModelProfile with_ratio_token(const ModelProfile& profile, const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string index = text.substr(0, equals);
  const std::string id = equals == std::string::npos ? "" : text.substr(equals + 1);
  if (!is_all_digits(index) || !is_all_digits(id)) {
    throw UsageError("--ratio-token: expected INDEX=ID, for example 37=130108, but got '" + spelled(text) + "'");
  }
  const std::string place = "--ratio-token " + spelled(text);
  const auto refuse = [&](const std::string& reason) { throw Refusal(place + ": " + reason); };
  const auto ratio_index = static_cast<std::size_t>(read_whole(place + ": index", index, 0, max_side));
  const auto token = static_cast<TokenId>(read_whole(place + ": id", id, 0, max_side));
  const Result<TokenId> known = ratio_token_id(profile, ratio_index);
  if (known) refuse("<img_ratio_" + std::to_string(ratio_index) + "> is " + std::to_string(*known) + " already");
  const Result<ModelProfile> changed = profile.with_ratio_token_id(ratio_index, token);
  if (changed) return *changed;
  switch (changed.error()) {
    case Errc::token_id_out_of_range:
      refuse("the vocabulary has the ids 0 .. " + std::to_string(profile.vocabulary_size - 1));
      break;
    case Errc::token_id_taken:
      refuse("this id is " + text_of_token(profile, token) + " already");
      break;
    default:
      refuse(std::string("the profile ") + profile.name + " has no ratio token of this index that lacks an id");
  }
  return profile;
}

}  // namespace

CLI::Validator one_of(std::vector<std::string> words) {
  const std::string expected = "expected " + listed(words) + ", but got '";
  CLI::Validator check(
      [words = std::move(words), expected](std::string& text) {
        for (const std::string& word : words) {
          if (text == word) return std::string();
        }
        return expected + spelled(text) + "'";
      },
      "");
  return check;
}

namespace {
constexpr char mark = '\x1F';
}  // namespace

std::string guarded(const std::string& argument) {
  const bool splits = argument.size() > 1 && argument.front() == '[' && argument.back() == ']';
  return splits ? argument + mark : argument;
}

CLI::Validator as_typed() {
  return {[](std::string& text) {
            if (!text.empty() && text.back() == mark) text.pop_back();
            return std::string();
          },
          ""};
}

void ModelOptions::add_profile(CLI::App& app) {
  app.add_option("--profile", profile, "Checkpoint: " + listed(profile_names()) + " (default: instruct)")
      ->check(one_of(profile_names()))
      ->type_name("NAME");
  app.add_option("--ratio-token", ratio_tokens, "Id of a ratio token that no release names (panorama: 37=ID)")
      ->allow_extra_args(false)
      ->type_name("INDEX=ID");
  app.add_option("--order", order,
                 "Sides of a pair AxB, read and printed: hw (height first, upstream's order) or wh\n(default: hw)")
      ->check(one_of({"hw", "wh"}))
      ->type_name("ORDER");
}

void ModelOptions::add_group(CLI::App& app) {
  add_profile(app);
  base_size.add(app, "--base-size", "Side of the square bucket, in pixels (default: the trained one, 1024)", "PIXELS");
  app.add_option("--extras", extras,
                 "Extra buckets at another base size: absolute (upstream: they stay as they are) or scaled")
      ->check(one_of({"absolute", "scaled"}))
      ->type_name("HOW");
}

void ModelOptions::add_grid_mode(CLI::App& app) {
  app.add_option("--grid-mode", grid_mode,
                 "snap (the nearest bucket, upstream), follow_request (the request cut to whole tokens) or\n"
                 "follow_request_by_area (the same, with the size token chosen by area)")
      ->check(one_of({"snap", "follow_request", "follow_request_by_area"}))
      ->type_name("MODE");
}

SideOrder ModelOptions::side_order() const { return order == "wh" ? SideOrder::width_height : SideOrder::height_width; }

ModelProfile resolve_profile(const ModelOptions& options) {
  ModelProfile profile;
  for (const ModelProfile* candidate : profiles::all) {
    if (options.profile == candidate->name) profile = *candidate;
  }
  for (const std::string& token : options.ratio_tokens) profile = with_ratio_token(profile, token);
  return profile;
}

Model require_model(const ModelProfile& profile, std::int32_t base_size, ExtraScaling scaling,
                    const std::string& place) {
  const Result<Model> model = Model::create(profile, base_size, scaling);
  if (model) return *model;
  std::string reason = reason_of(model.error());
  if (model.error() == Errc::base_size_not_aligned || model.error() == Errc::step_smaller_than_align) {
    reason += "; the alignment of " + std::string(profile.name) + " is " + std::to_string(profile.align) + " px";
  }
  throw Refusal(place + " " + std::to_string(base_size) + ": " + reason);
}

Selection resolve_selection(const ModelOptions& options) {
  Selection selection;
  const ModelProfile profile = resolve_profile(options);
  std::int32_t base_size = profile.trained_base_size;
  if (options.base_size.given()) base_size = static_cast<std::int32_t>(options.base_size.whole(1, max_side / 2));
  selection.order = options.side_order();
  if (options.extras == "scaled") selection.extra_scaling = ExtraScaling::scaled;
  if (options.grid_mode == "follow_request") selection.grid_mode = GridMode::follow_request;
  if (options.grid_mode == "follow_request_by_area") selection.grid_mode = GridMode::follow_request_by_area;
  selection.model = require_model(profile, base_size, selection.extra_scaling);
  ModelProfile without_extras = profile;
  without_extras.extras = {};
  selection.generated_rows = require_model(without_extras, base_size, selection.extra_scaling).group.size();
  return selection;
}

std::string Selection::title() const {
  std::string title = profile().name;
  title += group().base_size() > 0 ? ", base size " + std::to_string(group().base_size()) : ", own rows";
  if (group().size() > generated_rows) title += std::string(", extras ") + name_of(extra_scaling);
  return title;
}

std::string Selection::order_sentence() const {
  return "Sizes are " + std::string(size_heading(order)) + " in pixels.";
}

Json Selection::json() const {
  return {{"profile", profile().name},
          {"base_size", group().base_size()},
          {"extras", name_of(extra_scaling)},
          {"grid_mode", name_of(grid_mode)},
          {"order", name_of(order)}};
}

const char* name_of(ExtraScaling scaling) { return scaling == ExtraScaling::scaled ? "scaled" : "absolute"; }

const char* name_of(GridMode mode) {
  switch (mode) {
    case GridMode::follow_request:
      return "follow_request";
    case GridMode::follow_request_by_area:
      return "follow_request_by_area";
    case GridMode::snap:
      break;
  }
  return "snap";
}

const char* name_of(Orientation orientation) {
  switch (orientation) {
    case Orientation::landscape:
      return "landscape";
    case Orientation::portrait:
      return "portrait";
    case Orientation::square:
      break;
  }
  return "square";
}

std::string name_of(const CommonRatio& ratio) { return (ratio.exact ? "" : "~") + std::string(ratio.text().view()); }

std::string text_of_token(const ModelProfile& profile, TokenId id) {
  const Result<TokenText> text = token_text(profile, id);
  return text ? std::string(text->view()) : std::string();
}

std::string lines_on_unknown_ids(const ModelProfile& profile) {
  std::string text;
  for (std::size_t i = 0; i < ratio_token_count(profile); ++i) {
    if (ratio_token_id(profile, i)) continue;
    const std::string index = std::to_string(i);
    text += "The id of <img_ratio_" + index + "> is in no published source: supply it with --ratio-token " + index +
            "=ID.\n";
  }
  return text;
}

void OutputOptions::add(CLI::App& app, std::vector<std::string> formats) {
  std::string description = "Form of the output:";
  for (const std::string& name : formats) description += (name == formats.front() ? " " : ", ") + name;
  app.add_option("--format", format, description + " (default: text)")
      ->check(one_of(std::move(formats)))
      ->type_name("FORM");
  app.add_option("--out", path, "Write to a file, which appears whole or not at all")
      ->check(
          [](const std::string& text) { return text.empty() ? std::string("expected a file name") : std::string(); })
      ->type_name("FILE");
}

void OutputOptions::write(const std::string& result) const {
  Output output(path);
  output.write(result);
  output.finish();
}

CLI::App& add_command(CLI::App& tool, const char* name, const char* description, const char* examples) {
  CLI::App& app = *tool.add_subcommand(name, description);
  app.footer(std::string("Examples:\n") + examples);
  return app;
}

}  // namespace hunyuan_reso::cli
