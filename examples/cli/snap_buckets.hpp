// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SNAP_BUCKETS_HPP
#define HUNYUAN_RESO_CLI_SNAP_BUCKETS_HPP

#include <cmath>
#include <hunyuan_reso/image_info.hpp>
#include <hunyuan_reso/snap_batch.hpp>
#include <string>
#include <vector>

#include "options.hpp"

namespace hunyuan_reso::cli {

/// What resizing and centre cropping does to a picture.
struct CropLoss {
  double share = 0;  ///< of the resized pixels that are cut off; a whole number of 2^-53
  bool enlarged = false;
};

/// The size that pictures are brought to, with what is needed of it at hand.
struct CropTarget {
  explicit CropTarget(Resolution size)
      : height(size.height), width(size.width), ratio(height / width), area(height * width) {}
  double height, width, ratio, area;

  /// resize_and_center_crop in the processor's binary64, for speed: the same sizes where the compiler keeps to
  /// IEEE 754, which a test compares.
  [[nodiscard]] CropLoss loss(Resolution size) const noexcept {
    const double high = size.height;
    const double wide = size.width;
    double resized_area = 0;
    CropLoss loss;
    if (high / wide < ratio) {
      resized_area = height * static_cast<double>(std::llrint(height / high * wide));
      loss.enlarged = height > high;
    } else {
      resized_area = width * static_cast<double>(std::llrint(width / wide * high));
      loss.enlarged = width > wide;
    }
    loss.share = resized_area > area ? 1 - area / resized_area : 0;
    return loss;
  }
};

/// Where a size goes.
struct Place {
  Resolution size{};
  std::size_t ratio_index = 0;
  std::int64_t image_token_length = 0;
  std::int32_t base_size = 0;  ///< 0 with rows of one's own
};

/// The buckets that `snap` goes by: a model's, or rows of one's own.
class Buckets {
 public:
  using Group = BasicResolutionGroup<254>;

  explicit Buckets(const Selection& selection);
  /// `rows`: the value of --rows, a list of sizes or a file. Throws Refusal.
  Buckets(const Selection& selection, const std::string& rows);

  [[nodiscard]] const Selection& selection() const { return selection_; }
  [[nodiscard]] const Group& group() const { return group_; }
  [[nodiscard]] bool has_own_rows() const { return has_own_rows_; }
  /// Whether the pixels asked for can decide the size, so that it need not be one of the rows.
  [[nodiscard]] bool follows_requests() const;

  /// Why `place` refused, as a sentence.
  [[nodiscard]] std::string reason(Errc error) const;
  [[nodiscard]] Result<Place> place(const ImageSize& requested) const;
  [[nodiscard]] Place row(std::size_t ratio_index) const;
  [[nodiscard]] Result<TokenId> ratio_token_id(std::size_t ratio_index) const;
  /// The most that any size of this row can lose (1: there is no limit).
  [[nodiscard]] double largest_possible_share(std::size_t ratio_index) const;

  /// "instruct, base size 2048", "5 rows of one's own".
  [[nodiscard]] std::string title() const;
  /// profile, base_size, extras, grid_mode, order; with rows of one's own: profile, rows, order.
  [[nodiscard]] Json json() const;

 private:
  Selection selection_;
  Group group_;
  bool has_own_rows_ = false;
};

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SNAP_BUCKETS_HPP
