// SPDX-License-Identifier: MIT
// Any ids to read_sequence. An input is a line of options and then letters, a token each (see sequence_grammar.hpp;
// other bytes are further tokens and longer runs). Short inputs are judged by the grammar as well; of every input holds
// that what stands before the token at fault is not to blame, and that a layout points at the tokens that it names.
#include <hunyuan_reso/sequence.hpp>

#include "fuzz.hpp"
#include "support/sequence_grammar.hpp"

namespace {

using namespace hunyuan_reso;
using hunyuan_reso_fuzz::Bytes;
using Ids = std::vector<TokenId>;

const hunyuan_reso_test::Language& grammar(bool late_boi) {
  static const hunyuan_reso_test::Language languages[] = {hunyuan_reso_test::grammar(false),
                                                          hunyuan_reso_test::grammar(true)};
  return languages[late_boi ? 1 : 0];
}

/// A letter of the grammar, or one of: digits for other size tokens, A .. Z for ratio tokens, and runs of <img>.
void append_tokens(const ModelProfile& profile, char letter, Ids& ids) {
  if (letter >= '0' && letter <= '9') return ids.push_back(profile.size_tokens.ids[letter - '0']);
  if (letter >= 'A' && letter <= 'Z') return ids.push_back(profile.ratio_tokens.ids[letter - 'A']);
  switch (letter) {
    case '#':
      return ids.insert(ids.end(), 64, profile.special.img), void();
    case '%':
      return ids.insert(ids.end(), 15, profile.special.img), void();
    case '$':
      return ids.push_back(profile.special.eos);
    case '^':
      return ids.push_back(profile.special.bos);
    case '~':
      return ids.push_back(profile.special.cfg);
    case '-':
      return ids.push_back(-1);
    default:
      return ids.push_back(hunyuan_reso_test::id_of(profile, letter));
  }
}

bool are_at(const Ids& ids, const std::vector<std::int32_t>& positions, TokenId id) {
  std::int32_t last = -1;
  for (const std::int32_t position : positions) {
    if (position <= last || static_cast<std::size_t>(position) >= ids.size()) return false;
    if (ids[static_cast<std::size_t>(position)] != id) return false;
    last = position;
  }
  return true;
}

std::size_t count_of(const Ids& ids, TokenId id) {
  return static_cast<std::size_t>(std::count(ids.begin(), ids.end(), id));
}

void check_layout(const ModelProfile& profile, const Ids& ids, const TokenLayout& layout) {
  const SpecialTokens& special = profile.special;
  ALWAYS(static_cast<std::size_t>(layout.length) == ids.size());
  // Of a prompt that ends in an open block nothing is recorded.
  ALWAYS(are_at(ids, layout.boi_positions, special.boi));
  ALWAYS(are_at(ids, layout.eoi_positions, special.eoi));
  ALWAYS(layout.boi_positions.size() == layout.eoi_positions.size());
  ALWAYS(layout.eoi_positions.size() == count_of(ids, special.eoi));
  ALWAYS(count_of(ids, special.boi) - layout.boi_positions.size() <= 1);
  ALWAYS(are_at(ids, layout.gen_timestep_positions, special.timestep));
  ALWAYS(are_at(ids, layout.cond_timestep_positions, special.timestep));
  ALWAYS(are_at(ids, layout.guidance_positions, special.guidance));
  ALWAYS(are_at(ids, layout.timestep_r_positions, special.timestep_r));
  ALWAYS(are_at(ids, layout.joint_img_sep_positions, special.joint_img_sep));
  ALWAYS(layout.joint_img_sep_positions.size() == layout.joint_slices().size());
  // Runs are <img> from end to end, in order, and together they are all of them.
  std::int32_t last = 0;
  std::size_t images = 0;
  for (const ImageRun& run : layout.image_runs) {
    ALWAYS(run.slice.start >= last && run.slice.length() > 0 && run.slice.stop <= layout.length);
    for (std::int32_t i = run.slice.start; i < run.slice.stop; ++i) {
      ALWAYS(ids[static_cast<std::size_t>(i)] == special.img);
    }
    const std::int64_t cells = Resolution{run.token_height, run.token_width}.pixel_count();
    ALWAYS(cells == 0 || cells == run.slice.length());
    ALWAYS(!run.in_joint_block || run.kind != ImageRunKind::generated);
    images += static_cast<std::size_t>(run.slice.length());
    last = run.slice.stop;
  }
  ALWAYS(images == count_of(ids, special.img));
  // Padding is at the end, and the eos right before it.
  const auto real = static_cast<std::size_t>(layout.real_length());
  ALWAYS(real <= ids.size() && count_of(ids, special.pad) == ids.size() - real);
  const bool ends_in_eos = real > 0 && ids[real - 1] == special.eos;
  ALWAYS(layout.eos_position.has_value() == ends_in_eos);
  ALWAYS(!ends_in_eos || static_cast<std::size_t>(*layout.eos_position) == real - 1);

  const auto slices = refeed_slices(profile, layout);
  if (!slices) return;
  const auto positions = refeed_positions(profile, layout);
  std::size_t length = 0;
  for (const Slice& slice : *slices) {
    ALWAYS(slice.length() > 0 && slice.start >= 0 && slice.stop <= layout.length);
    length += static_cast<std::size_t>(slice.length());
  }
  ALWAYS(positions->size() == length);
}

}  // namespace

FUZZ_TARGET(read_sequence) {
  Bytes bytes(input);
  ModelProfile profile = hunyuan_reso_test::tiny_profile();
  SequenceReading reading;
  bool is_plain = true;  // what the grammar describes
  for (const char option : bytes.line()) {
    if (option == 'l') profile.honors_front_boi_flag = true;
    if (option == 'p') is_plain = false, profile = *profiles::all[bytes.below(4)];
    if (option == 'v') is_plain = false, profile.conditioning_image_type = ConditioningImageType::vae;
    if (option == 'f') is_plain = false, reading.grid_mode = GridMode::follow_request;
    if (option == 'a') is_plain = false, profile.follows_aligned_requests = true;
    if (option == 's') is_plain = false, reading.extra_scaling = ExtraScaling::scaled;
  }
  const std::string text(bytes.rest());
  Ids ids;
  for (const char letter : text) append_tokens(profile, letter, ids);
  if (ids.size() > 4096) return;
  const Result<TokenLayout> layout = read_sequence(profile, ids.data(), ids.size(), reading);
  if (ids.empty()) return ALWAYS(layout.error() == Errc::empty_sequence);

  const bool has_only_letters = text.find_first_not_of(hunyuan_reso_test::letters) == std::string::npos;
  if (is_plain && has_only_letters && text.size() <= 40) {
    ALWAYS(hunyuan_reso_test::agrees(profile, grammar(profile.honors_front_boi_flag), text));
  }
  const std::size_t good = layout ? ids.size() : layout.position();
  ALWAYS(good <= ids.size());
  if (layout) check_layout(profile, ids, *layout);
  // With its end cut off, what was good is good, or lacks something at its end; a run that is cut has a wrong length.
  const std::size_t step = 1 + good / 50;
  for (std::size_t size = good < step ? 0 : good - step; size > 0; size = size < step ? 0 : size - step) {
    const Result<TokenLayout> front = read_sequence(profile, ids.data(), size, reading);
    const bool is_cut_run = front.error() == Errc::image_token_count_mismatch && ids[size - 1] == profile.special.img;
    ALWAYS(front.has_value() || front.position() == size || is_cut_run);
  }
}
