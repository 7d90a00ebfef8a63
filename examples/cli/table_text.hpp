// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_TABLE_TEXT_HPP
#define HUNYUAN_RESO_CLI_TABLE_TEXT_HPP

#include <cstdint>
#include <hunyuan_reso/resolution.hpp>
#include <hunyuan_reso/result.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "side_order.hpp"

namespace hunyuan_reso::cli {

using Json = nlohmann::ordered_json;

/// A value for programs and, where it differs, its form for people.
struct Cell {
  Json value;
  std::string text;  ///< empty: made from the value

  template <class Value, std::enable_if_t<!std::is_same_v<std::decay_t<Value>, Cell>, int> = 0>
  Cell(Value&& v) : value(std::forward<Value>(v)) {}  // NOLINT(google-explicit-constructor)
  Cell(Json v, std::string t) : value(std::move(v)), text(std::move(t)) {}

  [[nodiscard]] std::string for_people() const;
  [[nodiscard]] std::string for_csv() const;
};

/// Who sees a column.
enum class Audience { all, people, programs };

struct Column {
  const char* key;      ///< name in CSV and JSON
  std::string heading;  ///< name in text
  Audience audience = Audience::all;
  bool left = false;  ///< text columns are set flush right unless this is set
};

/// Rows under columns, written as aligned text, as CSV or as JSON objects.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// One cell a column, those that the audience does not see included.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string csv() const;
  [[nodiscard]] Json json() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// {"height": ..., "width": ...}, pixels.
[[nodiscard]] Json size_json(Resolution size);

/// JSON as the tool prints it: two blanks of indentation, bytes that are no UTF-8 replaced, a final line feed.
[[nodiscard]] std::string dump(const Json& json);

/// Breaks a text into lines of at most 100 columns, the later ones indented; ends with a line feed.
[[nodiscard]] std::string wrapped(const std::string& first, const std::string& text, std::size_t indent);

/// A number with that many digits after the point.
[[nodiscard]] std::string fixed(double value, int digits);

/// A share of 0 .. 1 as a percentage with two decimals.
[[nodiscard]] std::string percent_text(double share);
/// HEIGHTxWIDTH, or the other way round.
[[nodiscard]] std::string size_text(Resolution size, SideOrder order = SideOrder::height_width);
/// "0.79 MP"; small sizes as "3960 pixels".
[[nodiscard]] std::string megapixels_text(std::int64_t pixel_count);
/// "no", "yes".
[[nodiscard]] Cell yes_no(bool value);
/// An id, or null and "none" where there is none.
[[nodiscard]] Cell id_or_none(const Result<TokenId>& id, const char* none = "none");

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_TABLE_TEXT_HPP
