// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_PRESETS_HPP
#define HUNYUAN_RESO_PRESETS_HPP

#include "image_info.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

enum class Orientation : std::uint8_t { landscape, portrait, square };

[[nodiscard]] HUNYUAN_RESO_HD constexpr Orientation orientation_of(Resolution size) noexcept {
  if (size.height == size.width) return Orientation::square;
  return size.width > size.height ? Orientation::landscape : Orientation::portrait;
}

/// The name people use for a ratio, width:height as printed on cameras and screens.
struct CommonRatio {
  std::int32_t width = 1;
  std::int32_t height = 1;
  bool exact = false;  ///< the size has exactly this ratio

  /// For example "16:9".
  [[nodiscard]] constexpr FixedText<8> text() const noexcept {
    FixedText<8> result;
    result.append_number(static_cast<std::uint64_t>(width)).append(":");
    return result.append_number(static_cast<std::uint64_t>(height));
  }
};

namespace detail {

struct RatioName {
  std::int32_t longer, shorter;
};

/// The common ratios, ascending, and between them the ratio behind which the next one is nearer: the square root of
/// their product, since nearness is by quotient. As literals, because the compiler takes long over square roots.
struct RatioNames {
  static constexpr std::size_t count = 10;
  RatioName names[count] = {{1, 1}, {5, 4}, {4, 3}, {3, 2}, {16, 10}, {16, 9}, {2, 1}, {21, 9}, {3, 1}, {4, 1}};
  Binary64 limits[count - 1] = {{0x11E3779B97F4A8, -52}, {0x14A7E9CB8A3491, -52}, {0x16A09E667F3BCD, -52},
                                {0x18C97EF43F7248, -52}, {0x1AFC19D8606169, -52}, {0x1E2B7DDDFEFA66, -52},
                                {0x11482F86C40C43, -51}, {0x152A7FA9D2F8EA, -51}, {0x1BB67AE8584CAA, -51}};
};

}  // namespace detail

/// The common ratio nearest to a size: 1:1, 5:4, 4:3, 3:2, 16:10, 16:9, 2:1, 21:9, 3:1, 4:1 or one of these on end;
/// nearest by the quotient of the two ratios. 1:1 where a side is not positive.
[[nodiscard]] HUNYUAN_RESO_HD constexpr CommonRatio nearest_common_ratio(Resolution size) noexcept {
  constexpr detail::RatioNames table;
  if (!size.is_positive()) return {};
  const bool on_end = size.height > size.width;
  const std::int64_t longer = on_end ? size.height : size.width;
  const std::int64_t shorter = on_end ? size.width : size.height;
  const detail::Binary64 ratio =
      detail::divide(static_cast<std::uint64_t>(longer), static_cast<std::uint64_t>(shorter));
  std::size_t best = 0;
  while (best + 1 < detail::RatioNames::count && table.limits[best] < ratio) ++best;
  const detail::RatioName name = table.names[best];
  const bool exact = longer * name.shorter == shorter * name.longer;
  return on_end ? CommonRatio{name.shorter, name.longer, exact} : CommonRatio{name.longer, name.shorter, exact};
}

/// One line of a drop-down list of sizes.
struct Preset {
  Resolution size{};
  Orientation orientation = Orientation::square;
  CommonRatio common_ratio{};
  std::int64_t pixel_count = 0;
  std::int64_t image_token_length = 0;
  std::int32_t base_size = 0;
  std::size_t ratio_index = 0;
  Result<TokenId> ratio_token_id = Errc::ratio_token_id_unknown;  ///< an error where no published source has it
  TrainedFlags trained{};

  /// Millions of pixels.
  [[nodiscard]] constexpr double megapixels() const noexcept { return static_cast<double>(pixel_count) / 1e6; }
};

/// The preset for a row of the model's group; Errc::ratio_index_out_of_range past its end.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<Preset> preset_of_row(const Model& model,
                                                                     std::size_t ratio_index) noexcept {
  const Result<ImageInfo> info = image_info_of_row(model, ratio_index);
  if (!info) return info.error();
  Preset preset;
  preset.size = info->image_size();
  preset.orientation = orientation_of(preset.size);
  preset.common_ratio = nearest_common_ratio(preset.size);
  preset.pixel_count = preset.size.pixel_count();
  preset.image_token_length = info->image_token_length;
  preset.base_size = info->base_size;
  preset.ratio_index = ratio_index;
  preset.ratio_token_id = hunyuan_reso::ratio_token_id(model.profile, ratio_index);
  preset.trained = info->trained;
  return preset;
}

/// All presets of a model, in order of the ratio index.
struct PresetList {
  static constexpr std::size_t capacity = ResolutionGroup::capacity();

  Preset rows[capacity]{};
  std::size_t count = 0;

  [[nodiscard]] constexpr const Preset* begin() const noexcept { return rows; }
  [[nodiscard]] constexpr const Preset* end() const noexcept { return rows + size(); }
  /// How many there are: `count`, but no more than `capacity`.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return count < capacity ? count : capacity; }
};

/// The preset list of a model.
[[nodiscard]] constexpr PresetList make_presets(const Model& model) noexcept {
  PresetList list;
  for (std::size_t i = 0; i < model.group.size(); ++i) list.rows[list.count++] = *preset_of_row(model, i);
  return list;
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_PRESETS_HPP
