// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_SEQUENCE_WRITER_HPP
#define HUNYUAN_RESO_DETAIL_SEQUENCE_WRITER_HPP

#include "../sequence_types.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace detail {

/// A position, or a length as far as positions go.
[[nodiscard]] constexpr std::int32_t to_position(std::int64_t length) noexcept {
  return static_cast<std::int32_t>(length > max_side ? max_side : length);
}

/// Errc::none for a number that may be left out: not given, or at least 0.
[[nodiscard]] constexpr Errc optional_count_error(const Result<std::int32_t>& count) noexcept {
  if (!count) return count.error() == Errc::not_given ? Errc::none : count.error();
  return *count < 0 ? Errc::negative_length : Errc::none;
}

/// Why a run of <img> cannot be written, or Errc::none. A grid of 0x0 is one that the caller does not state.
[[nodiscard]] constexpr Errc run_error(std::int64_t length, Resolution grid, bool may_have_padding) noexcept {
  if (length < 0 || grid.height < 0 || grid.width < 0) return Errc::negative_length;
  if (length > max_side) return Errc::sequence_too_long;
  const std::int64_t cells = grid.pixel_count();
  const bool fits = may_have_padding ? cells <= length : cells == length || cells == 0;
  return fits ? Errc::none : Errc::image_token_count_mismatch;
}

/// Why the block of an image cannot be written, or Errc::none.
[[nodiscard]] constexpr Errc image_error(const ModelProfile& profile, const ImageInfo& image) noexcept {
  const bool has_vae = has_vae_run(image.kind);
  const bool has_vit = has_vit_run(image.kind);
  if ((!has_vae && image.image_token_length != 0) || (!has_vit && image.vit_token_length != 0)) {
    return Errc::image_kind_mismatch;
  }
  Errc error = has_vae ? run_error(image.image_token_length, image.token_grid(), false) : Errc::none;
  if (error == Errc::none && has_vit) error = run_error(image.vit_token_length, image.vit_grid(), true);
  if (error == Errc::none && has_vae && image.add_image_shape_token) {
    error = size_token_id(profile, image.base_size).error();
    if (error == Errc::none) error = ratio_token_id(profile, image.ratio_index).error();
  }
  return error;
}

/// A part of an image's block. All but the two runs are one token.
enum class BlockPart : std::uint8_t {
  boi,
  size,
  ratio,
  timestep,
  guidance,
  timestep_r,
  vae_run,
  separator,
  vit_run,
  eoi,
};

/// Visits the parts of a block in order as visit(part, id, count), until it returns false. The image must have passed
/// image_error. Writing and reading both go by this one description of a block.
template <class Visit>
void for_each_part(const ModelProfile& profile, const ImageInfo& image, Visit&& visit) {
  const SpecialTokens& ids = profile.special;
  const bool has_vae = has_vae_run(image.kind);
  const bool has_vit = has_vit_run(image.kind);
  const bool is_generated = image.kind == ImageKind::generated;
  const bool boi_in_front = image.use_front_boi_token || !profile.honors_front_boi_flag;
  if (boi_in_front && !visit(BlockPart::boi, ids.boi, 1)) return;
  if (has_vae && image.add_image_shape_token) {
    if (!visit(BlockPart::size, *size_token_id(profile, image.base_size), 1)) return;
    if (!visit(BlockPart::ratio, *ratio_token_id(profile, image.ratio_index), 1)) return;
  }
  if (has_vae && image.add_timestep_token && !visit(BlockPart::timestep, ids.timestep, 1)) return;
  if (is_generated && image.add_guidance_token && !visit(BlockPart::guidance, ids.guidance, 1)) return;
  if (is_generated && image.add_timestep_r_token && !visit(BlockPart::timestep_r, ids.timestep_r, 1)) return;
  if (!boi_in_front && !visit(BlockPart::boi, ids.boi, 1)) return;
  if (has_vae && !visit(BlockPart::vae_run, ids.img, to_position(image.image_token_length))) return;
  if (has_vae && has_vit && !visit(BlockPart::separator, ids.joint_img_sep, 1)) return;
  if (has_vit && !visit(BlockPart::vit_run, ids.img, to_position(image.vit_token_length))) return;
  visit(BlockPart::eoi, ids.eoi, 1);
}

/// Records where a part of a block lies.
template <class = void>  // see sequence.hpp
void record_part(TokenLayout& layout, const ImageInfo& image, BlockPart part, std::int64_t start, std::int32_t count) {
  const bool is_generated = image.kind == ImageKind::generated;
  const bool is_joint = image.kind == ImageKind::cond_joint;
  const std::int32_t position = to_position(start);
  const Slice slice{position, to_position(start + count)};
  switch (part) {
    case BlockPart::boi:
      layout.boi_positions.push_back(position);
      break;
    case BlockPart::size:
    case BlockPart::ratio:
      break;
    case BlockPart::timestep:
      (is_generated ? layout.gen_timestep_positions : layout.cond_timestep_positions).push_back(position);
      break;
    case BlockPart::guidance:
      layout.guidance_positions.push_back(position);
      break;
    case BlockPart::timestep_r:
      layout.timestep_r_positions.push_back(position);
      break;
    case BlockPart::vae_run:
      layout.image_runs.push_back({slice, is_generated ? ImageRunKind::generated : ImageRunKind::vae, is_joint,
                                   image.token_height, image.token_width});
      break;
    case BlockPart::separator:
      layout.joint_img_sep_positions.push_back(position);
      break;
    case BlockPart::vit_run:
      layout.image_runs.push_back({slice, ImageRunKind::vit, is_joint, image.vit_token_height, image.vit_token_width});
      break;
    case BlockPart::eoi:
      layout.eoi_positions.push_back(position);
      break;
  }
}

/// Writes sections one after another and records positions.
template <class Encode>
class SequenceWriter {
 public:
  SequenceWriter(const ModelProfile& profile, const SequenceOptions& options, Encode& encode)
      : profile_(profile), options_(options), encode_(encode) {}

  void begin(const std::vector<Section>& sections) {
    constexpr std::size_t runs_of_image = 10;  // at most: one a part
    std::size_t runs = 2;                      // the bos and the end
    for (const Section& section : sections) {
      runs += section.unconditional ? 1 : runs_of_image + section.tokens.size();
    }
    sequence_.runs.reserve(runs);
    if (options_.add_bos) push(profile_.special.bos, 1);
  }

  [[nodiscard]] Errc add_text(const Section& section) {
    const Errc error = optional_count_error(section.max_tokens);
    if (error != Errc::none) return error;
    const std::int64_t start = length_;
    if (!section.tokens.empty()) {
      add_ids(section, section.tokens);
    } else if (!section.text.empty()) {
      add_ids(section, encode_(std::string_view(section.text)));
    }
    if (length_ > max_side) return Errc::sequence_too_long;
    const Slice slice{to_position(start), to_position(length_)};
    sequence_.text_slices.push_back(slice);
    if (section.in_text_mask) {
      sequence_.text_mask_slices.push_back(
          {moved(slice.start, section.mask_start_offset), moved(slice.stop, section.mask_stop_offset)});
    }
    return Errc::none;
  }

  /// `image` must have passed image_error.
  [[nodiscard]] Errc add_image(const ImageInfo& image) {
    for_each_part(profile_, image, [&](BlockPart part, TokenId id, std::int32_t count) {
      record_part(sequence_, image, part, length_, count);
      push(id, count);
      return true;
    });
    return length_ > max_side ? Errc::sequence_too_long : Errc::none;
  }

  [[nodiscard]] std::int64_t length() const noexcept { return length_; }
  /// What to report where a section makes the sequence too long: the length with it, or its longest run.
  [[nodiscard]] std::size_t length_with(const Section& section) const noexcept {
    const std::int64_t vae = section.image.image_token_length;
    const std::int64_t vit = section.image.vit_token_length;
    const std::int64_t longest = vae > vit ? vae : vit;
    return static_cast<std::size_t>(longest > length_ ? longest : length_);
  }
  [[nodiscard]] TokenSequence take() && { return std::move(sequence_); }

  /// Eos, clip and padding; `dropped`: an image block was left out, so no eos.
  [[nodiscard]] Errc end(bool dropped) {
    const std::int64_t total = options_.total_length.value_or(0);
    const bool has_total = options_.total_length.has_value();
    if (!dropped && options_.add_eos != AddEos::no) {
      const bool is_automatic = options_.add_eos == AddEos::automatic;
      if (is_automatic && sequence_.runs.empty()) return Errc::empty_sequence;
      const bool spared =
          is_automatic && (sequence_.runs.back().id == profile_.special.eos || (has_total && length_ >= total));
      if (!spared) {
        sequence_.eos_position = to_position(length_);
        push(profile_.special.eos, 1);
        if (length_ > max_side) return Errc::sequence_too_long;
      }
    }
    if (total > 0 && length_ > total && options_.overflow != Overflow::keep) {
      const Errc error = clip(total);
      if (error != Errc::none) return error;
    }
    if (length_ < total && options_.add_pad != AddPad::no) {
      sequence_.first_pad_position = to_position(length_);
      push(profile_.special.pad, total - length_);
    }
    if (length_ == 0) return Errc::empty_sequence;
    sequence_.length = to_position(length_);
    return Errc::none;
  }

 private:
  [[nodiscard]] static std::int32_t moved(std::int32_t position, std::int32_t offset) noexcept {
    const std::int64_t sum = std::int64_t{position} + offset;
    return sum < -std::int64_t{max_side} ? -max_side : to_position(sum);
  }

  void push(TokenId id, std::int64_t count) {
    const std::int64_t room = std::int64_t{max_side} - length_;  // what lies beyond is an error at the section's end
    const auto counted = static_cast<std::int32_t>(count < room ? count : room > 0 ? room : 0);
    if (!sequence_.runs.empty() && sequence_.runs.back().id == id) {
      sequence_.runs.back().count += counted;
    } else if (counted > 0) {
      TokenRun& run = sequence_.runs.emplace_back();  // GCC would put a whole run together in memory, and wait for it
      run.id = id;
      run.count = counted;
    }
    length_ += count;
  }

  template <class Ids>
  void add_ids(const Section& section, const Ids& ids) {
    std::int32_t left = section.max_tokens.value_or(max_side);
    for (const auto& id : ids) {
      if (left-- == 0) return;  // upstream cuts a text quietly, too
      push(section.unconditional ? profile_.special.cfg : static_cast<TokenId>(id), 1);
    }
  }

  [[nodiscard]] Errc clip(std::int64_t total) {
    for (const ImageRun& run : sequence_.image_runs) {
      if (total >= run.slice.start && total <= run.slice.stop) return Errc::clip_inside_image;
    }
    while (length_ > total) {
      TokenRun& last = sequence_.runs.back();
      const std::int64_t excess = length_ - total;
      if (excess < last.count) {
        last.count -= static_cast<std::int32_t>(excess);
        length_ = total;
      } else {
        length_ -= last.count;
        sequence_.runs.pop_back();
      }
    }
    return Errc::none;
  }

  const ModelProfile& profile_;
  SequenceOptions options_;
  Encode& encode_;
  TokenSequence sequence_;
  std::int64_t length_ = 0;
};

}  // namespace detail
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_SEQUENCE_WRITER_HPP
