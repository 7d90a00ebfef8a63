// SPDX-License-Identifier: MIT
#include "list_formats.hpp"

namespace hunyuan_reso::cli {
namespace {

char first_visible(std::string_view text) {
  const std::size_t at = text.find_first_not_of(" \t\r\n");
  return at == std::string_view::npos ? '\0' : text[at];
}

/// exiftool's three forms: -j is JSON, -csv has a header and commas, -T has tabs and no header.
void read_exiftool(const ListSource& source, const LineReader::Block& first, LineReader& reader, ListSink& sink) {
  const char sign = first_visible(first.lines);
  if (sign == '[') return read_json_array(source, first, reader, sink);
  if (sign == '{') return read_json_lines(source, first, reader, sink);
  const std::string_view line = first.lines.substr(0, first.lines.find('\n'));
  const bool has_tabs = line.find('\t') != std::string_view::npos;
  if (!has_tabs) return read_delimited(source, ',', Quotes::by_library, first, reader, sink);
  return read_delimited(source, '\t', Quotes::none, first, reader, sink);
}

}  // namespace

std::vector<std::string> named_list_formats() { return {"csv", "tsv", "jsonl", "identify", "exiftool"}; }

void read_list(const ListSource& source, LineReader& reader, ListSink& sink) {
  const LineReader::Block first = reader.next();
  if (source.format == "csv") return read_delimited(source, ',', Quotes::by_library, first, reader, sink);
  if (source.format == "tsv") return read_delimited(source, '\t', Quotes::by_library, first, reader, sink);
  if (source.format == "identify") return read_identify(first, reader, sink);
  if (source.format == "exiftool") return read_exiftool(source, first, reader, sink);
  if (first_visible(first.lines) == '[') return read_json_array(source, first, reader, sink);
  return read_json_lines(source, first, reader, sink);
}

}  // namespace hunyuan_reso::cli
