// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_BENCH_SUPPORT_PLAIN_GROUP_HPP
#define HUNYUAN_RESO_BENCH_SUPPORT_PLAIN_GROUP_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <hunyuan_reso/group_spec.hpp>

namespace hunyuan_reso_bench {

/// What a program has in place of ResolutionGroup: rows in a vector, their ratios as doubles, and a scan over all of
/// them for the nearest one.
class PlainGroup {
 public:
  struct Row {
    int height;
    int width;
    [[nodiscard]] double ratio() const { return static_cast<double>(height) / width; }
  };

  PlainGroup(int base_size, int step, int align, const std::vector<Row>& extras) {
    rows_.push_back({base_size, base_size});
    grow(base_size, step, align, true);
    grow(base_size, step, align, false);
    std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.ratio() < b.ratio(); });
    for (const Row& extra : extras) {
      const bool is_new = std::none_of(rows_.begin(), rows_.end(), [&extra](const Row& row) {
        return !(row.ratio() < extra.ratio()) && !(extra.ratio() < row.ratio());
      });
      if (is_new) rows_.push_back(extra);
    }
    for (const Row& row : rows_) ratios_.push_back(row.ratio());
  }

  static PlainGroup of(const hunyuan_reso::GroupSpec& spec) {
    std::vector<Row> extras;
    for (std::size_t i = 0; i < spec.extras.count; ++i) {
      extras.push_back({spec.extras.rows[i].height, spec.extras.rows[i].width});
    }
    return PlainGroup(spec.base_size, spec.resolved_step(), spec.align, extras);
  }

  [[nodiscard]] std::size_t nearest(int width, int height) const {
    const double ratio = static_cast<double>(height) / width;
    std::size_t best = 0;
    double best_distance = std::abs(ratios_[0] - ratio);
    for (std::size_t i = 1; i < ratios_.size(); ++i) {
      const double distance = std::abs(ratios_[i] - ratio);
      if (distance < best_distance) {
        best = i;
        best_distance = distance;
      }
    }
    return best;
  }

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

 private:
  void grow(int base_size, int step, int align, bool is_tall) {
    int longer = base_size;
    int shorter = base_size;
    while (longer < 2 * base_size || shorter > base_size / 2) {
      longer = std::min(longer + step, 2 * base_size);
      shorter = std::max(shorter - step, base_size / 2);
      const int a = longer / align * align;
      const int b = shorter / align * align;
      rows_.push_back(is_tall ? Row{a, b} : Row{b, a});
    }
  }

  std::vector<Row> rows_;
  std::vector<double> ratios_;
};

}  // namespace hunyuan_reso_bench

#endif  // HUNYUAN_RESO_BENCH_SUPPORT_PLAIN_GROUP_HPP
