// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_EXPLANATION_HPP
#define HUNYUAN_RESO_CLI_EXPLANATION_HPP

#include <hunyuan_reso/crop.hpp>
#include <optional>
#include <string>
#include <vector>

#include "buckets.hpp"

namespace hunyuan_reso::cli {

/// A row that was in question, with its distance to the request's ratio.
struct Candidate {
  std::size_t ratio_index = 0;
  Resolution size{};
  double distance = 0;
};

enum class Tie {
  none,
  exact,    ///< two rows are equally far in binary64: the first one in list order is taken
  rounded,  ///< equally far as fractions, but rounding to binary64 told them apart
};

/// What one way to choose the grid gives for the request.
struct Way {
  std::string name;
  bool in_force = false;
  Result<ImageInfo> info;
};

/// A conditioning image: the row it is brought to, and how.
struct ConditioningImage {
  Resolution size{};
  std::size_t ratio_index = 0;
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
  std::vector<Candidate> candidates;  ///< ascending in ratio, the chosen row in between; empty without a ratio
  Tie tie = Tie::none;
  std::vector<std::string> notes;
  std::vector<Way> ways;
  std::vector<ConditioningImage> conditioning;
  std::vector<Alignment> alignments;
};

/// Throws Refusal; `typed` is the request as given, for its message.
[[nodiscard]] Explanation explain_request(const Model& model, const std::string& typed, const ImageSize& request,
                                          const std::vector<Resolution>& conditioning_images);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_EXPLANATION_HPP
