// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SNAP_WRITER_HPP
#define HUNYUAN_RESO_CLI_SNAP_WRITER_HPP

#include <cstring>
#include <string>
#include <vector>

#include "options.hpp"
#include "output.hpp"

namespace hunyuan_reso::cli {

/// Writes a line of output for each snapped size of a long list: CSV, a JSON object, or text in columns.
class SnapWriter {
 public:
  SnapWriter(Output& output, const Model& model, const std::string& format, bool with_crop);

  void header();
  /// A size in pixels that went to a row of the group; for speed. Not with crop columns.
  void write_row(std::uint64_t line, Resolution requested, std::size_t ratio_index) {
    char* const start = output_.reserve(line_room);
    char* end = append_request(start, line, requested);
    const Suffix& suffix = suffixes_[ratio_index];
    std::memcpy(end, suffix.text, sizeof suffix.text);
    output_.commit(end + suffix.size);
  }
  /// Any other line.
  void write(std::uint64_t line, const ImageSize& requested, const ImageInfo& info);

 private:
  enum class Form { text, csv, json };
  static constexpr std::size_t line_room = 1024;

  /// What follows the request on the line of a row; fixed room, so that copying it is one known size.
  struct Suffix {
    char text[192];
    std::size_t size;
  };

  char* append_request(char* out, std::uint64_t line, Resolution requested) const;
  [[nodiscard]] std::string result_text(const ImageInfo& info) const;

  Output& output_;
  const Model& model_;
  Form form_ = Form::text;
  bool with_crop_;
  std::vector<Suffix> suffixes_;
};

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SNAP_WRITER_HPP
