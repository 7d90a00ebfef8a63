// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SNAP_WRITER_HPP
#define HUNYUAN_RESO_CLI_SNAP_WRITER_HPP

#include <cstring>
#include <string>
#include <vector>

#include "output.hpp"
#include "snap_buckets.hpp"
#include "snap_filters.hpp"

namespace hunyuan_reso::cli {

/// The columns beside the usual ones.
struct SnapColumns {
  bool names = false;
  bool orientations = false;
  bool crop = false;
  bool drops = false;
};

/// A line of output.
struct SnapRow {
  std::uint64_t line = 0;
  std::string_view name;
  std::int32_t orientation = 0;
  ImageSize requested{};
  const Place* place = nullptr;  ///< none: the picture was dropped
  bool is_row = false;           ///< `place` is a row of the group
  CropLoss loss{};
  Drop drop = Drop::none;
  std::string_view reason;
};

/// Writes a line of output for each size of a long list: CSV, a JSON object, or text in columns.
class SnapWriter {
 public:
  SnapWriter(Output& output, const Buckets& buckets, const std::string& format);

  /// Once, before the first row.
  void header(const SnapColumns& columns);
  /// A size in pixels that went to a row of the group; for speed. Not with further columns.
  void write_row(std::uint64_t line, Resolution requested, std::size_t ratio_index) {
    char* const start = output_.reserve(line_room);
    char* end = append_request(start, line, requested);
    const Suffix& suffix = suffixes_[ratio_index];
    std::memcpy(end, suffix.text, sizeof suffix.text);
    output_.commit(end + suffix.size);
  }
  /// Any other line.
  void write(const SnapRow& row);

 private:
  enum class Form { text, csv, json };
  static constexpr std::size_t line_room = 1024;

  /// What follows the request on the line of a row; fixed room, so that copying it is one known size.
  struct Suffix {
    char text[192];
    std::size_t size;
  };

  char* append_request(char* out, std::uint64_t line, Resolution requested) const;
  [[nodiscard]] std::string result_text(const Place& place) const;
  [[nodiscard]] std::string no_result_text() const;
  [[nodiscard]] bool write_plain(const SnapRow& row);
  void write_csv(const SnapRow& row);
  void write_json(const SnapRow& row);
  void write_text(const SnapRow& row);
  void append_result(const SnapRow& row);

  Output& output_;
  const Buckets& buckets_;
  Form form_ = Form::text;
  SnapColumns columns_;
  bool is_plain_ = false;  // no columns beside the names
  bool is_wide_first_;
  std::vector<Suffix> suffixes_;
  std::string line_;  // room for one line
};

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SNAP_WRITER_HPP
