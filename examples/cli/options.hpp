// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_OPTIONS_HPP
#define HUNYUAN_RESO_CLI_OPTIONS_HPP

#include <CLI/CLI.hpp>
#include <cstddef>
#include <hunyuan_reso/presets.hpp>
#include <string>
#include <vector>

#include "numbers.hpp"
#include "side_order.hpp"
#include "table_text.hpp"

namespace hunyuan_reso::cli {

/// The options that choose a model and its rows, as given on the command line.
struct ModelOptions {
  std::string profile = "instruct";
  std::vector<std::string> ratio_tokens;
  NumberOption base_size;  ///< not given: the profile's trained one
  std::string extras = "absolute";
  std::string grid_mode = "snap";
  std::string order = "hw";

  void add_profile(CLI::App& app);    ///< --profile, --ratio-token, --order
  void add_group(CLI::App& app);      ///< the above, --base-size and --extras
  void add_grid_mode(CLI::App& app);  ///< --grid-mode

  [[nodiscard]] SideOrder side_order() const;
};

/// What the options select: the library's model, and what only the tool needs beside it.
struct Selection {
  Model model{};
  ExtraScaling extra_scaling = ExtraScaling::absolute;
  GridMode grid_mode = GridMode::snap;
  SideOrder order = SideOrder::height_width;
  std::size_t generated_rows = 0;  ///< rows in front of the extra rows

  [[nodiscard]] const ModelProfile& profile() const { return model.profile; }
  [[nodiscard]] const ResolutionGroup& group() const { return model.group; }
  [[nodiscard]] bool is_extra(std::size_t ratio_index) const { return ratio_index >= generated_rows; }
  [[nodiscard]] std::string size(Resolution size) const { return size_text(size, order); }
  /// "instruct, base size 2048, extras absolute".
  [[nodiscard]] std::string title() const;
  /// "Sizes are height x width in pixels."
  [[nodiscard]] std::string order_sentence() const;
  /// profile, base_size, extras, grid_mode, order.
  [[nodiscard]] Json json() const;
};

/// Throws Refusal where the profile, the base size or a ratio token's id is refused.
[[nodiscard]] ModelProfile resolve_profile(const ModelOptions& options);
[[nodiscard]] Selection resolve_selection(const ModelOptions& options);
/// The model of a profile at a base size; throws Refusal, naming `place` (an option or a key).
[[nodiscard]] Model require_model(const ModelProfile& profile, std::int32_t base_size, ExtraScaling scaling,
                                  const std::string& place = "--base-size");

[[nodiscard]] const char* name_of(ExtraScaling scaling);
[[nodiscard]] const char* name_of(GridMode mode);
[[nodiscard]] const char* name_of(Orientation orientation);
/// "4:3", or "~4:3" where the size has not exactly this ratio.
[[nodiscard]] std::string name_of(const CommonRatio& ratio);

/// A token's text; empty for an id that is no special token of the profile.
[[nodiscard]] std::string text_of_token(const ModelProfile& profile, TokenId id);
/// "The id of <img_ratio_37> is in no published source: ..." for each such token, a line each.
[[nodiscard]] std::string lines_on_unknown_ids(const ModelProfile& profile);

/// A check for options that take one of a few words.
[[nodiscard]] CLI::Validator one_of(std::vector<std::string> words);

/// CLI11 splits an argument in brackets ("[1024,768]") at its commas where a positional takes several. `guarded` keeps
/// it whole; the positional's ->transform(as_typed()) takes the mark off again.
[[nodiscard]] std::string guarded(const std::string& argument);
[[nodiscard]] CLI::Validator as_typed();

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
