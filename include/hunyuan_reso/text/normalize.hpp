// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_NORMALIZE_HPP
#define HUNYUAN_RESO_TEXT_NORMALIZE_HPP

#include <vector>  // vector

#include "detail/normalization_tables.hpp"
#include "utf8.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {
namespace detail {

/// Normalization Form C with the data of Unicode 9.0, which is what the reference library has: characters that are
/// newer pass unchanged.
class NfcNormalizer {
 public:
  NfcNormalizer() : can_change_(table_limit / 64, 0) {
    for_each_class([&](std::uint32_t first, std::uint32_t count, std::uint32_t) {
      for (std::uint32_t c = first; c < first + count; ++c) mark(c);
    });
    std::vector<bool> composes(decomposition_count, false);
    for (const std::uint16_t row : composition_order) composes[row] = true;
    for (std::size_t i = 0; i < decomposition_count; ++i) {
      if (composes[i]) {
        mark(decomposition_rows[3 * i + 2]);
      } else {
        mark(decomposition_rows[3 * i]);
      }
    }
    for (std::uint32_t c = hangul_v; c < hangul_v + v_count; ++c) mark(c);
    for (std::uint32_t c = hangul_t + 1; c < hangul_t + t_count; ++c) mark(c);
  }

  /// Sets `out` to the normal form of valid UTF-8 and returns it, or returns `input` itself where that is one already.
  [[nodiscard]] std::string_view normalize(std::string_view input, std::string& out) const {
    const unsigned char* p = reinterpret_cast<const unsigned char*>(input.data());
    std::size_t copied = 0;       // input before this is in `out`
    std::size_t last_stable = 0;  // start of the last character that nothing before it can change
    std::size_t i = 0;
    bool changed = false;
    Buffers buffers;
    while (i < input.size()) {
      if (p[i] < 0x80U) {
        last_stable = i++;
        continue;
      }
      const CodePoint c = decode_valid(p + i);
      if (!can_change(c.value)) {
        last_stable = i;
        i += c.length;
        continue;
      }
      std::size_t end = i + c.length;
      while (end < input.size()) {
        const CodePoint next = decode_valid(p + end);
        if (!can_change(next.value)) break;
        end += next.length;
      }
      if (!changed) {
        out.clear();
        changed = true;
      }
      out.append(input.data() + copied, last_stable - copied);
      normalize_part(input.substr(last_stable, end - last_stable), out, buffers);
      copied = last_stable = i = end;
    }
    if (!changed) return input;
    out.append(input.data() + copied, input.size() - copied);
    return out;
  }

 private:
  struct Unit {
    std::uint32_t value;
    std::uint32_t combining_class;
  };
  struct Buffers {
    std::vector<Unit> units;
    std::vector<Unit> sorted;
  };

  static constexpr std::uint32_t table_limit = 0x30000;  // beyond it nothing changes
  static constexpr std::size_t decomposition_count = sizeof(decomposition_rows) / sizeof(decomposition_rows[0]) / 3;
  static constexpr std::uint32_t hangul_s = 0xAC00, hangul_l = 0x1100, hangul_v = 0x1161, hangul_t = 0x11A7;
  static constexpr std::uint32_t l_count = 19, v_count = 21, t_count = 28, s_count = l_count * v_count * t_count;

  template <class Visit>
  static void for_each_class(Visit&& visit) {
    constexpr std::size_t size = sizeof(combining_class_rows) / sizeof(combining_class_rows[0]);
    for (std::size_t i = 0; i < size; i += 3) {
      visit(combining_class_rows[i], combining_class_rows[i + 1], combining_class_rows[i + 2]);
    }
  }

  void mark(std::uint32_t c) { can_change_[c / 64] |= std::uint64_t{1} << (c % 64); }
  [[nodiscard]] bool can_change(std::uint32_t c) const noexcept {
    return c < table_limit && (can_change_[c / 64] >> (c % 64) & 1U) != 0;
  }

  [[nodiscard]] static std::uint32_t combining_class(std::uint32_t c) noexcept {
    std::size_t low = 0;
    std::size_t high = sizeof(combining_class_rows) / sizeof(combining_class_rows[0]) / 3;
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      const std::uint32_t* row = combining_class_rows + 3 * middle;
      if (c < row[0]) {
        high = middle;
      } else if (c >= row[0] + row[1]) {
        low = middle + 1;
      } else {
        return row[2];
      }
    }
    return 0;
  }

  static void decompose(std::uint32_t c, std::vector<Unit>& out) {
    if (c >= hangul_s && c < hangul_s + s_count) {
      const std::uint32_t index = c - hangul_s;
      out.push_back({hangul_l + index / (v_count * t_count), 0});
      out.push_back({hangul_v + index % (v_count * t_count) / t_count, 0});
      if (index % t_count != 0) out.push_back({hangul_t + index % t_count, 0});
      return;
    }
    // Only the first of a pair decomposes again; the seconds are put out from the innermost to the outermost.
    std::uint32_t seconds[4];
    std::size_t second_count = 0;
    for (;;) {
      const std::uint32_t* row = find_decomposition(c);
      if (row == nullptr) break;
      c = row[1];
      if (row[2] != 0 && second_count < 4) seconds[second_count++] = row[2];
    }
    out.push_back({c, combining_class(c)});
    while (second_count > 0) {
      const std::uint32_t second = seconds[--second_count];
      out.push_back({second, combining_class(second)});
    }
  }

  [[nodiscard]] static const std::uint32_t* find_decomposition(std::uint32_t c) noexcept {
    std::size_t low = 0;
    std::size_t high = decomposition_count;
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      const std::uint32_t* row = decomposition_rows + 3 * middle;
      if (row[0] == c) return row;
      if (row[0] < c) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return nullptr;
  }

  /// The character that two compose to; 0: none.
  [[nodiscard]] static std::uint32_t compose(std::uint32_t a, std::uint32_t b) noexcept {
    if (a >= hangul_l && a < hangul_l + l_count && b >= hangul_v && b < hangul_v + v_count) {
      return hangul_s + ((a - hangul_l) * v_count + (b - hangul_v)) * t_count;
    }
    if (a >= hangul_s && a < hangul_s + s_count && (a - hangul_s) % t_count == 0 && b > hangul_t &&
        b < hangul_t + t_count) {
      return a + (b - hangul_t);
    }
    std::size_t low = 0;
    std::size_t high = sizeof(composition_order) / sizeof(composition_order[0]);
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      const std::uint32_t* row = decomposition_rows + 3 * std::size_t{composition_order[middle]};
      if (row[1] == a && row[2] == b) return row[0];
      if (row[1] < a || (row[1] == a && row[2] < b)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return 0;
  }

  /// Canonical order: each run of marks sorted by class, equal ones left in order, in linear time.
  static void reorder(Buffers& buffers) {
    std::vector<Unit>& units = buffers.units;
    std::size_t i = 0;
    while (i < units.size()) {
      if (units[i].combining_class == 0) {
        ++i;
        continue;
      }
      std::size_t end = i + 1;
      bool is_sorted = true;
      while (end < units.size() && units[end].combining_class != 0) {
        is_sorted = is_sorted && units[end - 1].combining_class <= units[end].combining_class;
        ++end;
      }
      if (!is_sorted) sort_by_class(units, i, end, buffers.sorted);
      i = end;
    }
  }

  static void sort_by_class(std::vector<Unit>& units, std::size_t begin, std::size_t end, std::vector<Unit>& sorted) {
    std::size_t starts[257] = {};
    for (std::size_t i = begin; i < end; ++i) ++starts[units[i].combining_class + 1];
    for (std::size_t c = 1; c < 257; ++c) starts[c] += starts[c - 1];
    sorted.resize(end - begin);
    for (std::size_t i = begin; i < end; ++i) sorted[starts[units[i].combining_class]++] = units[i];
    for (std::size_t i = begin; i < end; ++i) units[i] = sorted[i - begin];
  }

  static void normalize_part(std::string_view part, std::string& out, Buffers& buffers) {
    std::vector<Unit>& units = buffers.units;
    units.clear();
    const unsigned char* p = reinterpret_cast<const unsigned char*>(part.data());
    for (std::size_t i = 0; i < part.size();) {
      const CodePoint c = decode_valid(p + i);
      decompose(c.value, units);
      i += c.length;
    }
    reorder(buffers);
    // Compose onto the last starter whatever no mark of the same or a higher class blocks.
    std::size_t kept = 0;
    std::size_t starter = units.size();  // none yet
    for (std::size_t i = 0; i < units.size(); ++i) {
      const Unit unit = units[i];
      const bool is_adjacent = starter + 1 == kept;
      const bool is_blocked =
          starter == units.size() || (!is_adjacent && units[kept - 1].combining_class >= unit.combining_class);
      const std::uint32_t composed = is_blocked ? 0 : compose(units[starter].value, unit.value);
      if (composed != 0) {
        units[starter].value = composed;
        continue;
      }
      if (unit.combining_class == 0) starter = kept;
      units[kept++] = unit;
    }
    for (std::size_t i = 0; i < kept; ++i) append_utf8(out, units[i].value);
  }

  std::vector<std::uint64_t> can_change_;
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_NORMALIZE_HPP
