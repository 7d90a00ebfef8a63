// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_SEQUENCE_READER_HPP
#define HUNYUAN_RESO_DETAIL_SEQUENCE_READER_HPP

#include "sequence_writer.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace detail {

/// The grid of a run of `count` tokens with a ratio token, where the request was followed; Errc::image_grid_unknown
/// where several are possible, Errc::image_token_count_mismatch where none is. The ratio token is that of the request,
/// which is as long as its grid along each axis if it was `aligned`, else up to a token less one pixel longer.
[[nodiscard]] constexpr Result<Resolution> followed_grid(const ModelProfile& profile, const ResolutionGroup& group,
                                                         std::size_t ratio_index, std::int32_t count,
                                                         bool aligned) noexcept {
  const std::int64_t high = profile.token_pixels_high();
  const std::int64_t wide = profile.token_pixels_wide();
  const std::int64_t more_high = aligned ? 0 : high - 1;
  const std::int64_t more_wide = aligned ? 0 : wide - 1;
  const double ratio = group[ratio_index].ratio();
  Resolution found{};
  const auto try_grid = [&](std::int64_t height, std::int64_t width) {
    if (height * high + more_high > max_side || width * wide + more_wide > max_side) return true;
    const auto side = [](std::int64_t length) { return static_cast<std::int32_t>(length); };
    const Resolution flattest{side(height * high), side(width * wide + more_wide)};
    const Resolution tallest{side(height * high + more_high), side(width * wide)};
    const double least = group[group.snap(flattest)].ratio();
    const double greatest = group[group.snap(tallest)].ratio();
    if (ratio < least || ratio > greatest) return true;
    if (found.height != 0) return false;
    found = {side(height), side(width)};
    return true;
  };
  for (std::int64_t side = 1; side * side <= count; ++side) {
    if (count % side != 0) continue;
    const std::int64_t other = count / side;
    if (!try_grid(side, other) || (side != other && !try_grid(other, side))) return Errc::image_grid_unknown;
  }
  if (found.height == 0) return Errc::image_token_count_mismatch;
  return found;
}

/// Reads ids into a layout. What an image block is made of is for_each_part's to say: a block is first understood as an
/// ImageInfo, or that is passed, and is then compared with it and recorded. A template only so that
/// it is not compiled where it is not used.
template <class = void>
class SequenceReader {
 public:
  SequenceReader(const ModelProfile& profile, const TokenId* ids, std::size_t count, const SequenceReading& reading)
      : profile_(profile),
        special_(profile.special),
        ids_(ids),
        count_(count),
        reading_(reading),
        follows_(reading.grid_mode != GridMode::snap || profile.follows_aligned_requests) {
    const TokenId special[] = {special_.boi,      special_.eoi,      special_.img,       special_.joint_img_sep,
                               special_.timestep, special_.guidance, special_.timestep_r};
    for (const TokenId id : special) widen(id);
    for (std::size_t i = 0; i < profile.size_tokens.size(); ++i) {
      widen(profile.size_tokens.ids[i]);
    }
    for (std::size_t i = 0; i < ratio_token_count(profile); ++i) widen(profile.ratio_tokens.ids[i]);
  }

  [[nodiscard]] Result<TokenLayout> read() && {
    while (at_ < count_ && ids_[at_] != special_.pad) {
      const bool is_text = ids_[at_] < least_id_ || ids_[at_] > greatest_id_;
      if (is_text || !begins_block(ids_[at_])) {
        if (!is_text && belongs_into_block(ids_[at_])) return {Errc::token_outside_image, at_};
        ++at_;
      } else if (!read_block()) {
        return {error_, error_at_};
      }
    }
    const std::size_t end = at_;
    while (at_ < count_ && ids_[at_] == special_.pad) ++at_;
    if (at_ < count_) return {Errc::expected_pad, at_};
    if (reading_.images != nullptr && block_ < reading_.image_count) return {Errc::image_hint_mismatch, end};
    if (end != 0 && ids_[end - 1] == special_.eos) layout_.eos_position = static_cast<std::int32_t>(end - 1);
    if (end != count_) layout_.first_pad_position = static_cast<std::int32_t>(end);
    if (reading_.images == nullptr) name_generated_image();
    layout_.length = static_cast<std::int32_t>(count_);
    return std::move(layout_);
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  struct BaseSizeGroup {
    std::int32_t base_size = 0;
    Result<ResolutionGroup> group = Errc::no_value;
  };

  /// What stands in front of a run, and whether the sequence ends before the run begins.
  struct Header {
    ImageInfo image{};
    std::size_t size_at = none;  ///< of <img_size_N>
    bool is_generated = false;   ///< has <guidance> or <timestep_r>
    bool is_open = false;
  };

  void widen(TokenId id) noexcept {
    if (id == RatioTokens::unknown) return;
    if (id < least_id_) least_id_ = id;
    if (id > greatest_id_) greatest_id_ = id;
  }

  [[nodiscard]] bool is_at_end() const noexcept { return at_ >= count_ || ids_[at_] == special_.pad; }
  [[nodiscard]] bool is_at(TokenId id) const noexcept { return at_ < count_ && ids_[at_] == id; }
  [[nodiscard]] bool skip(TokenId id) noexcept {
    if (!is_at(id)) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] std::size_t skip_run() noexcept {
    const std::size_t start = at_;
    while (is_at(special_.img)) ++at_;
    return at_ - start;
  }
  [[nodiscard]] bool fail(Errc error, std::size_t at) noexcept {
    error_ = error;
    error_at_ = at;
    return false;
  }

  [[nodiscard]] bool is_scalar(TokenId id) const noexcept {
    return id == special_.timestep || id == special_.guidance || id == special_.timestep_r;
  }
  [[nodiscard]] bool begins_block(TokenId id) const noexcept {
    if (id == special_.boi) return true;
    return profile_.honors_front_boi_flag && (is_scalar(id) || base_size_of(profile_, id).has_value());
  }
  [[nodiscard]] bool belongs_into_block(TokenId id) const noexcept {
    return id == special_.img || id == special_.eoi || id == special_.joint_img_sep || is_scalar(id) ||
           base_size_of(profile_, id).has_value() || ratio_index_of(profile_, id).has_value();
  }

  [[nodiscard]] bool read_block() {
    const std::size_t start = at_;
    if (reading_.images != nullptr && block_ < reading_.image_count) {
      const ImageInfo& image = reading_.images[block_];
      const Errc error = image_error(profile_, image);
      return error == Errc::none ? compare_and_record(image, Errc::image_hint_mismatch) : fail(error, start);
    }
    Header header;
    if (!read_header(header)) return false;
    if (header.is_open) return true;
    if (reading_.images != nullptr) return fail(Errc::image_hint_mismatch, start);
    if (!read_runs(header)) return false;
    at_ = start;
    return compare_and_record(header.image, Errc::expected_eoi);
  }

  [[nodiscard]] bool read_header(Header& header) noexcept {
    ImageInfo& image = header.image;
    image.use_front_boi_token = skip(special_.boi);
    const Result<std::int32_t> base_size = at_ < count_ ? base_size_of(profile_, ids_[at_]) : Errc::not_a_size_token;
    image.add_image_shape_token = base_size.has_value();
    if (base_size) {
      image.base_size = *base_size;
      header.size_at = at_++;
      header.is_open = is_at_end();
      if (header.is_open) return true;
      const Result<std::size_t> ratio_index = ratio_index_of(profile_, ids_[at_]);
      if (!ratio_index) return fail(Errc::expected_shape_token, at_);
      image.ratio_index = *ratio_index;
      ++at_;
    }
    image.add_timestep_token = skip(special_.timestep);
    image.add_guidance_token = skip(special_.guidance);
    image.add_timestep_r_token = skip(special_.timestep_r);
    header.is_generated = image.add_guidance_token || image.add_timestep_r_token;
    if (at_ < count_ && is_scalar(ids_[at_])) return fail(Errc::expected_scalar_token, at_);
    header.is_open = is_at_end();
    if (header.is_open) return true;
    if (!image.use_front_boi_token) {
      if (!skip(special_.boi)) return fail(Errc::expected_boi, at_);
      header.is_open = is_at_end();
    }
    return header.is_open || is_at(special_.img) || fail(Errc::expected_image_token, at_);
  }

  [[nodiscard]] bool read_runs(Header& header) {
    ImageInfo& image = header.image;
    const std::size_t first_at = at_;
    const auto first_count = static_cast<std::int32_t>(skip_run());
    const bool is_joint = is_at(special_.joint_img_sep) && !header.is_generated;
    const bool has_header = image.add_image_shape_token || image.add_timestep_token || header.is_generated;
    const bool has_vit_images = profile_.conditioning_image_type != ConditioningImageType::vae;
    if (!is_joint && !has_header && has_vit_images) {
      image.kind = ImageKind::cond_vit;
      image.vit_token_length = first_count;
      return check_vit_run(first_at, first_count);
    }
    image.kind = is_joint                                ? ImageKind::cond_joint
                 : has_vit_images || header.is_generated ? ImageKind::generated
                                                         : ImageKind::cond_vae;
    image.image_token_length = first_count;
    if (header.size_at != none && !find_grid(header, first_at)) return false;
    if (!is_joint) return is_at(special_.eoi) || fail(Errc::expected_eoi, at_);
    ++at_;
    const std::size_t second_at = at_;
    const auto second_count = static_cast<std::int32_t>(skip_run());
    image.vit_token_length = second_count;
    return check_vit_run(second_at, second_count);
  }

  [[nodiscard]] bool check_vit_run(std::size_t at, std::int32_t count) noexcept {
    if (count == 0) return fail(Errc::expected_image_token, at);
    if (count > profile_.vit_slots) return fail(Errc::image_token_count_mismatch, at);
    return is_at(special_.eoi) || fail(Errc::expected_eoi, at_);
  }

  /// The grid of a run with size and ratio tokens, which has just been skipped.
  [[nodiscard]] bool find_grid(Header& header, std::size_t first_at) {
    ImageInfo& image = header.image;
    const Result<ResolutionGroup>& group = group_of(image.base_size);
    if (!group) return fail(group.error(), header.size_at);
    if (image.ratio_index >= group->size()) return fail(Errc::ratio_index_out_of_range, header.size_at + 1);
    const Resolution row = (*group)[image.ratio_index];
    Resolution grid{row.height / profile_.token_pixels_high(), row.width / profile_.token_pixels_wide()};
    const bool is_row = grid.pixel_count() == image.image_token_length;
    const bool ends_well = is_at(special_.eoi) || is_at(special_.joint_img_sep);
    if (!ends_well && image.image_token_length < grid.pixel_count()) return fail(Errc::expected_image_token, at_);
    if (!is_row && !follows_) return fail(Errc::image_token_count_mismatch, first_at);
    // A followed request may have as many tokens as the row in another grid; a profile that follows aligned requests
    // without being asked mostly makes rows.
    if (!is_row || reading_.grid_mode != GridMode::snap) {
      const auto count = static_cast<std::int32_t>(image.image_token_length);
      const Result<Resolution> followed =
          followed_grid(profile_, *group, image.ratio_index, count, reading_.grid_mode == GridMode::snap);
      const bool is_possible = followed.error() != Errc::image_token_count_mismatch;
      if (!is_possible && !is_row) return fail(Errc::image_token_count_mismatch, first_at);
      if (is_possible) grid = followed.value_or(Resolution{});  // 0x0: unknown
    }
    image.token_height = grid.height;
    image.token_width = grid.width;
    return true;
  }

  [[nodiscard]] const Result<ResolutionGroup>& group_of(std::int32_t base_size) {
    for (const BaseSizeGroup& known : groups_) {
      if (known.base_size == base_size) return known.group;
    }
    groups_.push_back({base_size, make_group(profile_, base_size, reading_.extra_scaling)});
    return groups_.back().group;
  }

  /// Goes through the block of `image`, recording it, up to the first id that differs.
  [[nodiscard]] bool compare_and_record(const ImageInfo& image, Errc difference) {
    if (image.kind == ImageKind::generated || image.kind == ImageKind::cond_vae) {
      last_vae_run_ = layout_.image_runs.size();
      last_vae_timestep_ = image.add_timestep_token ? layout_.cond_timestep_positions.size() : none;
    }
    bool is_same = true;
    for_each_part(profile_, image, [&](BlockPart part, TokenId id, std::int32_t count) {
      const std::size_t start = at_;
      for (const std::size_t stop = start + static_cast<std::size_t>(count); at_ < stop && is_same;) {
        is_same = is_at(id);
        if (is_same) ++at_;
      }
      if (is_same) record_part(layout_, image, part, static_cast<std::int64_t>(start), count);
      return is_same;
    });
    ++block_;
    return is_same || fail(difference, at_);
  }

  /// With conditioning images of the VAE alone, the last block is the one to generate: the ids do not tell.
  void name_generated_image() {
    if (profile_.conditioning_image_type != ConditioningImageType::vae || last_vae_run_ == none) return;
    ImageRun& run = layout_.image_runs[last_vae_run_];
    if (run.kind == ImageRunKind::generated) return;
    run.kind = ImageRunKind::generated;
    if (last_vae_timestep_ == none) return;
    const auto timestep = layout_.cond_timestep_positions.begin() + static_cast<std::ptrdiff_t>(last_vae_timestep_);
    layout_.gen_timestep_positions.push_back(*timestep);
    layout_.cond_timestep_positions.erase(timestep);
  }

  const ModelProfile& profile_;
  SpecialTokens special_;
  const TokenId* ids_;
  std::size_t count_;
  SequenceReading reading_;
  bool follows_;
  TokenId least_id_ = max_side;  ///< all tokens of blocks lie between the two
  TokenId greatest_id_ = 0;
  TokenLayout layout_;
  std::vector<BaseSizeGroup> groups_;
  std::size_t at_ = 0;
  std::size_t block_ = 0;
  std::size_t last_vae_run_ = none;       ///< of the last block with a VAE run alone
  std::size_t last_vae_timestep_ = none;  ///< its number among cond_timestep_positions
  std::size_t error_at_ = 0;
  Errc error_ = Errc::none;
};

}  // namespace detail
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_SEQUENCE_READER_HPP
