// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_OUTPUTS_HPP
#define HUNYUAN_GENERATE_OUTPUTS_HPP

#include <cstdint>     // uint64_t
#include <filesystem>  // is_regular_file
#include <set>         // set
#include <string>      // string
#include <utility>     // pair
#include <vector>      // vector

#include "adapter/error.hpp"
#include "pipeline/picture.hpp"

namespace hunyuan_generate {

/// One picture of a run.
struct Picture {
  std::size_t size = 0;  ///< which of the sizes that were asked for
  std::uint64_t seed = 0;
  std::size_t index = 0;  ///< counts all pictures of a run
  std::string pixels;     ///< "{size}" in names: HEIGHTxWIDTH, or the size as it was asked for
};

/// The pictures of `count` seeds from `seed` on, in each of `sizes`.
inline std::vector<Picture> pictures_of(const std::vector<std::string>& sizes, std::uint64_t seed, std::int32_t count) {
  std::vector<Picture> pictures;
  for (std::size_t size = 0; size < sizes.size(); ++size) {
    for (std::int32_t i = 0; i < count; ++i)
      pictures.push_back({size, seed + static_cast<std::uint64_t>(i), pictures.size(), sizes[size]});
  }
  return pictures;
}

/// Names of files made from patterns: {seed}, {index} and {size} are filled in.
class OutputNames {
 public:
  /// Where two of the pictures would get one name, the number goes in front of the ending. Throws Error when nothing
  /// can be written at one of the names (see require_picture_path).
  OutputNames(std::vector<std::string> patterns, const std::vector<Picture>& pictures)
      : patterns_(std::move(patterns)) {
    for (std::string& pattern : patterns_) {
      std::set<std::string> names;
      for (const Picture& picture : pictures) names.insert(filled_in(pattern, picture));
      if (names.size() < pictures.size()) {
        const std::size_t dot = pattern.rfind('.');
        if (dot != std::string::npos) pattern.insert(dot, "_{index}");
      }
      for (const Picture& picture : pictures) require_picture_path(filled_in(pattern, picture));
    }
    const std::set<std::string> different(patterns_.begin(), patterns_.end());
    if (different.size() < patterns_.size()) throw Error("--out: the same name is given twice");
  }

  /// The files of a picture, one for each pattern.
  [[nodiscard]] std::vector<std::string> of(const Picture& picture) const {
    std::vector<std::string> names;
    for (const std::string& pattern : patterns_) names.push_back(filled_in(pattern, picture));
    return names;
  }

  /// Whether all of them are there. A file appears complete or not at all, so that such a picture is done. Throws Error
  /// where a name depends on pixels that are not known beforehand.
  [[nodiscard]] bool all_exist(const Picture& picture) const {
    for (const std::string& pattern : patterns_) {
      if (pattern.find("{size}") != std::string::npos)
        throw Error("--resume: " + pattern + " depends on a size that is known afterwards; use {index} and {seed}");
    }
    for (const std::string& name : of(picture)) {
      if (!std::filesystem::is_regular_file(name)) return false;
    }
    return true;
  }

 private:
  static std::string filled_in(std::string path, const Picture& picture) {
    const std::pair<std::string, std::string> fields[] = {{"{seed}", std::to_string(picture.seed)},
                                                          {"{index}", std::to_string(picture.index)},
                                                          {"{size}", picture.pixels}};
    for (const auto& [field, value] : fields) {
      for (std::size_t at = path.find(field); at != std::string::npos; at = path.find(field, at + value.size()))
        path.replace(at, field.size(), value);
    }
    return path;
  }

  std::vector<std::string> patterns_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_OUTPUTS_HPP
