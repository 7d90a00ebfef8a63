// SPDX-License-Identifier: MIT
// Lists of pictures as the tool reads them: CSV, TSV, JSON, identify, exiftool. The first line of an input says how to
// read (c t j i e, then w for width first, then --columns), the rest is the list. It is read twice, in pieces of
// different sizes, with the same result; what was read is written as CSV and as JSON lines and read again.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "failure.hpp"
#include "fuzz.hpp"
#include "list_formats.hpp"
#include "tool_memory.hpp"

namespace {

using namespace hunyuan_reso;
using namespace hunyuan_reso::cli;

struct Picture {
  std::uint64_t line = 0;
  std::string name;
  Resolution stored{};
  std::int32_t orientation = 0;
  std::string refusal;  ///< empty for an entry
};

bool same(const Picture& a, const Picture& b) {
  return a.line == b.line && a.name == b.name && a.stored == b.stored && a.orientation == b.orientation &&
         a.refusal == b.refusal;
}

/// No byte that a terminal would take as a command.
bool is_showable(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20U && c != '\n') || byte == 0x7FU) return false;
  }
  return !text.empty();
}

class Collector final : public ListSink {
 public:
  std::vector<Picture> pictures;
  std::uint64_t lines = 0;  ///< of the list
  int begun = 0;
  bool has_orientations = false;

  void entry(const ListEntry& entry) override {
    ALWAYS(begun == 1);
    ALWAYS(entry.stored.is_positive() && entry.orientation >= 0 && entry.orientation <= 8);
    add({entry.line, std::string(entry.name), entry.stored, entry.orientation, ""});
  }
  void refuse(std::uint64_t line, std::string_view name, const std::string& reason) override {
    ALWAYS(is_showable(reason));
    add({line, std::string(name), {}, 0, reason});
  }
  void begin(const std::string& reading, bool, bool orientations, std::uint64_t header_lines) override {
    ALWAYS(++begun == 1 && is_showable(reading) && header_lines <= lines);
    has_orientations = orientations;
  }
  void lines_read(std::uint64_t number, bool) override { ALWAYS(number <= lines); }
  [[nodiscard]] bool stopped() const override { return false; }

 private:
  void add(Picture picture) {
    ALWAYS(picture.line >= 1 && picture.line <= lines);
    ALWAYS(pictures.empty() || pictures.back().line <= picture.line);
    pictures.push_back(std::move(picture));
  }
};

/// What reading gave: pictures, or why there was none.
struct Reading {
  std::vector<Picture> pictures;
  std::string refused;
};

Reading read(const ListSource& source, std::string_view list, std::size_t piece_size) {
  hunyuan_reso_fuzz::tool_memory() = {list, piece_size};
  Collector collector;
  collector.lines = 1;
  for (const char c : list) collector.lines += c == '\n' ? 1 : 0;
  Reading reading;
  try {
    LineReader reader(0);
    read_list(source, reader, collector);
    ALWAYS(collector.begun == 1);
  } catch (const Refusal& refusal) {
    reading.refused = refusal.what();
    ALWAYS(is_showable(reading.refused));
  } catch (const UsageError& error) {
    reading.refused = error.what();
    ALWAYS(is_showable(reading.refused));
  }
  reading.pictures = std::move(collector.pictures);
  return reading;
}

void check_same(const Reading& a, const Reading& b) {
  ALWAYS(a.refused == b.refused && a.pictures.size() == b.pictures.size());
  for (std::size_t i = 0; i < a.pictures.size(); ++i) ALWAYS(same(a.pictures[i], b.pictures[i]));
}

/// Whether a name comes through a quoted field and a JSON string: no line ends of two bytes, no zeros, UTF-8.
bool is_plain_name(const std::string& name, std::string& json) {
  if (name.find_first_of(std::string_view("\r\0", 2)) != std::string::npos || name.size() > 1000) return false;
  if (std::count(name.begin(), name.end(), '\n') > 50) return false;
  try {
    json = nlohmann::json(name).dump();
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
  return true;
}

void check_written(const std::vector<Picture>& pictures) {
  std::string csv = "orientation,height,name,width\n";
  std::string lines;
  std::vector<Picture> expected;
  for (const Picture& picture : pictures) {
    std::string json;
    if (!picture.refusal.empty() || !is_plain_name(picture.name, json)) continue;
    const std::string height = std::to_string(picture.stored.height);
    const std::string width = std::to_string(picture.stored.width);
    const std::string orientation = picture.orientation == 0 ? "" : std::to_string(picture.orientation);
    csv += orientation + ',' + height + ",\"" + replaced(picture.name, "\"", "\"\"") + "\"," + width + '\n';
    lines += "{\"width\":" + width + ",\"name\":" + json + ",\"height\":" + height + ",\"Orientation\":\"" +
             orientation + "\"}\n";
    expected.push_back(picture);
  }
  if (expected.empty()) return;
  for (const bool is_csv : {true, false}) {
    ListSource source;
    source.format = is_csv ? "csv" : "jsonl";
    const Reading reading = read(source, is_csv ? csv : lines, 0);
    ALWAYS(reading.refused.empty() && reading.pictures.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      Picture found = reading.pictures[i];
      found.line = expected[i].line;
      ALWAYS(same(found, expected[i]));
    }
  }
}

}  // namespace

FUZZ_TARGET(list) {
  hunyuan_reso_fuzz::Bytes bytes(input);
  std::string_view how = bytes.line();
  const char format = how.empty() ? 'c' : how.front();
  if (!how.empty()) how.remove_prefix(1);
  ListSource source;
  source.format = format == 't'   ? "tsv"
                  : format == 'j' ? "jsonl"
                  : format == 'i' ? "identify"
                  : format == 'e' ? "exiftool"
                                  : "csv";
  if (!how.empty() && how.front() == 'w') {
    source.order = SideOrder::width_height;
    how.remove_prefix(1);
  }
  if (!how.empty() && how.front() == 'o') {
    source.reads_orientation = false;
    how.remove_prefix(1);
  }
  if (!how.empty()) {
    try {
      source.columns = ColumnChoice::parse(std::string(how));
    } catch (const UsageError& error) {
      return ALWAYS(is_showable(error.what()));
    } catch (const Refusal& error) {
      return ALWAYS(is_showable(error.what()));
    }
  }
  const std::string_view list = bytes.rest();
  const Reading whole = read(source, list, 0);
  check_same(whole, read(source, list, 1 + list.size() % 13));
  check_written(whole.pictures);
}
