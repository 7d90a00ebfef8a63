// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_SEQUENCE_TYPES_HPP
#define HUNYUAN_RESO_SEQUENCE_TYPES_HPP

#include <string>   // string
#include <utility>  // move
#include <vector>   // vector

#include "image_info.hpp"
#include "image_runs.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// `count` tokens of one id: the 4096 <img> of an image are one run.
struct TokenRun {
  TokenId id = 0;
  std::int32_t count = 0;
};

/// One section: a text, encoded on its own (merges across sections would change the ids), or an image.
struct Section {
  std::string text;
  std::vector<TokenId> tokens;  ///< used in place of `text` where not empty
  bool is_image = false;
  ImageInfo image{};
  bool unconditional = false;                         ///< every token of the text becomes <cfg>
  Result<std::int32_t> max_tokens = Errc::not_given;  ///< the text is cut to so many tokens; 0 leaves none
  bool in_text_mask = true;                           ///< counts as text for a training loss
  std::int32_t mask_start_offset = 0;                 ///< moves the start and the stop of that part
  std::int32_t mask_stop_offset = 0;

  template <class = void>  // see sequence.hpp
  [[nodiscard]] static Section of_text(std::string text, bool unconditional = false) {
    Section section;
    section.text = std::move(text);
    section.unconditional = unconditional;
    return section;
  }
  template <class = void>  // see sequence.hpp
  [[nodiscard]] static Section of_tokens(std::vector<TokenId> tokens) {
    Section section;
    section.tokens = std::move(tokens);
    return section;
  }
  template <class = void>  // see sequence.hpp
  [[nodiscard]] static Section of_image(const ImageInfo& image) {
    Section section;
    section.is_image = true;
    section.image = image;
    return section;
  }
};

/// Whether the end-of-sequence token ends a sequence. `automatic`: unless it is the last token already or the total
/// length is reached.
enum class AddEos : std::uint8_t { no, yes, automatic };

/// Whether <pad> fills a sequence up to its total length. `yes` asks for a total length; `automatic` pads where there
/// is one (upstream's True and "auto" both do that).
enum class AddPad : std::uint8_t { no, yes, automatic };

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
  AddPad add_pad = AddPad::no;
  Result<std::int32_t> total_length = Errc::not_given;  ///< 0 is reached for AddEos::automatic, but cuts nothing
  Overflow overflow = Overflow::clip;
  Result<std::int32_t> max_length = Errc::not_given;  ///< a longer sequence is an error
};

/// Where the parts of a sequence are. All positions are indices into the sequence.
struct TokenLayout {
  std::int32_t length = 0;
  std::vector<ImageRun> image_runs;  ///< all runs of <img>, in order; a joint block has two
  std::vector<std::int32_t> gen_timestep_positions;
  std::vector<std::int32_t> cond_timestep_positions;
  std::vector<std::int32_t> guidance_positions;
  std::vector<std::int32_t> timestep_r_positions;
  std::vector<std::int32_t> boi_positions;
  std::vector<std::int32_t> eoi_positions;
  std::vector<std::int32_t> joint_img_sep_positions;
  Result<std::int32_t> eos_position = Errc::no_token_of_this_kind;  ///< of the one that ends the sequence
  Result<std::int32_t> first_pad_position = Errc::no_token_of_this_kind;

  /// Tokens before the padding.
  [[nodiscard]] std::int32_t real_length() const noexcept { return first_pad_position.value_or(length); }

  /// The slices of one kind of image run.
  template <class = void>  // see sequence.hpp
  [[nodiscard]] std::vector<Slice> image_slices(ImageRunKind kind) const {
    std::vector<Slice> slices;
    for (const ImageRun& run : image_runs) {
      if (run.kind == kind) slices.push_back(run.slice);
    }
    return slices;
  }
  /// From the first VAE <img> to the last ViT <img> of each joint block, the separator included.
  template <class = void>  // see sequence.hpp
  [[nodiscard]] std::vector<Slice> joint_slices() const {
    std::vector<Slice> slices;
    for (std::size_t i = 0; i + 1 < image_runs.size(); ++i) {
      if (image_runs[i].in_joint_block && image_runs[i].kind == ImageRunKind::vae) {
        slices.push_back({image_runs[i].slice.start, image_runs[i + 1].slice.stop});
      }
    }
    return slices;
  }
};

/// Tokens as runs, with what was recorded while writing them. After a clip, what was recorded behind the cut is still
/// there, as upstream leaves it.
struct TokenSequence : TokenLayout {
  std::vector<TokenRun> runs;
  std::vector<Slice> text_slices;       ///< one for each text section; empty texts give empty slices
  std::vector<Slice> text_mask_slices;  ///< the parts of them that count as text

  /// Writes the ids, `length` of them, as Id (int32_t, int64_t); Errc::buffer_too_small writes nothing.
  template <class Id>
  [[nodiscard]] Errc expand(Id* out, std::size_t capacity) const noexcept {
    if (capacity < static_cast<std::size_t>(length)) return Errc::buffer_too_small;
    std::int32_t left = length;
    for (const TokenRun run : runs) {  // a copy, which `out` cannot alias: else nothing is vectorised for int32_t
      const Id id = static_cast<Id>(run.id);
      const std::int32_t count = run.count < left ? run.count : left;
      if (count == 1) {  // text: not worth a vectorised loop's set-up
        *out++ = id;
        --left;
        continue;
      }
      if (count <= 0) continue;
      for (std::int32_t i = 0; i < count; ++i) out[i] = id;
      out += count;
      left -= count;
    }
    return Errc::none;
  }
};

/// Sequences of one batch, padded on the right with <pad> to the longest.
struct TokenBatch {
  std::vector<TokenSequence> rows;  ///< all conditional rows, then all unconditional rows, once for each extra pass
  std::int32_t length = 0;          ///< of every row
};

/// What the caller of read_sequence knows besides the ids.
struct SequenceReading {
  /// How the grids were chosen. When following the request, a count of <img> that is not the row's is accepted where a
  /// grid of so many tokens can have the ratio token (unknown where several can); also for profiles with
  /// follows_aligned_requests.
  GridMode grid_mode = GridMode::snap;
  ExtraScaling extra_scaling = ExtraScaling::absolute;  ///< of the groups that the rows come from
  const ImageInfo* images = nullptr;                    ///< the images of all blocks, in order; nullptr: not known
  std::size_t image_count = 0;
};

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_SEQUENCE_TYPES_HPP
