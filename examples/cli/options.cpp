// SPDX-License-Identifier: MIT
#include "options.hpp"

#include "failure.hpp"
#include "output.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr const ModelProfile* published[] = {&profiles::base, &profiles::instruct, &profiles::instruct_distil,
                                             &profiles::panorama};

std::vector<std::string> profile_names() {
  std::vector<std::string> names;
  for (const ModelProfile* profile : published) names.emplace_back(profile->name);
  return names;
}

/// "37=130108" into a profile.
ModelProfile with_ratio_token(const ModelProfile& profile, const std::string& text) {
  const std::size_t equals = text.find('=');
  const detail::Decimal index = detail::parse_decimal(text);
  const detail::Decimal id = detail::parse_decimal(equals == std::string::npos ? "" : text.substr(equals + 1));
  if (index.digits == 0 || index.digits != equals || id.digits == 0 || equals + 1 + id.digits != text.size()) {
    throw UsageError("--ratio-token: expected INDEX=ID, for example 37=130108, but got '" + printable(text) + "'");
  }
  const auto refuse = [&](const std::string& reason) { throw Refusal("--ratio-token " + text + ": " + reason); };
  if (id.value >= profile.vocabulary_size) {
    refuse("the vocabulary has the ids 0 .. " + std::to_string(profile.vocabulary_size - 1));
  }
  const auto token = static_cast<TokenId>(id.value);
  if (const TokenText taken = token_text(token); !taken.empty()) {
    refuse("this id is " + std::string(taken.view()) + " in the published table");
  }
  const auto ratio_index = static_cast<std::size_t>(index.value);
  const Result<TokenId> known = require_ratio_token_id(profile, ratio_index);
  if (known) refuse("<img_ratio_" + std::to_string(ratio_index) + "> is " + std::to_string(*known) + " already");
  const ModelProfile changed = profile.with_ratio_token_id(ratio_index, token);
  if (!ratio_token_id(changed, ratio_index)) {
    refuse(std::string("the profile ") + profile.name + " has no ratio token of this index that lacks an id");
  }
  return changed;
}

}  // namespace

void ModelOptions::add_profile(CLI::App& app) {
  app.add_option("--profile", profile, "Checkpoint: base, instruct, instruct-distil or panorama (default: instruct)")
      ->check(CLI::IsMember(profile_names()).description(""))
      ->type_name("NAME");
  app.add_option("--ratio-token", ratio_tokens, "Id of a ratio token that no release names (panorama: 37=ID)")
      ->allow_extra_args(false)
      ->type_name("INDEX=ID");
}

void ModelOptions::add_group(CLI::App& app) {
  add_profile(app);
  app.add_option("--base-size", base_size, "Side of the square row, in pixels (default: the trained one, 1024)")
      ->check([](const std::string& text) {
        const std::size_t start = text[0] == '-' ? 1 : 0;
        const bool whole = text.size() > start && text.find_first_not_of("0123456789", start) == std::string::npos;
        return whole ? std::string() : "expected a whole number of pixels, but got '" + printable(text) + "'";
      })
      ->type_name("PIXELS");
  app.add_option("--extras", extras,
                 "Extra rows at another base size: absolute (upstream: they stay as they are) or scaled")
      ->check(CLI::IsMember({"absolute", "scaled"}).description(""))
      ->type_name("HOW");
}

void ModelOptions::add_grid_mode(CLI::App& app) {
  app.add_option("--grid-mode", grid_mode,
                 "snap (the nearest row, upstream), follow_request (the request cut to whole tokens) or\n"
                 "follow_request_by_area (the same, with the size token chosen by area)")
      ->check(CLI::IsMember({"snap", "follow_request", "follow_request_by_area"}).description(""))
      ->type_name("MODE");
}

ModelProfile resolve_profile(const ModelOptions& options) {
  ModelProfile profile;
  for (const ModelProfile* candidate : published) {
    if (options.profile == candidate->name) profile = *candidate;
  }
  for (const std::string& token : options.ratio_tokens) profile = with_ratio_token(profile, token);
  return profile;
}

ResolutionGroup require_group(const ModelProfile& profile, std::int32_t base_size, ExtraScaling scaling) {
  const Result<ResolutionGroup> group = make_group(profile, base_size, scaling);
  if (group) return *group;
  std::string reason(message(group.error()));
  if (group.error() == Errc::base_size_not_aligned || group.error() == Errc::step_smaller_than_align) {
    reason += "; the alignment of " + std::string(profile.name) + " is " + std::to_string(profile.align) + " px";
  }
  throw Refusal("base size " + std::to_string(base_size) + " px: " + reason);
}

Model resolve_model(const ModelOptions& options) {
  Model model;
  model.profile = resolve_profile(options);
  const std::int32_t base_size = options.base_size.value_or(model.profile.trained_base_size);
  if (options.extras == "scaled") model.extra_scaling = ExtraScaling::scaled;
  if (options.grid_mode == "follow_request") model.grid_mode = GridMode::follow_request;
  if (options.grid_mode == "follow_request_by_area") model.grid_mode = GridMode::follow_request_by_area;
  model.group = require_group(model.profile, base_size, model.extra_scaling);
  ModelProfile without_extras = model.profile;
  without_extras.extras = {};
  model.generated_rows = require_group(without_extras, base_size, model.extra_scaling).size();
  return model;
}

std::string Model::title() const {
  std::string title = std::string(profile.name) + ", base size " + std::to_string(group.base_size());
  if (group.size() > generated_rows) title += std::string(", extras ") + name_of(extra_scaling);
  return title;
}

Json Model::json() const {
  return {{"profile", profile.name},
          {"base_size", group.base_size()},
          {"extras", name_of(extra_scaling)},
          {"grid_mode", name_of(grid_mode)}};
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

std::string token_text_in(const ModelProfile& profile, TokenId id) {
  if (const std::optional<std::size_t> index = ratio_index_of(profile, id)) {
    return "<img_ratio_" + std::to_string(*index) + ">";
  }
  return std::string(token_text(id).view());
}

void OutputOptions::add(CLI::App& app, std::vector<std::string> formats) {
  std::string description = "Form of the output:";
  for (const std::string& name : formats) description += (name == formats.front() ? " " : ", ") + name;
  app.add_option("--format", format, description + " (default: text)")
      ->check(CLI::IsMember(std::move(formats)).description(""))
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
