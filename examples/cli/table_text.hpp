// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_TABLE_TEXT_HPP
#define HUNYUAN_RESO_CLI_TABLE_TEXT_HPP

#include <cstdint>
#include <hunyuan_reso/resolution.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

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
  const char* heading;  ///< name in text
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

/// JSON as the tool prints it: two blanks of indentation, bytes that are no UTF-8 replaced, a final line feed.
[[nodiscard]] std::string dump(const Json& json);

/// A number with that many digits after the point.
[[nodiscard]] std::string fixed(double value, int digits);
/// HEIGHTxWIDTH.
[[nodiscard]] std::string size_text(Resolution size);
/// "0.79 MP"; small sizes as "3960 pixels".
[[nodiscard]] std::string megapixels_text(std::int64_t pixel_count);
/// "no", "yes".
[[nodiscard]] Cell yes_no(bool value);
/// A number, or null and "none" where it is negative.
[[nodiscard]] Cell id_or_none(std::int32_t id, const char* none = "none");

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_TABLE_TEXT_HPP
