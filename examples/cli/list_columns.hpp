// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_LIST_COLUMNS_HPP
#define HUNYUAN_RESO_CLI_LIST_COLUMNS_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <hunyuan_reso/resolution.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "list_entry.hpp"
#include "side_order.hpp"

namespace hunyuan_reso::cli {

/// What a column of a list (or a key of a JSON object) says about a picture.
enum class ColumnRole : std::size_t { name, width, height, orientation, size };
inline constexpr std::size_t column_roles = 5;
[[nodiscard]] const char* name_of(ColumnRole role);

/// The role of a column by its name, such as `ImageWidth`; `rank` says which one is taken where several say the same.
struct RecognizedColumn {
  bool known = false;
  ColumnRole role = ColumnRole::name;
  int rank = 0;
};
/// `takes_size`: ImageSize counts, as exiftool writes it.
[[nodiscard]] RecognizedColumn recognize_column(std::string_view name, bool takes_size);

/// The value of --columns: "name=2,width=4,height=5", by numbers from 1 or by names.
struct ColumnChoice {
  struct Source {
    std::size_t number = 0;  ///< from 1; 0: by its name, or not chosen
    std::string name;
    [[nodiscard]] bool chosen() const { return number != 0 || !name.empty(); }
  };
  std::array<Source, column_roles> sources;

  [[nodiscard]] const Source& of(ColumnRole role) const { return sources[static_cast<std::size_t>(role)]; }
  [[nodiscard]] bool any() const;
  /// Throws UsageError.
  [[nodiscard]] static ColumnChoice parse(const std::string& text);
};

/// Where the columns of a table are. Numbers from 0; `none` where there is no such column.
struct ColumnPlaces {
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::array<std::size_t, column_roles> places{none, none, none, none, none};
  std::array<std::string, column_roles> names;  ///< as the header has them; empty without a header
  bool has_header = false;

  [[nodiscard]] std::size_t of(ColumnRole role) const { return places[static_cast<std::size_t>(role)]; }
  [[nodiscard]] bool has(ColumnRole role) const { return of(role) != none; }
  [[nodiscard]] std::size_t last() const;
  /// "width from column 2 'width', height from column 3 'height', name from column 1 'file'".
  [[nodiscard]] std::string sentence() const;
};

/// Finds the columns from the first record of a table. Throws Refusal that says what is missing or said twice.
[[nodiscard]] ColumnPlaces find_columns(const std::vector<std::string_view>& first_record, const ColumnChoice& choice,
                                        bool takes_size);

/// The cells of one picture, by role.
struct EntryCells {
  std::array<std::string_view, column_roles> cells;
  std::array<bool, column_roles> given{};

  [[nodiscard]] std::string_view of(ColumnRole role) const { return cells[static_cast<std::size_t>(role)]; }
  [[nodiscard]] bool has(ColumnRole role) const { return given[static_cast<std::size_t>(role)]; }
};

/// Makes an entry of cells and hands it to the sink, or refuses it with the reason. `order`: of a size in one cell.
void hand_over(const EntryCells& cells, std::uint64_t line, SideOrder order, bool reads_orientation, ListSink& sink);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_LIST_COLUMNS_HPP
