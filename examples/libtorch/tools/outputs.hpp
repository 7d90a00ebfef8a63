// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_OUTPUTS_HPP
#define HUNYUAN_GENERATE_OUTPUTS_HPP

#include <cstdint>  // uint64_t
#include <string>   // string
#include <vector>   // vector

namespace hunyuan_generate {

/// One picture of a run.
struct Picture {
  std::size_t size = 0;  ///< which of the sizes that were asked for
  std::uint64_t seed = 0;
  std::size_t index = 0;  ///< counts all pictures of a run
  std::string pixels;     ///< "{size}" in names: HEIGHTxWIDTH, or the size as it was asked for
};

/// The pictures of `count` seeds from `seed` on, in each of `sizes`.
std::vector<Picture> pictures_of(const std::vector<std::string>& sizes, std::uint64_t seed, std::int32_t count);

/// Names of files made from patterns: {seed}, {index} and {size} are filled in.
class OutputNames {
 public:
  /// Where two of the pictures would get one name, the number goes in front of the ending. Throws Error when nothing
  /// can be written at one of the names (see require_picture_path).
  OutputNames(std::vector<std::string> patterns, const std::vector<Picture>& pictures);

  /// The files of a picture, one for each pattern.
  [[nodiscard]] std::vector<std::string> of(const Picture& picture) const;
  /// Whether all of them are there. A file appears complete or not at all, so that such a picture is done. Throws Error
  /// where a name depends on pixels that are not known beforehand.
  [[nodiscard]] bool all_exist(const Picture& picture) const;
  [[nodiscard]] bool empty() const noexcept { return patterns_.empty(); }

 private:
  std::vector<std::string> patterns_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_OUTPUTS_HPP
