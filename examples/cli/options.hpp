// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_OPTIONS_HPP
#define HUNYUAN_RESO_CLI_OPTIONS_HPP

#include <CLI/CLI.hpp>
#include <cstddef>
#include <hunyuan_reso/presets.hpp>
#include <hunyuan_reso/profile.hpp>
#include <hunyuan_reso/result.hpp>
#include <hunyuan_reso/tokens.hpp>
#include <optional>
#include <string>
#include <vector>

#include "table_text.hpp"

namespace hunyuan_reso::cli {

/// The options that choose a model and its rows, as given on the command line.
struct ModelOptions {
  std::string profile = "instruct";
  std::vector<std::string> ratio_tokens;
  std::optional<std::int32_t> base_size;  ///< none: the profile's trained one
  std::string extras = "absolute";
  std::string grid_mode = "snap";

  void add_profile(CLI::App& app);    ///< --profile, --ratio-token
  void add_group(CLI::App& app);      ///< the above, --base-size and --extras
  void add_grid_mode(CLI::App& app);  ///< --grid-mode
};

/// What the options mean, checked.
struct Model {
  ModelProfile profile;
  ResolutionGroup group;
  ExtraScaling extra_scaling = ExtraScaling::absolute;
  GridMode grid_mode = GridMode::snap;

  /// Rows in front of the extra rows.
  std::size_t generated_rows = 0;

  [[nodiscard]] bool is_extra(std::size_t ratio_index) const { return ratio_index >= generated_rows; }
  /// "instruct, base size 2048, extras absolute".
  [[nodiscard]] std::string title() const;
  /// profile, base_size, extras, grid_mode.
  [[nodiscard]] Json json() const;
};

/// Throws Refusal where the profile, the base size or a ratio token's id is refused.
[[nodiscard]] ModelProfile resolve_profile(const ModelOptions& options);
[[nodiscard]] Model resolve_model(const ModelOptions& options);
/// The group of a profile; throws Refusal.
[[nodiscard]] ResolutionGroup require_group(const ModelProfile& profile, std::int32_t base_size, ExtraScaling scaling);

[[nodiscard]] const char* name_of(ExtraScaling scaling);
[[nodiscard]] const char* name_of(GridMode mode);
[[nodiscard]] const char* name_of(Orientation orientation);
/// "4:3", or "~4:3" where the size has not exactly this ratio.
[[nodiscard]] std::string name_of(const CommonRatio& ratio);

/// A token's text; also that of a ratio token whose id the caller supplied. Empty for an id that is no special token.
[[nodiscard]] std::string token_text_in(const ModelProfile& profile, TokenId id);

/// Where the result goes and in which form.
struct OutputOptions {
  std::string format = "text";
  std::string path;

  void add(CLI::App& app, std::vector<std::string> formats = {"text", "json", "csv"});
  /// The whole result of a command, into --out or onto standard output.
  void write(const std::string& result) const;
};

/// A command with its description and its examples.
[[nodiscard]] CLI::App& add_command(CLI::App& tool, const char* name, const char* description, const char* examples);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_OPTIONS_HPP
