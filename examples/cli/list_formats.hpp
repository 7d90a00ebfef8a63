// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_LIST_FORMATS_HPP
#define HUNYUAN_RESO_CLI_LIST_FORMATS_HPP

#include <string>
#include <string_view>
#include <vector>

#include "line_reader.hpp"
#include "list_columns.hpp"

namespace hunyuan_reso::cli {

/// What is to be read, and how.
struct ListSource {
  std::string format;  ///< csv, tsv, jsonl, identify, exiftool
  ColumnChoice columns;
  SideOrder order = SideOrder::height_width;  ///< of a column that holds both sides; not of exiftool's
  bool reads_orientation = true;
};

/// The formats that have names and are read here; `sizes`, the plain list, is not among them.
[[nodiscard]] std::vector<std::string> named_list_formats();

/// Reads a whole list. Throws Refusal where it cannot be read at all; entries that cannot be read go to the sink.
void read_list(const ListSource& source, LineReader& reader, ListSink& sink);

// The readers. `first` is the block that was read to find the format out.

enum class Quotes { by_library, none };
void read_delimited(const ListSource& source, char delimiter, Quotes quotes, const LineReader::Block& first,
                    LineReader& reader, ListSink& sink);
void read_json_lines(const ListSource& source, const LineReader::Block& first, LineReader& reader, ListSink& sink);
void read_json_array(const ListSource& source, const LineReader::Block& first, LineReader& reader, ListSink& sink);
void read_identify(const LineReader::Block& first, LineReader& reader, ListSink& sink);

/// Whether exiftool's ImageSize, width first, counts as a size.
[[nodiscard]] inline bool takes_image_size(const ListSource& source) { return source.format == "exiftool"; }
[[nodiscard]] inline SideOrder order_of_sizes(const ListSource& source) {
  return takes_image_size(source) ? SideOrder::width_height : source.order;
}

/// Calls `on_line(line, number)` for each line, its line end cut off.
template <class OnLine>
void for_each_line(LineReader::Block block, LineReader& reader, ListSink& sink, OnLine&& on_line) {
  std::uint64_t number = 0;
  for (; !block.at_end && !sink.stopped(); block = reader.next()) {
    if (block.too_long) {
      sink.refuse(++number, "", "expected a line of at most " + std::to_string(LineReader::longest_line) + " bytes");
      sink.lines_read(number, true);
      continue;
    }
    std::string_view lines = block.lines;
    while (!lines.empty() && !sink.stopped()) {
      const std::size_t end = lines.find('\n');
      std::string_view line = lines.substr(0, end);
      lines.remove_prefix(end + 1);
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      on_line(line, ++number);
    }
    sink.lines_read(number, block.more_waiting);
  }
}

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_LIST_FORMATS_HPP
