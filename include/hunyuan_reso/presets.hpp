// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_PRESETS_HPP
#define HUNYUAN_RESO_PRESETS_HPP

#include "image_info.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

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

/// The common ratio nearest to a size: 1:1, 5:4, 4:3, 3:2, 16:10, 16:9, 2:1, 21:9, 3:1, 4:1 or one of these on end;
/// nearest by the quotient of the two ratios. 1:1 where a side is not positive.
[[nodiscard]] HUNYUAN_RESO_HD constexpr CommonRatio nearest_common_ratio(Resolution size) noexcept {
  struct Name {
    std::int32_t longer, shorter;
  };
  constexpr Name names[] = {{1, 1}, {5, 4}, {4, 3}, {3, 2}, {16, 10}, {16, 9}, {2, 1}, {21, 9}, {3, 1}, {4, 1}};
  if (!size.is_positive()) return {};
  const bool on_end = size.height > size.width;
  const std::int64_t longer = on_end ? size.height : size.width;
  const std::int64_t shorter = on_end ? size.width : size.height;
  std::size_t best = 0;
  for (std::size_t i = 1; i < sizeof(names) / sizeof(names[0]); ++i) {
    // Names ascend: the next one is nearer once ratio^2 > name * next name, here by cross-multiplication. A ratio
    // over 4 is past every such limit, and cutting it there keeps the products small.
    const std::int64_t cut = longer < 4 * shorter ? longer : 4 * shorter;
    const detail::Binary64 ratio = detail::divide(static_cast<std::uint64_t>(cut), static_cast<std::uint64_t>(shorter));
    const detail::Binary64 limit = detail::square_root(
        detail::divide(static_cast<std::uint64_t>(names[best].longer) * static_cast<std::uint64_t>(names[i].longer),
                       static_cast<std::uint64_t>(names[best].shorter) * static_cast<std::uint64_t>(names[i].shorter)));
    if (limit < ratio) best = i;
  }
  const bool exact = longer * names[best].shorter == shorter * names[best].longer;
  return on_end ? CommonRatio{names[best].shorter, names[best].longer, exact}
                : CommonRatio{names[best].longer, names[best].shorter, exact};
}

/// One line of a drop-down list of sizes (resolution.md, section 6).
struct Preset {
  Resolution size{};
  Orientation orientation = Orientation::square;
  CommonRatio common_ratio{};
  std::int64_t pixel_count = 0;
  std::int64_t image_token_length = 0;
  std::int32_t base_size = 0;
  std::size_t ratio_index = 0;
  TokenId ratio_token_id = invalid_token_id;  ///< invalid_token_id where no published source has it
  TrainedFlags trained{};

  /// Millions of pixels.
  [[nodiscard]] constexpr double megapixels() const noexcept { return static_cast<double>(pixel_count) / 1e6; }
};

/// The preset for a row of a group; Errc::ratio_index_out_of_range past its end.
template <std::size_t Capacity>
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<Preset> preset_of_row(
    std::size_t ratio_index, const ModelProfile& profile, const BasicResolutionGroup<Capacity>& group) noexcept {
  const Result<ImageInfo> info = image_info_of_row(ratio_index, profile, group);
  if (!info) return info.error();
  Preset preset;
  preset.size = info->image_size();
  preset.orientation = orientation_of(preset.size);
  preset.common_ratio = nearest_common_ratio(preset.size);
  preset.pixel_count = preset.size.pixel_count();
  preset.image_token_length = info->image_token_length;
  preset.base_size = info->base_size;
  preset.ratio_index = ratio_index;
  preset.ratio_token_id = ratio_token_id_or_invalid(profile, ratio_index);
  preset.trained = info->trained;
  return preset;
}

/// All presets of a profile at a base size, in order of the ratio index.
struct PresetList {
  Preset rows[ResolutionGroup::capacity()]{};
  std::size_t count = 0;

  [[nodiscard]] constexpr const Preset* begin() const noexcept { return rows; }
  [[nodiscard]] constexpr const Preset* end() const noexcept { return rows + count; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return count; }
};

/// The preset list of a profile at a base size; the errors of make_group.
[[nodiscard]] constexpr Result<PresetList> make_presets(const ModelProfile& profile, std::int32_t base_size = 1024,
                                                        ExtraScaling extra_scaling = ExtraScaling::absolute) noexcept {
  const Result<ResolutionGroup> group = make_group(profile, base_size, extra_scaling);
  if (!group) return {group.error(), group.position()};
  PresetList list;
  for (std::size_t i = 0; i < group->size(); ++i) list.rows[list.count++] = *preset_of_row(i, profile, *group);
  return list;
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_PRESETS_HPP
