// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_ENLARGEMENT_HPP
#define HUNYUAN_RESO_CLI_ENLARGEMENT_HPP

#include <hunyuan_reso/enlarge.hpp>
#include <string>

#include "target.hpp"

namespace hunyuan_reso::cli {

/// How the refinement of a picture beyond the trained scale is done, as given on the command line.
struct RefinementOptions {
  NumberOption overlap, strength, tiles_at_once, teraflops, decode_rate, encode_rate;
  std::string tile;
  std::string weights = "cosine";
  CLI::Option* tile_option = nullptr;
  CLI::Option* weights_option = nullptr;

  void add_tiles(CLI::App& app);  ///< --tile, --overlap, --weights
  void add(CLI::App& app);        ///< the above, --strength, --tiles-at-once, and rates of a device

  /// The first option that was given; nullptr where none was.
  [[nodiscard]] const char* given() const;
  /// Throws Refusal or UsageError.
  [[nodiscard]] EnlargementOptions resolve(const Selection& selection) const;
};

/// "cosine" or "linear".
[[nodiscard]] const char* name_of(TileProfile profile);

/// A picture larger than the checkpoint was trained on: what was wished, and the library's plan for it.
struct Enlargement {
  Target target;
  EnlargementPlan plan{};
  EnlargementOptions options{};

  [[nodiscard]] double cut_share() const;  ///< of the resized pixels
};

/// Throws Refusal. `most_pixels`: a cap on the target, 0 for none.
[[nodiscard]] Enlargement enlarge(const Selection& selection, const Model& model, const GenerationRequest& request,
                                  const Target& target, const EnlargementOptions& options, std::int64_t most_pixels);

/// The size scaled down to at most so many pixels, in whole tokens of the profile; unchanged where it has no more.
[[nodiscard]] Resolution capped(const ModelProfile& profile, Resolution size, std::int64_t most_pixels);

/// Sides that may be longer than a Resolution's, in the order that is in force.
[[nodiscard]] std::string pair_text(SideOrder order, std::int64_t height, std::int64_t width);

/// Sentences for people, and the same for programs.
[[nodiscard]] std::string enlargement_sentence(const Selection& selection, const Enlargement& enlargement);
[[nodiscard]] Json enlargement_json(const Enlargement& enlargement);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_ENLARGEMENT_HPP
