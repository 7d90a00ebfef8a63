// SPDX-License-Identifier: MIT
#include "support/plain.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#if defined(__FAST_MATH__)
#error "the reference must be compiled with strict floating point"
#endif

namespace hunyuan_reso_test {
namespace plain {
namespace {

double ratio_of(Size size) { return static_cast<double>(size.height) / static_cast<double>(size.width); }

std::int32_t scale(std::int32_t side, const Parameters& parameters) {
  const std::int64_t unit = std::int64_t{1024} * parameters.align;
  return static_cast<std::int32_t>((std::int64_t{side} * parameters.base_size + unit / 2) / unit * parameters.align);
}

std::int64_t rounded(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }

}  // namespace

Parameters instruct(std::int32_t base_size) {
  return {base_size, 0, 16, {{1024, 768}, {1280, 720}, {768, 1024}, {720, 1280}}, false};
}
Parameters base(std::int32_t base_size) { return {base_size, 0, 1, {}, false}; }
Parameters panorama(std::int32_t base_size) {
  Parameters parameters = instruct(base_size);
  parameters.extras.push_back({960, 1952});
  return parameters;
}

Group::Group(const Parameters& parameters) {
  const std::int32_t b = parameters.base_size;
  const std::int32_t step = parameters.step == 0 ? b / 16 : parameters.step;
  const std::int32_t align = parameters.align;
  std::vector<Size> rows = {{b, b}};
  const auto floor = [&](std::int32_t side) { return side / align * align; };
  for (std::int32_t h = b, w = b; !(h >= 2 * b && w <= b / 2);) {
    h = std::min(h + step, 2 * b);
    w = std::max(w - step, b / 2);
    rows.push_back({floor(h), floor(w)});
  }
  for (std::int32_t h = b, w = b; !(h <= b / 2 && w >= 2 * b);) {
    h = std::max(h - step, b / 2);
    w = std::min(w + step, 2 * b);
    rows.push_back({floor(h), floor(w)});
  }
  std::stable_sort(rows.begin(), rows.end(), [](Size x, Size y) { return ratio_of(x) < ratio_of(y); });
  for (const Size row : rows) add_row(row);
  for (Size extra : parameters.extras) {
    if (parameters.scaled) extra = {scale(extra.height, parameters), scale(extra.width, parameters)};
    if (std::find(ratios_.begin(), ratios_.end(), ratio_of(extra)) == ratios_.end()) add_row(extra);
  }
}

Group::Group(const std::vector<Size>& rows) {
  for (const Size row : rows) add_row(row);
}

void Group::add_row(Size row) {
  rows_.push_back(row);
  ratios_.push_back(ratio_of(row));
  const std::int32_t divisor = std::gcd(row.height, row.width);
  reduced_.push_back({row.height / divisor, row.width / divisor});
}

std::size_t Group::nearest_index(std::int32_t width, std::int32_t height) const {
  const double ratio = ratio_of({height, width});
  std::size_t best = 0;
  double best_distance = std::fabs(ratios_[0] - ratio);
  for (std::size_t i = 1; i < ratios_.size(); ++i) {
    const double candidate = std::fabs(ratios_[i] - ratio);
    if (candidate < best_distance) {
      best = i;
      best_distance = candidate;
    }
  }
  return best;
}

bool Group::ties_in_double(std::size_t i, std::size_t j, Size size) const {
  return std::fabs(ratios_[i] - ratio_of(size)) == std::fabs(ratios_[j] - ratio_of(size));
}

bool Group::ties_exactly(std::size_t i, std::size_t j, Size size) const {
  // 2 h / w = a / b + c / d. In lowest terms the rows' parts are small, so the products fit 64 bits.
  const auto product = [](std::int32_t x, std::int32_t y) { return std::uint64_t(x) * std::uint64_t(y); };
  const Size first = reduced_[i];
  const Size second = reduced_[j];
  const std::uint64_t sum = product(first.height, second.width) + product(second.height, first.width);
  return 2 * std::uint64_t(size.height) * product(first.width, second.width) == std::uint64_t(size.width) * sum;
}

std::vector<std::size_t> Group::order() const {
  std::vector<std::size_t> result(rows_.size());
  std::iota(result.begin(), result.end(), std::size_t{0});
  std::stable_sort(result.begin(), result.end(), [&](std::size_t a, std::size_t b) { return ratios_[a] < ratios_[b]; });
  const auto same = [&](std::size_t a, std::size_t b) { return ratios_[a] == ratios_[b]; };
  result.erase(std::unique(result.begin(), result.end(), same), result.end());
  return result;
}

Crop resize_and_center_crop(Size original, Size target) {
  const double h = original.height, w = original.width, th = target.height, tw = target.width;
  Crop crop;
  if (h / w < th / tw) {
    crop.resized_height = target.height;
    crop.resized_width = rounded(th / h * w);
  } else {
    crop.resized_width = target.width;
    crop.resized_height = rounded(tw / w * h);
  }
  crop.top = rounded(static_cast<double>(crop.resized_height - target.height) / 2.0);
  crop.left = rounded(static_cast<double>(crop.resized_width - target.width) / 2.0);
  return crop;
}

int crop_flags(Size original, Size target) {
  const double h = original.height, w = original.width, th = target.height, tw = target.width;
  const Crop crop = resize_and_center_crop(original, target);
  const bool height_limited = h / w < th / tw;
  const double product = height_limited ? th / h * w : tw / w * h;
  const double other_order = height_limited ? th * w / h : tw * h / w;
  const std::int64_t result = height_limited ? crop.resized_width : crop.resized_height;
  // The exact quotient in integers, halves to even.
  const std::int64_t side = height_limited ? original.height : original.width;
  const std::int64_t numerator =
      height_limited ? std::int64_t{target.height} * original.width : std::int64_t{target.width} * original.height;
  const std::int64_t twice = 2 * (numerator % side);
  std::int64_t exact = numerator / side;
  if (twice > side || (twice == side && exact % 2 != 0)) ++exact;
  const std::int64_t horizontal = crop.resized_width - target.width;
  const std::int64_t vertical = crop.resized_height - target.height;
  const auto away = [](double value) { return static_cast<std::int64_t>(std::round(value)); };
  const std::int64_t width_away = height_limited ? away(product) : target.width;
  const std::int64_t height_away = height_limited ? target.height : away(product);
  const bool away_differs = width_away != crop.resized_width || height_away != crop.resized_height ||
                            away(static_cast<double>(horizontal) / 2.0) != crop.left ||
                            away(static_cast<double>(vertical) / 2.0) != crop.top;
  return (product - std::floor(product) == 0.5 ? 1 : 0) | (exact != result ? 2 : 0) | (horizontal % 2 != 0 ? 4 : 0) |
         (vertical % 2 != 0 ? 8 : 0) | (height_limited ? 16 : 0) | (h / w == th / tw ? 32 : 0) |
         (rounded(other_order) != result ? 64 : 0) | (away_differs ? 128 : 0);
}

Alignment align_output(const Group& group, std::int32_t base_size, Size output, const std::vector<Size>& originals) {
  const Alignment unchanged{false, output.height, output.width};
  const std::size_t index = group.nearest_index(output.width, output.height);
  for (const Size original : originals) {
    const Size target = group.rows()[group.nearest_index(original.width, original.height)];
    if (group.nearest_index(target.width, target.height) != index) continue;
    if (std::fabs(ratio_of(original) - ratio_of(group.rows()[index])) < 0.01) return unchanged;
    // Callers keep the product below 2^53: upstream divides integers of any length.
    const double area = static_cast<double>(base_size) * static_cast<double>(base_size);
    const double pixels = static_cast<double>(original.width) * static_cast<double>(original.height);
    const double s = std::sqrt(area / pixels);
    return {true, rounded(static_cast<double>(original.height) * s), rounded(static_cast<double>(original.width) * s)};
  }
  return unchanged;
}

Size vit_grid(Size original, std::int32_t patch, std::int32_t most) {
  const double eps = 1e-5;
  double low = eps / 10;
  double high = 100.0;
  const auto cells = [patch](double scale, std::int32_t side) {
    const double cells_along = std::ceil(scale * static_cast<double>(side) / static_cast<double>(patch));
    return cells_along < 1.0 ? 1.0 : cells_along;
  };
  while (high - low >= eps) {
    const double scale = (low + high) / 2;
    const bool fits = cells(scale, original.height) * cells(scale, original.width) <= static_cast<double>(most);
    (fits ? low : high) = scale;
  }
  return {static_cast<std::int32_t>(cells(low, original.height)),
          static_cast<std::int32_t>(cells(low, original.width))};
}

double divide(double a, double b) { return a / b; }
double distance(double a, double b) { return std::fabs(a - b); }
double multiply(double a, double b) { return a * b; }
double square_root(double a) { return std::sqrt(a); }
double round_half_even(double a) { return std::nearbyint(a); }

}  // namespace plain
}  // namespace hunyuan_reso_test
