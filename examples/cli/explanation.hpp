// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_EXPLANATION_HPP
#define HUNYUAN_RESO_CLI_EXPLANATION_HPP

#include <hunyuan_reso/crop.hpp>
#include <optional>
#include <string>
#include <vector>

#include "buckets.hpp"
#include "enlargement.hpp"

namespace hunyuan_reso::cli {

/// A bucket that was in question, with its distance to the request's ratio.
struct Candidate {
  std::size_t ratio_index = 0;
  Resolution size{};
  double distance = 0;
};

enum class Tie {
  none,
  exact,    ///< two buckets are equally far in binary64: the first one in list order is taken
  rounded,  ///< equally far as fractions, but rounding to binary64 told them apart
};

/// What one way to choose the grid gives for the request.
struct Way {
  std::string name;
  bool in_force = false;
  Result<ImageInfo> info;
};

/// A conditioning image: the bucket it is brought to, and how; the ViT's grid.
struct ConditioningImage {
  Resolution size{};
  ImageInfo info{};
  ResizeCrop crop{};
};

/// What output alignment does with the area of a base size.
struct Alignment {
  std::int32_t base_size = 0;
  OutputAlignment result{};
};

/// Why a request gives the size that it gives.
struct Explanation {
  ImageSize request{};
  ImageInfo info{};
  bool is_extra = false;
  std::optional<double> request_ratio;
  std::vector<Candidate> candidates;  ///< ascending in ratio, the chosen bucket in between; empty without a ratio
  Tie tie = Tie::none;
  std::vector<std::string> notes;
  std::vector<Way> ways;
  std::vector<ConditioningImage> conditioning;
  std::vector<Alignment> alignments;
  std::optional<Enlargement> enlargement;
  std::int64_t most_pixels = 0;  ///< the cap that was given; 0: none
  Resolution uncapped{};         ///< the request before the cap changed it; 0x0 where it did not
};

/// What is asked of explain.
struct Question {
  std::string typed;  ///< the request as given, for messages
  ImageSize request{};
  std::vector<Resolution> conditioning;
  std::string target;            ///< --target, or empty
  std::int64_t most_pixels = 0;  ///< --max-pixels, or 0
};

/// Throws Refusal.
[[nodiscard]] Explanation explain_request(const Selection& selection, const Question& question);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_EXPLANATION_HPP
