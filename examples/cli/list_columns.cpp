// SPDX-License-Identifier: MIT
#include "list_columns.hpp"

#include <algorithm>

#include "exif_orientation.hpp"
#include "failure.hpp"
#include "numbers.hpp"
#include "size_list.hpp"

namespace hunyuan_reso::cli {
namespace {

struct KnownName {
  const char* name;  ///< lower case, without blanks, '_' and '-'
  ColumnRole role;
};
/// Of names that say the same the first one here is taken.
constexpr KnownName known_names[] = {
    {"sourcefile", ColumnRole::name},
    {"path", ColumnRole::name},
    {"filepath", ColumnRole::name},
    {"imagepath", ColumnRole::name},
    {"filename", ColumnRole::name},
    {"file", ColumnRole::name},
    {"name", ColumnRole::name},
    {"image", ColumnRole::name},
    {"url", ColumnRole::name},
    {"width", ColumnRole::width},
    {"imagewidth", ColumnRole::width},
    {"w", ColumnRole::width},
    {"height", ColumnRole::height},
    {"imageheight", ColumnRole::height},
    {"h", ColumnRole::height},
    {"orientation", ColumnRole::orientation},
    {"exiforientation", ColumnRole::orientation},
    {"imagesize", ColumnRole::size},
};

/// "EXIF:Image Width" as "imagewidth".
std::string plain_name(std::string_view name) {
  if (const std::size_t group = name.rfind(':'); group != std::string_view::npos) name.remove_prefix(group + 1);
  std::string plain;
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '-' || c == '\t') continue;
    plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return plain;
}

bool has_digit(std::string_view text) { return text.find_first_of("0123456789") != std::string_view::npos; }

std::size_t position_of(const std::vector<std::string_view>& record, const std::string& name) {
  const auto found = std::find(record.begin(), record.end(), name);
  return found == record.end() ? ColumnPlaces::none : static_cast<std::size_t>(found - record.begin());
}

bool says_size(const ColumnPlaces& places) {
  return (places.has(ColumnRole::width) && places.has(ColumnRole::height)) || places.has(ColumnRole::size);
}

/// Whether the cells for the size are words: a header that --columns has made needless.
bool looks_like_header(const std::vector<std::string_view>& record, const ColumnPlaces& places) {
  for (const ColumnRole role : {ColumnRole::width, ColumnRole::height, ColumnRole::size}) {
    if (!places.has(role)) continue;
    const std::size_t place = places.of(role);
    if (place >= record.size() || record[place].empty() || record[place] == "-" || has_digit(record[place]))
      return false;
  }
  return true;
}

/// The columns that nobody chose, by the names of a header; says so where two names mean the same.
void recognize(const std::vector<std::string_view>& header, bool takes_size, ColumnPlaces& places) {
  const ColumnPlaces chosen = places;
  std::array<int, column_roles> ranks{};
  for (std::size_t i = 0; i < header.size(); ++i) {
    const RecognizedColumn column = recognize_column(header[i], takes_size);
    if (!column.known || chosen.has(column.role)) continue;
    const auto role = static_cast<std::size_t>(column.role);
    std::size_t& place = places.places[role];
    if (place == ColumnPlaces::none || (column.role == ColumnRole::name && column.rank < ranks[role])) {
      place = i;
      ranks[role] = column.rank;
    } else if (column.role != ColumnRole::name) {
      throw Refusal("the columns '" + printable(header[place]) + "' and '" + printable(header[i]) + "' both say the " +
                    name_of(column.role) + ": choose one with --columns " + name_of(column.role) + "=" +
                    std::to_string(place + 1));
    }
  }
}

[[noreturn]] void refuse_columns(const std::vector<std::string_view>& record, const ColumnPlaces& places) {
  std::string missing;
  for (const ColumnRole role : {ColumnRole::width, ColumnRole::height}) {
    if (!places.has(role)) missing += (missing.empty() ? "" : " and ") + std::string(name_of(role));
  }
  std::string found;
  for (std::size_t i = 0; i < record.size() && i < 8; ++i) {
    found += (i == 0 ? "'" : ", '") + printable(record[i], 20) + "'";
  }
  if (record.size() > 8) found += ", ...";
  throw Refusal("no column for " + missing + " in the first line (" + found +
                "): expected a header with width and height (or ImageWidth, ImageHeight; w, h), or "
                "--columns name=1,width=2,height=3");
}

/// A whole number of pixels in a cell; says what is wrong with it.
Result<std::int32_t> parse_side(std::string_view cell) {
  std::size_t end = 0;
  std::int64_t value = 0;
  for (; end < cell.size() && cell[end] >= '0' && cell[end] <= '9'; ++end) {
    if (value <= max_side) value = value * 10 + (cell[end] - '0');
  }
  if (end == 0) return Errc::expected_number;
  // A column of numbers with gaps comes out of some table programs as 1024.0.
  if (end < cell.size()) {
    const bool is_whole =
        cell[end] == '.' && end + 1 < cell.size() && cell.find_first_not_of('0', end + 1) == std::string_view::npos;
    if (!is_whole) return Errc::expected_end;
  }
  if (value == 0) return Errc::number_not_positive;
  if (value > max_side) return Errc::number_too_large;
  return static_cast<std::int32_t>(value);
}

std::string side_refusal(ColumnRole role, std::string_view cell, Errc error) {
  const std::string side = name_of(role);
  if (cell.empty() || cell == "-") return "the " + side + " is missing";
  const std::string given = side + " '" + spelled(cell) + "': ";
  if (error == Errc::number_not_positive || error == Errc::number_too_large) return given + reason_of(error);
  return given + "expected a whole number of pixels, in decimal digits";
}

}  // namespace

const char* name_of(ColumnRole role) {
  switch (role) {
    case ColumnRole::name:
      return "name";
    case ColumnRole::width:
      return "width";
    case ColumnRole::height:
      return "height";
    case ColumnRole::orientation:
      return "orientation";
    case ColumnRole::size:
      break;
  }
  return "size";
}

RecognizedColumn recognize_column(std::string_view name, bool takes_size) {
  const std::string plain = plain_name(name);
  int rank = 0;
  for (const KnownName& known : known_names) {
    ++rank;
    if (plain == known.name && (takes_size || known.role != ColumnRole::size)) return {true, known.role, rank};
  }
  return {};
}

bool ColumnChoice::any() const {
  return std::any_of(sources.begin(), sources.end(), [](const Source& source) { return source.chosen(); });
}

ColumnChoice ColumnChoice::parse(const std::string& text) {
  ColumnChoice choice;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    const std::string part = text.substr(start, end - start);
    start = end + 1;
    const std::size_t equals = part.find('=');
    std::size_t role = 0;
    while (role < column_roles && part.substr(0, equals) != name_of(static_cast<ColumnRole>(role))) ++role;
    if (equals == std::string::npos || equals + 1 == part.size() || role == column_roles) {
      throw UsageError(
          "--columns: expected name=2,width=4,height=5 (also orientation and size; a number or the name of "
          "a column), but got '" +
          spelled(part) + "'");
    }
    const std::string value = part.substr(equals + 1);
    Source& source = choice.sources[role];
    if (source.chosen()) throw UsageError("--columns: " + part.substr(0, equals) + " is given twice");
    if (value.find_first_not_of("0123456789") == std::string::npos) {
      source.number = static_cast<std::size_t>(read_whole("--columns " + part.substr(0, equals), value, 1, 100000));
    } else {
      source.name = value;
    }
  }
  return choice;
}

std::size_t ColumnPlaces::last() const {
  std::size_t last = 0;
  for (const std::size_t place : places) last = place == none ? last : std::max(last, place);
  return last;
}

std::string ColumnPlaces::sentence() const {
  std::string text;
  for (const ColumnRole role :
       {ColumnRole::size, ColumnRole::width, ColumnRole::height, ColumnRole::orientation, ColumnRole::name}) {
    if (!has(role)) continue;
    text += (text.empty() ? "" : ", ") + std::string(name_of(role)) + " from column " + std::to_string(of(role) + 1);
    const std::string& name = names[static_cast<std::size_t>(role)];
    if (!name.empty()) text += " '" + printable(name, 30) + "'";
  }
  return text;
}

ColumnPlaces find_columns(const std::vector<std::string_view>& first_record, const ColumnChoice& choice,
                          bool takes_size) {
  ColumnPlaces places;
  bool all_by_number = true;
  for (std::size_t role = 0; role < column_roles; ++role) {
    const ColumnChoice::Source& source = choice.sources[role];
    if (source.number != 0) places.places[role] = source.number - 1;
    all_by_number = all_by_number && source.name.empty();
  }
  places.has_header = !all_by_number || !says_size(places) || looks_like_header(first_record, places);
  if (!places.has_header) return places;
  for (std::size_t role = 0; role < column_roles; ++role) {
    const std::string& name = choice.sources[role].name;
    if (name.empty()) continue;
    places.places[role] = position_of(first_record, name);
    if (places.places[role] != ColumnPlaces::none) continue;
    throw Refusal("--columns: the first line has no column '" + printable(name) + "'");
  }
  recognize(first_record, takes_size, places);
  if (places.has(ColumnRole::width) && places.has(ColumnRole::height) && !choice.of(ColumnRole::size).chosen()) {
    places.places[static_cast<std::size_t>(ColumnRole::size)] = ColumnPlaces::none;
  }
  if (!says_size(places)) refuse_columns(first_record, places);
  for (std::size_t role = 0; role < column_roles; ++role) {
    if (places.places[role] < first_record.size()) places.names[role] = first_record[places.places[role]];
  }
  return places;
}

void hand_over(const EntryCells& cells, std::uint64_t line, SideOrder order, bool reads_orientation, ListSink& sink) {
  ListEntry entry;
  entry.line = line;
  entry.name = cells.of(ColumnRole::name);
  const auto refuse = [&](const std::string& reason) { sink.refuse(line, entry.name, reason); };
  if (cells.has(ColumnRole::size)) {
    const std::string_view cell = cells.of(ColumnRole::size);
    if (cell.empty() || cell == "-") return refuse("the size is missing");
    const Result<ImageSize> size = parse_size(cell, ModelProfile{}, order);
    if (!size) return refuse("size '" + spelled(cell) + "': " + size_refusal(cell, size, order));
    if (size->kind != ImageSizeKind::pixels) return refuse("size '" + spelled(cell) + "': expected pixels");
    entry.stored = size->size;
  } else {
    for (const ColumnRole role : {ColumnRole::width, ColumnRole::height}) {
      if (!cells.has(role)) return refuse("the " + std::string(name_of(role)) + " is missing");
      const Result<std::int32_t> side = parse_side(cells.of(role));
      if (!side) return refuse(side_refusal(role, cells.of(role), side.error()));
      (role == ColumnRole::width ? entry.stored.width : entry.stored.height) = *side;
    }
  }
  if (reads_orientation && cells.has(ColumnRole::orientation)) {
    const std::string_view cell = cells.of(ColumnRole::orientation);
    const Result<std::int32_t> orientation = parse_orientation(cell);
    if (!orientation) {
      return refuse("orientation '" + spelled(cell) + "': expected 1 to 8, or exiftool's words (Rotate 90 CW)");
    }
    entry.orientation = *orientation;
  }
  sink.entry(entry);
}

}  // namespace hunyuan_reso::cli
