// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_LIST_ENTRY_HPP
#define HUNYUAN_RESO_CLI_LIST_ENTRY_HPP

#include <cstdint>
#include <hunyuan_reso/resolution.hpp>
#include <string>
#include <string_view>

namespace hunyuan_reso::cli {

/// A picture of a list.
struct ListEntry {
  std::uint64_t line = 0;  ///< where it begins, from 1
  std::string_view name;
  Resolution stored{};           ///< pixels, before the orientation
  std::int32_t orientation = 0;  ///< EXIF, 1 to 8; 0: none is given
};

/// What a reader of lists hands over, in the order of the list.
class ListSink {
 public:
  virtual void entry(const ListEntry& entry) = 0;
  /// An entry that cannot be read; the name is empty where that cannot be read either.
  virtual void refuse(std::uint64_t line, std::string_view name, const std::string& reason) = 0;
  /// Called once the columns are known: "csv: width from column 2 'width', ...", and whether names and orientations
  /// will come.
  virtual void begin(const std::string& reading, bool has_names, bool has_orientations, std::uint64_t header_lines) = 0;
  /// Called from time to time with the number of lines that were read.
  virtual void lines_read(std::uint64_t lines, bool more_waiting) = 0;
  /// Whether reading should end.
  [[nodiscard]] virtual bool stopped() const = 0;

 protected:
  ~ListSink() = default;
};

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_LIST_ENTRY_HPP
