// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_BUCKETS_HPP
#define HUNYUAN_RESO_CLI_BUCKETS_HPP

#include <string>
#include <vector>

#include "options.hpp"

namespace hunyuan_reso::cli {

/// A row of a group with the sizes that snap to it.
struct Bucket {
  Preset preset{};
  bool is_extra = false;
  bool is_published = false;  ///< the checkpoint was trained on this row
  bool is_reachable = false;  ///< false for a row whose ratio an earlier row has already
  Resolution snaps_above{};   ///< sizes with a larger height / width than this snap here; 0x0: no lower end
  Resolution snaps_up_to{};   ///< and those up to this one's ratio; 0x0: no upper end
};

/// The buckets of a group in order of the ratio index.
[[nodiscard]] std::vector<Bucket> buckets_of(const Selection& selection);

/// The extra rows are absolute and the base size is not the trained one, so that they are out of scale.
[[nodiscard]] bool has_extras_out_of_scale(const Selection& selection);

/// The nearest generated rows by ratio on both sides of a row, for comparison; the same one twice at an end.
struct Neighbours {
  Resolution lower{};
  Resolution upper{};
};
[[nodiscard]] Neighbours generated_neighbours(const Selection& selection, std::size_t ratio_index);

/// The picture of the buckets, drawn to scale: a standalone SVG document.
[[nodiscard]] std::string buckets_svg(const Selection& selection);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_BUCKETS_HPP
