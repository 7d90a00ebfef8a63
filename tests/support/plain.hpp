// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_SUPPORT_PLAIN_HPP
#define HUNYUAN_RESO_TESTS_SUPPORT_PLAIN_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

/// The rules of the published releases written down once more, plainly and in double, without a line of the library.
/// plain.cpp is compiled with strict floating-point flags whatever the rest of a test program is compiled with, so its
/// answers are the reference under any flags.
namespace hunyuan_reso_test {
namespace plain {

struct Size {
  std::int32_t height = 0;
  std::int32_t width = 0;
};
inline bool operator==(const Size& a, const Size& b) { return a.height == b.height && a.width == b.width; }

/// Parameters of a group; step 0 is base_size / 16; scaled extras as describes them.
struct Parameters {
  std::int32_t base_size = 1024;
  std::int32_t step = 0;
  std::int32_t align = 16;
  std::vector<Size> extras{};
  bool scaled = false;
};
/// What the releases use.
Parameters instruct(std::int32_t base_size = 1024);
Parameters base(std::int32_t base_size = 1024);
Parameters panorama(std::int32_t base_size = 1024);

class Group {
 public:
  explicit Group(const Parameters& parameters);
  /// Any list of rows.
  explicit Group(const std::vector<Size>& rows);

  const std::vector<Size>& rows() const { return rows_; }
  /// First row that minimises |row ratio - height / width| in double.
  std::size_t nearest_index(std::int32_t width, std::int32_t height) const;
  /// Whether these two rows are equally far from the size, in double and as exact fractions.
  bool ties_in_double(std::size_t i, std::size_t j, Size size) const;
  bool ties_exactly(std::size_t i, std::size_t j, Size size) const;
  /// Row numbers by ascending ratio; of rows that have one ratio in double, the first.
  std::vector<std::size_t> order() const;

 private:
  void add_row(Size row);
  std::vector<Size> rows_{};
  std::vector<Size> reduced_{};  // rows in lowest terms
  std::vector<double> ratios_{};
};

struct Crop {
  std::int64_t resized_height = 0;
  std::int64_t resized_width = 0;
  std::int64_t top = 0;
  std::int64_t left = 0;
};
Crop resize_and_center_crop(Size original, Size target);

/// The bit set that golden files attach to a resize and crop (resize_crop.json names the bits).
int crop_flags(Size original, Size target);

struct Alignment {
  bool resize = false;
  std::int64_t height = 0;
  std::int64_t width = 0;
};
Alignment align_output(const Group& group, std::int32_t base_size, Size output, const std::vector<Size>& originals);

/// The ViT's grid (rows, columns) for an original, by bisection on scales in double; more than `most` cells where no
/// scale is small enough.
Size vit_grid(Size original, std::int32_t patch, std::int32_t most);

// The processor's own operations, behind a function call so that nothing folds or reorders them.
double divide(double a, double b);
double distance(double a, double b);
double multiply(double a, double b);
double square_root(double a);
double round_half_even(double a);

}  // namespace plain
}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_SUPPORT_PLAIN_HPP
