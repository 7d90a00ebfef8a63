// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_ENLARGEMENT_HPP
#define HUNYUAN_RESO_CLI_ENLARGEMENT_HPP

#include <hunyuan_reso/crop.hpp>
#include <string>

#include "options.hpp"

namespace hunyuan_reso::cli {

/// A picture larger than the checkpoint was trained on: the trained bucket to generate, and what brings it to the
/// wished size.
struct Enlargement {
  std::string wish;      ///< as given: a size, or 2K
  std::string meaning;   ///< of a name, in words; empty for a size
  Resolution target{};   ///< the wished picture
  Resolution bucket{};   ///< the trained bucket whose ratio is nearest
  Resolution decoded{};  ///< the picture that comes out of it: smaller where the profile blends the edges
  std::size_t ratio_index = 0;
  std::int32_t base_size = 0;
  ResizeCrop crop{};

  [[nodiscard]] double factor() const;     ///< resized side / decoded side
  [[nodiscard]] double cut_share() const;  ///< of the resized pixels
};

/// `target`: a size in pixels, or 1K, 2K, 4K, 8K: 1024, 2048 .. pixels squared in the ratio of the wish, in multiples
/// of 16. `ratio`: the wish's. `most_pixels`: a cap, 0 for none. Throws Refusal.
[[nodiscard]] Enlargement enlarge(const Selection& selection, const std::string& target, Resolution ratio,
                                  std::int64_t most_pixels);

/// The size scaled down to at most so many pixels, in whole tokens of the profile; unchanged where it has no more.
[[nodiscard]] Resolution capped(const ModelProfile& profile, Resolution size, std::int64_t most_pixels);

/// Sentences for people, and the same for programs.
[[nodiscard]] std::string enlargement_sentence(const Selection& selection, const Enlargement& enlargement);
[[nodiscard]] Json enlargement_json(const Enlargement& enlargement);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_ENLARGEMENT_HPP
