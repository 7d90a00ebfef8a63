// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_SEQUENCE_HPP
#define HUNYUAN_RESO_SEQUENCE_HPP

#include <string>   // string
#include <utility>  // move
#include <vector>   // vector

#include "image_block.hpp"
#include "image_runs.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// `count` tokens of one id: the 4096 <img> of an image are one run.
struct TokenRun {
  TokenId id = 0;
  std::int32_t count = 0;
};

/// One section: a text, encoded on its own (merges across sections would change the ids), or an image.
struct Section {
  SectionKind kind = SectionKind::text;
  std::string text;
  std::vector<TokenId> tokens;         ///< used in place of `text` where not empty
  bool unconditional = false;          ///< every token of the text becomes <cfg>
  std::int32_t max_tokens = -1;        ///< of the text; -1: no limit
  bool in_text_mask = true;            ///< counts as text for a training loss
  std::int32_t mask_start_offset = 0;  ///< moves the start and the stop of that part
  std::int32_t mask_stop_offset = 0;
  ImageBlock image{};

  [[nodiscard]] static Section of_text(std::string text, bool unconditional = false) {
    Section section;
    section.text = std::move(text);
    section.unconditional = unconditional;
    return section;
  }
  [[nodiscard]] static Section of_image(SectionKind kind, const ImageBlock& image) {
    Section section;
    section.kind = kind;
    section.image = image;
    return section;
  }
};

/// Whether <|endoftext|> ends a sequence. `automatic`: unless it is the last token already or the total length is
/// reached.
enum class AddEos : std::uint8_t { no, yes, automatic };

/// What happens to a sequence over its total length.
enum class Overflow : std::uint8_t {
  clip,       ///< cut off; inside an image run that is an error
  drop_last,  ///< an image block that would not fit ends the sequence, without eos; text is cut off
  keep,       ///< left longer
};

/// How a sequence begins and ends. Image generation uses the defaults: no eos, no padding, no total length.
struct SequenceOptions {
  bool add_bos = true;
  AddEos add_eos = AddEos::no;
  bool add_pad = false;            ///< fill up to the total length with <pad>
  std::int32_t total_length = -1;  ///< -1: none. 0 counts as reached for AddEos::automatic and cuts nothing (upstream)
  Overflow overflow = Overflow::clip;
  std::int32_t max_length = -1;  ///< a longer sequence is an error; -1: none
};

/// Tokens as runs, with what was recorded while writing them. All positions are indices into the sequence. After a
/// clip, what was recorded behind the cut is still there, as upstream leaves it.
struct TokenSequence {
  std::vector<TokenRun> runs;
  std::int32_t length = 0;
  std::vector<Slice> text_slices;       ///< one for each text section; empty texts give empty slices
  std::vector<Slice> text_mask_slices;  ///< the parts of them that count as text
  std::vector<ImageRun> image_runs;     ///< all runs of <img>, in order; a joint block has two
  std::vector<std::int32_t> gen_timestep_positions;
  std::vector<std::int32_t> cond_timestep_positions;
  std::vector<std::int32_t> guidance_positions;
  std::vector<std::int32_t> timestep_r_positions;
  std::vector<std::int32_t> boi_positions;
  std::vector<std::int32_t> eoi_positions;
  std::vector<std::int32_t> joint_img_sep_positions;
  std::int32_t eos_position = -1;        ///< -1: none was added
  std::int32_t first_pad_position = -1;  ///< -1: none

  /// Tokens before the padding.
  [[nodiscard]] std::int32_t real_length() const noexcept {
    return first_pad_position < 0 ? length : first_pad_position;
  }

  /// The slices of one kind of image run.
  [[nodiscard]] std::vector<Slice> image_slices(ImageRunKind kind) const {
    std::vector<Slice> slices;
    for (const ImageRun& run : image_runs) {
      if (run.kind == kind) slices.push_back(run.slice);
    }
    return slices;
  }
  /// From the first VAE <img> to the last ViT <img> of each joint block, the separator included.
  [[nodiscard]] std::vector<Slice> joint_slices() const {
    std::vector<Slice> slices;
    for (std::size_t i = 0; i + 1 < image_runs.size(); ++i) {
      if (image_runs[i].in_joint_block && image_runs[i].kind == ImageRunKind::vae) {
        slices.push_back({image_runs[i].slice.start, image_runs[i + 1].slice.stop});
      }
    }
    return slices;
  }

  /// Writes the ids, `length` of them, as Id (int32_t, int64_t); Errc::buffer_too_small writes nothing.
  template <class Id>
  [[nodiscard]] Errc expand(Id* out, std::size_t capacity) const noexcept {
    if (capacity < static_cast<std::size_t>(length)) return Errc::buffer_too_small;
    for (const TokenRun run : runs) {  // a copy, which `out` cannot alias: else nothing is vectorised for int32_t
      const Id id = static_cast<Id>(run.id);
      if (run.count == 1) {  // text: not worth a vectorised loop's set-up
        *out++ = id;
        continue;
      }
      for (std::int32_t i = 0; i < run.count; ++i) out[i] = id;
      out += run.count;
    }
    return Errc::none;
  }
};

namespace detail {

/// Why the size and ratio tokens of a block cannot be written, or Errc::none.
[[nodiscard]] constexpr Errc shape_error(const ModelProfile& profile, const ImageBlock& image) noexcept {
  if (size_token_id_or_invalid(image.base_size) == invalid_token_id) return Errc::unknown_base_size;
  return require_ratio_token_id(profile, image.ratio_index).error();
}

/// Writes sections one after another and records positions.
template <class Encode>
class SequenceWriter {
 public:
  SequenceWriter(const ModelProfile& profile, const SequenceOptions& options, Encode& encode)
      : profile_(profile), options_(options), encode_(encode) {}

  void begin(const std::vector<Section>& sections) {
    std::size_t runs = 2;  // <|startoftext|> and the end
    for (const Section& section : sections) {
      runs += section.unconditional ? 1 : runs_of_image + section.tokens.size();
    }
    sequence_.runs.reserve(runs);
    if (options_.add_bos) push(tokens::bos, 1);
  }

  [[nodiscard]] Errc add_text(const Section& section) {
    const std::int64_t start = length_;
    if (!section.tokens.empty()) {
      add_ids(section, section.tokens);
    } else if (!section.text.empty()) {
      add_ids(section, encode_(std::string_view(section.text)));
    }
    if (cut_text_) return Errc::text_too_long;
    if (length_ > max_side) return Errc::sequence_too_long;
    const Slice slice{to_position(start), to_position(length_)};
    sequence_.text_slices.push_back(slice);
    if (section.in_text_mask) {
      sequence_.text_mask_slices.push_back(
          {slice.start + section.mask_start_offset, slice.stop + section.mask_stop_offset});
    }
    return Errc::none;
  }

  [[nodiscard]] Errc add_image(const Section& section) {
    const ImageBlock& image = section.image;
    const bool has_vae = section.kind != SectionKind::cond_vit_image;
    const bool has_vit = section.kind == SectionKind::cond_vit_image || section.kind == SectionKind::cond_joint_image;
    const bool is_generated = section.kind == SectionKind::gen_image;
    if ((has_vae && image.token_length < 0) || (has_vit && image.vit_token_length < 0)) return Errc::negative_length;
    const bool boi_in_front = image.use_front_boi_token || !profile_.honors_front_boi_flag;
    const bool guidance = is_generated && image.add_guidance_token;
    const bool timestep_r = is_generated && image.add_timestep_r_token;

    if (boi_in_front) push_recorded(tokens::boi, sequence_.boi_positions);
    if (has_vae) {
      if (image.add_image_shape_token) {
        const Errc error = push_shape(image);
        if (error != Errc::none) return error;
      }
      if (image.add_timestep_token) {
        push_recorded(tokens::timestep,
                      is_generated ? sequence_.gen_timestep_positions : sequence_.cond_timestep_positions);
      }
      if (guidance) push_recorded(tokens::guidance, sequence_.guidance_positions);
      if (timestep_r) push_recorded(tokens::timestep_r, sequence_.timestep_r_positions);
    }
    if (!boi_in_front) push_recorded(tokens::boi, sequence_.boi_positions);
    if (has_vae) {
      push_image_run(image.token_length, is_generated ? ImageRunKind::generated : ImageRunKind::vae, has_vit,
                     image.token_height, image.token_width);
    }
    if (has_vae && has_vit) push_recorded(tokens::joint_img_sep, sequence_.joint_img_sep_positions);
    if (has_vit) {
      push_image_run(image.vit_token_length, ImageRunKind::vit, has_vae, image.vit_token_height, image.vit_token_width);
    }
    push_recorded(tokens::eoi, sequence_.eoi_positions);
    return length_ > max_side ? Errc::sequence_too_long : Errc::none;
  }

  [[nodiscard]] std::int64_t length() const noexcept { return length_; }
  [[nodiscard]] TokenSequence take() && { return std::move(sequence_); }

  /// Eos, clip and padding; `dropped`: an image block was left out, so no eos.
  [[nodiscard]] Errc end(bool dropped) {
    const std::int64_t total = options_.total_length;
    const bool has_total = total >= 0;
    if (!dropped && options_.add_eos != AddEos::no) {
      const bool is_automatic = options_.add_eos == AddEos::automatic;
      if (is_automatic && sequence_.runs.empty()) return Errc::empty_sequence;
      const bool spared = is_automatic && (sequence_.runs.back().id == tokens::eos || (has_total && length_ >= total));
      if (!spared) {
        sequence_.eos_position = to_position(length_);
        push(tokens::eos, 1);
      }
    }
    if (total > 0 && length_ > total && options_.overflow != Overflow::keep) {
      const Errc error = clip(total);
      if (error != Errc::none) return error;
    }
    if (total > 0 && length_ < total && options_.add_pad) {
      sequence_.first_pad_position = to_position(length_);
      push(tokens::pad, total - length_);
    }
    if (length_ == 0) return Errc::empty_sequence;
    if (length_ > max_side) return Errc::sequence_too_long;
    sequence_.length = to_position(length_);
    return Errc::none;
  }

 private:
  static constexpr std::size_t runs_of_image = 8;  // at most

  [[nodiscard]] static std::int32_t to_position(std::int64_t length) noexcept {
    return static_cast<std::int32_t>(length > max_side ? max_side : length);
  }

  void push(TokenId id, std::int64_t count) {
    if (count <= 0) return;
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

  void push_recorded(TokenId id, std::vector<std::int32_t>& positions) {
    positions.push_back(to_position(length_));
    push(id, 1);
  }

  [[nodiscard]] Errc push_shape(const ImageBlock& image) {
    const Errc error = shape_error(profile_, image);
    if (error != Errc::none) return error;
    push(size_token_id_or_invalid(image.base_size), 1);
    push(ratio_token_id_or_invalid(profile_, image.ratio_index), 1);
    return Errc::none;
  }

  void push_image_run(std::int32_t count, ImageRunKind kind, bool joint, std::int32_t height, std::int32_t width) {
    const std::int64_t start = length_;
    push(tokens::img, count);
    sequence_.image_runs.push_back({{to_position(start), to_position(length_)}, kind, joint, height, width});
  }

  template <class Ids>
  void add_ids(const Section& section, const Ids& ids) {
    std::int32_t count = 0;
    for (const auto& id : ids) {
      if (section.max_tokens >= 0 && count == section.max_tokens) {
        cut_text_ = !section.unconditional;  // upstream cuts a <cfg> text quietly
        return;
      }
      push(section.unconditional ? tokens::cfg : static_cast<TokenId>(id), 1);
      ++count;
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
  bool cut_text_ = false;
};

}  // namespace detail

/// Builds the token sequence of `sections`. `encode` takes a std::string_view and returns any range of token ids,
/// without special tokens of its own; special tokens written in the text (<think>) must come out as their ids.
/// An error's position() is the number of the section at fault, counted from 0; for Errc::sequence_too_long it is the
/// sequence's length.
template <class Encode>
[[nodiscard]] Result<TokenSequence> build_sequence(const std::vector<Section>& sections, const ModelProfile& profile,
                                                   Encode&& encode, const SequenceOptions& options = {}) {
  if (sections.empty()) return Errc::empty_sequence;
  detail::SequenceWriter<Encode> writer(profile, options, encode);
  writer.begin(sections);
  bool dropped = false;
  for (std::size_t i = 0; i < sections.size() && !dropped; ++i) {
    if (sections[i].kind == SectionKind::text) {
      const Errc error = writer.add_text(sections[i]);
      if (error != Errc::none) return {error, i};
      continue;
    }
    const std::int64_t length = writer.length() + image_block_length(sections[i].kind, sections[i].image);
    dropped = options.overflow == Overflow::drop_last && options.total_length > 0 && length > options.total_length;
    const Errc error = dropped ? Errc::none : writer.add_image(sections[i]);
    if (error != Errc::none) return {error, i};
  }
  const Errc error = writer.end(dropped);
  if (error != Errc::none) return {error, sections.size() - 1};
  TokenSequence sequence = std::move(writer).take();
  if (options.max_length >= 0 && sequence.length > options.max_length) {
    return {Errc::sequence_too_long, static_cast<std::size_t>(sequence.length)};
  }
  return sequence;
}

/// Sequences of one batch, padded on the right with <pad> to the longest.
struct TokenBatch {
  std::vector<TokenSequence> rows;  ///< all conditional rows, then all unconditional rows, once for each extra pass
  std::int32_t length = 0;          ///< of every row
};

/// Pads rows to the longest. Errc::rows_differ (position(): the row) where the generated images of a row do not have
/// the scalar tokens that the first row's have, since such a batch cannot be fed; Errc::empty_sequence without rows.
[[nodiscard]] inline Result<TokenBatch> make_batch(std::vector<TokenSequence> rows) {
  if (rows.empty()) return Errc::empty_sequence;
  TokenBatch batch;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool same = rows[i].gen_timestep_positions.size() == rows[0].gen_timestep_positions.size() &&
                      rows[i].guidance_positions.size() == rows[0].guidance_positions.size() &&
                      rows[i].timestep_r_positions.size() == rows[0].timestep_r_positions.size();
    if (!same) return {Errc::rows_differ, i};
    if (rows[i].length > batch.length) batch.length = rows[i].length;
  }
  for (TokenSequence& row : rows) {
    const std::int32_t missing = batch.length - row.length;
    if (missing == 0) continue;
    if (row.first_pad_position < 0) row.first_pad_position = row.length;
    if (!row.runs.empty() && row.runs.back().id == tokens::pad) {
      row.runs.back().count += missing;
    } else {
      row.runs.push_back({tokens::pad, missing});
    }
    row.length = batch.length;
  }
  batch.rows = std::move(rows);
  return batch;
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_SEQUENCE_HPP
