// SPDX-License-Identifier: MIT
// What ImageMagick's identify prints by default: NAME FORMAT WIDTHxHEIGHT WIDTHxHEIGHT+X+Y 8-bit sRGB ...
#include "failure.hpp"
#include "list_formats.hpp"

namespace hunyuan_reso::cli {
namespace {

/// Reads digits at the front of a text and cuts them off.
bool take_number(std::string_view& text, std::int64_t& value) {
  std::size_t i = 0;
  for (value = 0; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    if (value <= max_side) value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(i);
  return i > 0;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// "640x480"; false, with any change, for another text.
bool take_pair(std::string_view& text, std::int64_t& width, std::int64_t& height) {
  return take_number(text, width) && take(text, 'x') && take_number(text, height);
}

/// "640x480+0+0" and then a blank or the end.
bool is_page(std::string_view text) {
  std::int64_t number = 0;
  std::int64_t other = 0;
  if (!take_pair(text, number, other)) return false;
  for (int i = 0; i < 2; ++i) {
    if (!take(text, '+') && !take(text, '-')) return false;
    if (!take_number(text, number)) return false;
  }
  return text.empty() || text.front() == ' ';
}

struct Identified {
  std::string_view name;
  std::int64_t width = 0;
  std::int64_t height = 0;
};

/// The last place where a format, a size and a page follow one another: what stands before it is the name.
bool read_line(std::string_view line, Identified& found) {
  for (std::size_t size_at = line.rfind(' '); size_at != std::string_view::npos && size_at > 0;
       size_at = line.rfind(' ', size_at - 1)) {
    std::string_view rest = line.substr(size_at + 1);
    Identified candidate;
    if (!take_pair(rest, candidate.width, candidate.height)) continue;
    // "4000x3000=>1000x750": stored so, read as.
    if (rest.substr(0, 2) == "=>") {
      rest.remove_prefix(2);
      if (!take_pair(rest, candidate.width, candidate.height)) continue;
    }
    if (!take(rest, ' ') || !is_page(rest)) continue;
    const std::size_t format_at = line.rfind(' ', size_at - 1);
    if (format_at == std::string_view::npos || format_at + 1 == size_at || format_at == 0) continue;
    candidate.name = line.substr(0, format_at);
    found = candidate;
    return true;
  }
  return false;
}

}  // namespace

void read_identify(const LineReader::Block& first, LineReader& reader, ListSink& sink) {
  sink.begin("identify, width first", true, false, 0);
  for_each_line(first, reader, sink, [&](std::string_view line, std::uint64_t number) {
    if (line.empty()) return;
    Identified found;
    if (!read_line(line, found)) {
      return sink.refuse(number, line.substr(0, line.find(' ')),
                         "expected a line of identify: NAME FORMAT WIDTHxHEIGHT WIDTHxHEIGHT+X+Y ..., but got '" +
                             printable(line) + "'");
    }
    if (found.width < 1 || found.height < 1 || found.width > max_side || found.height > max_side) {
      return sink.refuse(number, found.name, "sides must be 1 to 2147483647");
    }
    ListEntry entry;
    entry.line = number;
    entry.name = found.name;
    entry.stored = {static_cast<std::int32_t>(found.height), static_cast<std::int32_t>(found.width)};
    sink.entry(entry);
  });
}

}  // namespace hunyuan_reso::cli
