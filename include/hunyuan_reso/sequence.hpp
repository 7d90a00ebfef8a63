// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_SEQUENCE_HPP
#define HUNYUAN_RESO_SEQUENCE_HPP

#include "detail/reusable_prefix.hpp"
#include "detail/sequence_reader.hpp"
#include "detail/sequence_writer.hpp"
#include "sequence_types.hpp"
#include "vocabulary.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

// Functions with `template <class = void>` would be ordinary ones but for their vectors and strings, which a program
// that only includes them need not compile then.

/// Builds the token sequence of `sections`. `encode` takes a std::string_view and returns any range of token ids,
/// without special tokens of its own; special tokens written in the text (<think>) must come out as their ids (see
/// with_special_tokens). An error's position() is the number of the section at fault, counted from 0; for
/// Errc::sequence_too_long it is the sequence's length. Of an image are refused: Errc::negative_length,
/// image_kind_mismatch (tokens of a run that its kind lacks), image_token_count_mismatch (tokens that are not those of
/// the grid), unknown_base_size, ratio_index_out_of_range, ratio_token_id_unknown.
template <class Encode>
[[nodiscard]] Result<TokenSequence> build_sequence(const ModelProfile& profile, const std::vector<Section>& sections,
                                                   Encode&& encode, const SequenceOptions& options = {}) {
  if (sections.empty()) return Errc::empty_sequence;
  Errc error = detail::optional_count_error(options.total_length);
  if (error == Errc::none) error = detail::optional_count_error(options.max_length);
  if (error != Errc::none) return error;
  const bool has_total = options.total_length.has_value();
  if (options.overflow == Overflow::drop_last && !has_total) return Errc::drop_last_without_total;
  if (options.add_pad == AddPad::yes && !has_total) return Errc::pad_without_total;
  const std::int64_t total = options.total_length.value_or(0);
  detail::SequenceWriter<Encode> writer(profile, options, encode);
  writer.begin(sections);
  bool dropped = false;
  for (std::size_t i = 0; i < sections.size() && !dropped; ++i) {
    const Section& section = sections[i];
    if (section.is_image) {
      error = detail::image_error(profile, section.image);
      if (error == Errc::none) {
        const std::int64_t length = writer.length() + image_block_length(section.image);
        dropped = options.overflow == Overflow::drop_last && total > 0 && length > total;
        if (!dropped) error = writer.add_image(section.image);
      }
    } else {
      error = writer.add_text(section);
    }
    if (error == Errc::sequence_too_long) return {error, writer.length_with(section)};
    if (error != Errc::none) return {error, i};
  }
  error = writer.end(dropped);
  if (error == Errc::sequence_too_long) return {error, static_cast<std::size_t>(writer.length())};
  if (error != Errc::none) return {error, sections.size() - 1};
  TokenSequence sequence = std::move(writer).take();
  if (options.max_length && sequence.length > *options.max_length) {
    return {Errc::sequence_too_long, static_cast<std::size_t>(sequence.length)};
  }
  return sequence;
}

/// Pads rows to the longest with the profile's <pad>. Errc::rows_differ (position(): the row) where the generated
/// images of a row do not have the scalar tokens that the first row's have, since such a batch cannot be fed;
/// Errc::empty_sequence without rows.
template <class = void>
[[nodiscard]] Result<TokenBatch> make_batch(const ModelProfile& profile, std::vector<TokenSequence> rows) {
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
    if (row.length >= batch.length) continue;
    const std::int32_t length = row.length > 0 ? row.length : 0;
    const std::int32_t missing = batch.length - length;
    if (!row.first_pad_position) row.first_pad_position = length;
    if (!row.runs.empty() && row.runs.back().id == profile.special.pad && row.runs.back().count <= length) {
      row.runs.back().count += missing;
    } else {
      row.runs.push_back({profile.special.pad, missing});
    }
    row.length = batch.length;
  }
  batch.rows = std::move(rows);
  return batch;
}

/// Finds the image blocks of a sequence that another stage made and checks them; position() of an error is the index of
/// the id at fault (`count`: something is missing at the end). It is the inverse of build_sequence:
/// - With size and ratio tokens the number of <img> must be that of the row; the grid of a block without them, and that
///   of a ViT run, is not in the ids: 0x0 unless `reading` has the image.
/// - A block with neither size, ratio nor <timestep> tokens is a ViT image (VAE, where the profile has no ViT images).
/// A
///   block with one run and such tokens is a generated image; where the profile's conditioning images go through the
///   VAE alone, the last of these blocks is, and those with <guidance> or <timestep_r>.
/// - Tokens of a block outside of one are refused, but a sequence may end before the first <img> of a block, as the
///   prompt of a text stage does: no image is recorded.
/// - <pad> stands at the end only; the end-of-sequence token before it is eos_position.
template <class = void>
[[nodiscard]] Result<TokenLayout> read_sequence(const ModelProfile& profile, const TokenId* ids, std::size_t count,
                                                const SequenceReading& reading) {
  if (ids == nullptr || count == 0) return Errc::empty_sequence;
  if (count > static_cast<std::size_t>(max_side)) return {Errc::sequence_too_long, count};
  return detail::SequenceReader<>(profile, ids, count, reading).read();
}
template <class = void>
[[nodiscard]] Result<TokenLayout> read_sequence(const ModelProfile& profile, const TokenId* ids, std::size_t count) {
  return read_sequence(profile, ids, count, SequenceReading{});
}

/// An encoder that maps special tokens of the profile to their ids and gives the text between them to `encode`, which
/// need not know them.
template <class Encode>
class SpecialTokenEncoder {
 public:
  SpecialTokenEncoder(const ModelProfile& profile, Encode encode) : profile_(profile), encode_(std::move(encode)) {}

  [[nodiscard]] std::vector<TokenId> operator()(std::string_view text) { return split(profile_, encode_, text); }
  [[nodiscard]] std::vector<TokenId> operator()(std::string_view text) const { return split(profile_, encode_, text); }

 private:
  template <class PlainEncode>
  [[nodiscard]] static std::vector<TokenId> split(const ModelProfile& profile, PlainEncode& encode,
                                                  std::string_view text) {
    std::vector<TokenId> ids;
    const auto append = [&](std::string_view plain) {
      if (plain.empty()) return;
      for (const auto& id : encode(plain)) ids.push_back(static_cast<TokenId>(id));
    };
    std::size_t from = 0;
    for (auto token = next_special_token(profile, text); token; token = next_special_token(profile, text, from)) {
      append(text.substr(from, token->begin - from));
      ids.push_back(token->id);
      from = token->end;
    }
    append(text.substr(from));
    return ids;
  }

  ModelProfile profile_;
  Encode encode_;
};

template <class Encode>
[[nodiscard]] SpecialTokenEncoder<Encode> with_special_tokens(const ModelProfile& profile, Encode encode) {
  return {profile, std::move(encode)};
}

/// How many <img> stand for an image in a prompt that is one text: all of them, or one for each run, as in logs and for
/// processors that repeat it themselves.
enum class ImageText : std::uint8_t { all_tokens, one_token_a_run };

/// The sections joined to one text, images and sections of ids as the texts of their special tokens; no
/// <|startoftext|>. position() of an error is the section's number: Errc::not_a_special_token for an id without a text,
/// Errc::not_a_text for a section whose tokens only an encoder can count (unconditional, or cut), and those of
/// build_sequence for images.
template <class = void>
[[nodiscard]] Result<std::string> prompt_text(const ModelProfile& profile, const std::vector<Section>& sections,
                                              ImageText images = ImageText::all_tokens) {
  std::string text;
  const auto append_token = [&](TokenId id, std::int32_t count) {
    const Result<TokenText> token = token_text(profile, id);
    for (std::int32_t k = 0; k < count && token; ++k) text.append(token->view());
    return token.has_value();
  };
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const Section& section = sections[i];
    bool has_texts = true;
    if (section.is_image) {
      const Errc error = detail::image_error(profile, section.image);
      if (error != Errc::none) return {error, i};
      detail::for_each_part(profile, section.image, [&](detail::BlockPart, TokenId id, std::int32_t count) {
        has_texts = append_token(id, images == ImageText::all_tokens || count == 0 ? count : 1);
        return has_texts;
      });
    } else {
      if (section.unconditional || section.max_tokens) return {Errc::not_a_text, i};
      for (const TokenId id : section.tokens) has_texts = has_texts && append_token(id, 1);
      if (section.tokens.empty()) text.append(section.text);
    }
    if (!has_texts) return {Errc::not_a_special_token, i};
  }
  return text;
}

/// Whether encoding the joined text gives other ids than the sections one by one, as it does where the encoder merges
/// across a boundary. Errors: those of prompt_text and build_sequence.
template <class Encode>
[[nodiscard]] Result<bool> joining_changes_ids(const ModelProfile& profile, const std::vector<Section>& sections,
                                               Encode&& encode) {
  const Result<std::string> text = prompt_text(profile, sections);
  if (!text) return {text.error(), text.position()};
  SequenceOptions options;
  options.add_bos = false;
  const Result<TokenSequence> sequence = build_sequence(profile, sections, encode, options);
  if (!sequence) return {sequence.error(), sequence.position()};
  std::vector<TokenId> ids(static_cast<std::size_t>(sequence->length));
  const Errc error = sequence->expand(ids.data(), ids.size());
  if (error != Errc::none) return error;
  std::size_t i = 0;
  for (const auto& id : encode(std::string_view(*text))) {
    if (i == ids.size() || static_cast<TokenId>(id) != ids[i]) return true;
    ++i;
  }
  return i != ids.size();
}

/// The positions that the denoising steps after the first feed again: the generated image's <timestep>, <guidance> if
/// the profile is distilled, <timestep_r> if it uses meanflow, then the <img> runs of all generated images, as slices
/// in this order; slices that touch are joined. With several generated images the scalar tokens are those of the last
/// one, as upstream takes them. The rows of the mask at these positions are the later steps' mask.
/// Errc::no_generated_image, Errc::scalar_token_missing.
template <class = void>
[[nodiscard]] Result<std::vector<Slice>> refeed_slices(const ModelProfile& profile, const TokenLayout& layout) {
  if (layout.gen_timestep_positions.empty()) return Errc::no_generated_image;
  if (profile.cfg_distilled && layout.guidance_positions.empty()) return Errc::scalar_token_missing;
  if (profile.use_meanflow && layout.timestep_r_positions.empty()) return Errc::scalar_token_missing;
  std::vector<Slice> slices;
  const auto append = [&slices](Slice slice) {
    if (!slices.empty() && slices.back().stop == slice.start) {
      slices.back().stop = slice.stop;
    } else {
      slices.push_back(slice);
    }
  };
  const auto append_position = [&append](std::int32_t position) {
    append({position, position < max_side ? position + 1 : position});
  };
  append_position(layout.gen_timestep_positions.back());
  if (profile.cfg_distilled) append_position(layout.guidance_positions.back());
  if (profile.use_meanflow) append_position(layout.timestep_r_positions.back());
  for (const ImageRun& run : layout.image_runs) {
    if (run.kind == ImageRunKind::generated) append(run.slice);
  }
  return slices;
}

/// The same, position by position.
template <class = void>
[[nodiscard]] Result<std::vector<std::int32_t>> refeed_positions(const ModelProfile& profile,
                                                                 const TokenLayout& layout) {
  const Result<std::vector<Slice>> slices = refeed_slices(profile, layout);
  if (!slices) return slices.error();
  std::vector<std::int32_t> positions;
  for (const Slice& slice : *slices) {
    for (std::int32_t position = slice.start; position < slice.stop; ++position) positions.push_back(position);
  }
  return positions;
}

/// How many leading ids two sequences share.
template <class Id>
[[nodiscard]] constexpr std::size_t common_prefix(const Id* a, std::size_t a_count, const Id* b,
                                                  std::size_t b_count) noexcept {
  std::size_t i = 0;
  while (i < a_count && i < b_count && a[i] == b[i]) ++i;
  return i;
}

/// How many leading tokens of two sequences have the same keys and values, so that the second can start from the first
/// one's cache: those with the same ids, padding aside. An image counts as a whole, since its tokens see one another,
/// and only with the same grids, since positions depend on them; whether its pixels are the same is the caller's to
/// know. Between a text stage and the image stage after it: in the conditional row as far as the chain of thought goes,
/// in the unconditional row up to the first <cfg>.
template <class = void>
[[nodiscard]] std::int32_t reusable_prefix(const TokenSequence& a, const TokenSequence& b) noexcept {
  std::int64_t length = 0;
  const std::size_t run_count = a.runs.size() < b.runs.size() ? a.runs.size() : b.runs.size();
  for (std::size_t i = 0; i < run_count && a.runs[i].id == b.runs[i].id; ++i) {
    const std::int32_t a_count = a.runs[i].count;
    const std::int32_t b_count = b.runs[i].count;
    length += a_count < b_count ? a_count : b_count;
    if (a_count != b_count) break;
  }
  return detail::whole_images_prefix(a, b, detail::to_position(length));
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_SEQUENCE_HPP
