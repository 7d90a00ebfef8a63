// SPDX-License-Identifier: MIT
#include "table_text.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace hunyuan_reso::cli {
namespace {

/// The shortest decimal number that reads back as the same binary64 value.
std::string shortest(double value) {
  char buffer[40];
  for (int digits = 6; digits <= 17; ++digits) {
    static_cast<void>(std::snprintf(buffer, sizeof buffer, "%.*g", digits, value));
    if (std::strtod(buffer, nullptr) == value) break;
  }
  return buffer;
}

std::string unquoted(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return shortest(value.get<double>());
  return value.dump();
}

/// Characters of a UTF-8 text, which is what the columns of a terminal count.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void append_padded(std::string& line, const std::string& text, std::size_t width, bool left) {
  const std::string padding(width - std::min(width, width_of(text)), ' ');
  line += left ? text + padding : padding + text;
}

}  // namespace

std::string Cell::for_people() const {
  if (!text.empty()) return text;
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return value.is_null() ? "-" : unquoted(value);
}

std::string Cell::for_csv() const {
  std::string plain = unquoted(value);
  if (plain.find_first_of(",\"\r\n") == std::string::npos) return plain;
  std::string quoted = "\"";
  for (const char c : plain) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = width_of(columns_[c].heading);
    for (const auto& row : rows_) width = std::max(width, width_of(row[c].for_people()));
    widths.push_back(width);
  }
  std::string out;
  const auto append_line = [&](const auto& text_of) {
    std::string line;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (columns_[c].audience == Audience::programs) continue;
      line += "  ";
      append_padded(line, text_of(c), widths[c], columns_[c].left);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  append_line([&](std::size_t c) { return std::string(columns_[c].heading); });
  for (const auto& row : rows_) append_line([&](std::size_t c) { return row[c].for_people(); });
  return out;
}

std::string Table::csv() const {
  std::string out;
  const auto append_line = [&](const auto& text_of) {
    bool first = true;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (columns_[c].audience == Audience::people) continue;
      if (!first) out += ',';
      first = false;
      out += text_of(c);
    }
    out += '\n';
  };
  append_line([&](std::size_t c) { return std::string(columns_[c].key); });
  for (const auto& row : rows_) append_line([&](std::size_t c) { return row[c].for_csv(); });
  return out;
}

Json Table::json() const {
  Json list = Json::array();
  for (const auto& row : rows_) {
    Json object = Json::object();
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (columns_[c].audience != Audience::people) object[columns_[c].key] = row[c].value;
    }
    list.push_back(std::move(object));
  }
  return list;
}

Json size_json(Resolution size) { return {{"height", size.height}, {"width", size.width}}; }

std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n'; }

std::string wrapped(const std::string& first, const std::string& text, std::size_t indent) {
  std::string out = first;
  std::size_t column = first.size();
  for (std::size_t start = 0; start < text.size();) {
    std::size_t end = text.find(' ', start);
    if (end == std::string::npos) end = text.size();
    if (column + 1 + (end - start) > 100) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (start > 0) {
      out += ' ';
      ++column;
    }
    out += text.substr(start, end - start);
    column += end - start;
    start = end + 1;
  }
  return out + '\n';
}

std::string fixed(double value, int digits) {
  char buffer[400];
  static_cast<void>(std::snprintf(buffer, sizeof buffer, "%.*f", digits, value));
  return buffer;
}

std::string percent_text(double share) { return fixed(100 * share, 2) + " %"; }

std::string size_text(Resolution size, SideOrder order) {
  const bool width_first = order == SideOrder::width_height;
  return std::to_string(width_first ? size.width : size.height) + "x" +
         std::to_string(width_first ? size.height : size.width);
}

std::string megapixels_text(std::int64_t pixel_count) {
  if (pixel_count < 10000) return std::to_string(pixel_count) + " pixels";
  return fixed(static_cast<double>(pixel_count) / 1e6, 2) + " MP";
}

Cell yes_no(bool value) { return {value, value ? "yes" : "no"}; }

Cell id_or_none(const Result<TokenId>& id, const char* none) { return id ? Cell{*id} : Cell{nullptr, none}; }

}  // namespace hunyuan_reso::cli
