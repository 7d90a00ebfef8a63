// SPDX-License-Identifier: MIT
// Sections and messages to a sequence, and back. An input is a line of options and then a list of sections: a letter
// says what comes (t text up to a line feed, u unconditional text, k ids, g v w j images), bytes say how. The sequence
// is compared with the ids put one after another by hand; its layout is read back from the ids.
#include <hunyuan_reso/chat.hpp>

#include "fuzz.hpp"
#include "support/sequence_grammar.hpp"

namespace {

using namespace hunyuan_reso;
using hunyuan_reso_fuzz::Bytes;
using Ids = std::vector<TokenId>;

Ids encode(std::string_view text) {
  Ids ids;
  for (const char c : text) ids.push_back(1000 + static_cast<unsigned char>(c));
  return ids;
}

/// The tiny profile with its two switches, made once.
const Model& tiny_model(bool late_boi, bool only_vae) {
  static const std::vector<Model> models = [] {
    std::vector<Model> made;
    for (int i = 0; i < 4; ++i) {
      ModelProfile profile = hunyuan_reso_test::tiny_profile();
      profile.honors_front_boi_flag = i % 2 != 0;
      if (i / 2 != 0) profile.conditioning_image_type = ConditioningImageType::vae;
      made.push_back(*Model::create(profile, 256));
    }
    return made;
  }();
  return models[(late_boi ? 1U : 0U) + (only_vae ? 2U : 0U)];
}

struct Input {
  const Model& model;
  SequenceOptions options;
  std::vector<Section> sections;
};

/// An image of a kind with the flags that the bytes say; a few are such that they must be refused.
ImageInfo make_image(const Model& model, ImageKind kind, Bytes& bytes) {
  const std::uint8_t flags = bytes.byte();
  ImageInfo image;
  if (has_vae_run(kind)) image = *image_info_of_row(model, bytes.below(model.group.size()));
  image.kind = kind;
  image.add_image_shape_token = (flags & 1U) != 0;
  image.add_timestep_token = (flags & 2U) != 0 || (flags & 13U) == 0;
  image.add_guidance_token = (flags & 4U) != 0;
  image.add_timestep_r_token = (flags & 8U) != 0;
  image.use_front_boi_token = (flags & 16U) != 0;
  if (kind == ImageKind::cond_vae) image.add_timestep_token |= !image.add_image_shape_token;
  if (has_vit_run(kind)) {
    image.vit_token_height = 1;
    image.vit_token_width = 1 + static_cast<std::int32_t>(bytes.below(3));
    image.vit_token_length = image.vit_token_width;
  }
  if ((flags & 224U) == 224U) {  // one time in eight
    const std::int64_t odd[] = {0, -1, 7, max_side, std::int64_t{1} << 40};
    const std::int64_t value = odd[bytes.below(5)];
    (bytes.flag() ? image.image_token_length : image.vit_token_length) = value;
    if (bytes.flag()) image.base_size = bytes.number();
    if (bytes.flag()) image.ratio_index = bytes.byte();
  }
  return image;
}

Input read_input(Bytes& bytes) {
  const std::string_view first_line = bytes.line();
  const auto has = [first_line](char option) { return first_line.find(option) != std::string_view::npos; };
  Input input{tiny_model(has('l'), has('v')), {}, {}};
  Bytes line(first_line);
  while (!line.empty()) {
    switch (line.byte()) {
      case 'b':
        input.options.add_bos = false;
        break;
      case 'e':
        input.options.add_eos = line.flag() ? AddEos::yes : AddEos::automatic;
        break;
      case 'p':
        input.options.add_pad = line.flag() ? AddPad::yes : AddPad::automatic;
        break;
      case 't':
        input.options.total_length = static_cast<std::int32_t>(line.byte()) - 2;
        break;
      case 'm':
        input.options.max_length = static_cast<std::int32_t>(line.byte()) - 2;
        break;
      case 'o':
        input.options.overflow = line.flag() ? Overflow::drop_last : Overflow::keep;
        break;
      default:
        break;
    }
  }
  while (!bytes.empty() && input.sections.size() < 40) {
    const std::uint8_t what = bytes.byte();
    Section section;
    switch (what) {
      case 't':
      case 'u':
        section = Section::of_text(std::string(bytes.line()), what == 'u');
        break;
      case 'k': {
        std::vector<TokenId> ids;
        for (std::size_t i = bytes.below(6); i > 0; --i) ids.push_back(static_cast<TokenId>(bytes.byte()));
        section = Section::of_tokens(ids);
        break;
      }
      case 'g':
        section = Section::of_image(make_image(input.model, ImageKind::generated, bytes));
        break;
      case 'v':
        section = Section::of_image(make_image(input.model, ImageKind::cond_vae, bytes));
        break;
      case 'w':
        section = Section::of_image(make_image(input.model, ImageKind::cond_vit, bytes));
        break;
      case 'j':
        section = Section::of_image(make_image(input.model, ImageKind::cond_joint, bytes));
        break;
      case 'c':  // the section before is cut
        if (!input.sections.empty()) input.sections.back().max_tokens = static_cast<std::int32_t>(bytes.byte()) - 2;
        continue;
      case 'o':  // its part for the loss is moved
        if (!input.sections.empty()) {
          input.sections.back().mask_start_offset = bytes.number();
          input.sections.back().mask_stop_offset = bytes.number();
        }
        continue;
      default:
        continue;
    }
    input.sections.push_back(section);
  }
  return input;
}

// ---- by hand -------------------------------------------------------------------------------------------------------

void append_block(const ModelProfile& profile, const ImageInfo& image, Ids& ids) {
  const SpecialTokens& special = profile.special;
  const bool front = image.use_front_boi_token || !profile.honors_front_boi_flag;
  const bool is_generated = image.kind == ImageKind::generated;
  const bool has_vae = image.kind != ImageKind::cond_vit;
  if (front) ids.push_back(special.boi);
  if (has_vae && image.add_image_shape_token) {
    ids.push_back(*size_token_id(profile, image.base_size));
    ids.push_back(*ratio_token_id(profile, image.ratio_index));
  }
  if (has_vae && image.add_timestep_token) ids.push_back(special.timestep);
  if (is_generated && image.add_guidance_token) ids.push_back(special.guidance);
  if (is_generated && image.add_timestep_r_token) ids.push_back(special.timestep_r);
  if (!front) ids.push_back(special.boi);
  if (has_vae) ids.insert(ids.end(), static_cast<std::size_t>(image.image_token_length), special.img);
  if (image.kind == ImageKind::cond_joint) ids.push_back(special.joint_img_sep);
  const bool has_vit = image.kind == ImageKind::cond_vit || image.kind == ImageKind::cond_joint;
  if (has_vit) ids.insert(ids.end(), static_cast<std::size_t>(image.vit_token_length), special.img);
  ids.push_back(special.eoi);
}

/// Images that only Overflow::drop_last can pass over: they cannot be written out.
bool is_odd_image(const Section& section) {
  constexpr std::int64_t most = 10000;
  const auto is_odd = [](std::int64_t length) { return length < 0 || length > most; };
  return section.is_image && (is_odd(section.image.image_token_length) || is_odd(section.image.vit_token_length));
}

/// All sections without bos, eos, cut and padding; up to the first such image.
Ids plain_ids(const Input& input) {
  const ModelProfile& profile = input.model.profile;
  Ids ids;
  for (const Section& section : input.sections) {
    if (is_odd_image(section)) break;
    if (section.is_image) {
      append_block(profile, section.image, ids);
      continue;
    }
    Ids text = section.tokens.empty() ? encode(section.text) : section.tokens;
    if (section.max_tokens && static_cast<std::size_t>(*section.max_tokens) < text.size()) {
      text.resize(static_cast<std::size_t>(*section.max_tokens));
    }
    if (section.unconditional) text.assign(text.size(), profile.special.cfg);
    ids.insert(ids.end(), text.begin(), text.end());
  }
  return ids;
}

// ---- checks --------------------------------------------------------------------------------------------------------

Ids expanded(const TokenSequence& sequence) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < sequence.runs.size(); ++i) {
    ALWAYS(sequence.runs[i].count > 0);
    ALWAYS(i == 0 || sequence.runs[i].id != sequence.runs[i - 1].id);
    length += static_cast<std::size_t>(sequence.runs[i].count);
  }
  ALWAYS(length == static_cast<std::size_t>(sequence.length));
  Ids ids(length, -7);
  if (length > 0) ALWAYS(sequence.expand(ids.data(), length - 1) == Errc::buffer_too_small && ids[0] == -7);
  ALWAYS(sequence.expand(ids.data(), length) == Errc::none);
  return ids;
}

bool same_positions(const TokenLayout& a, const TokenLayout& b) {
  return a.length == b.length && a.gen_timestep_positions == b.gen_timestep_positions &&
         a.cond_timestep_positions == b.cond_timestep_positions && a.guidance_positions == b.guidance_positions &&
         a.timestep_r_positions == b.timestep_r_positions && a.boi_positions == b.boi_positions &&
         a.eoi_positions == b.eoi_positions && a.joint_img_sep_positions == b.joint_img_sep_positions &&
         a.real_length() == b.real_length();
}

bool same_runs(const TokenLayout& a, const TokenLayout& b) {
  return std::equal(a.image_runs.begin(), a.image_runs.end(), b.image_runs.begin(), b.image_runs.end(),
                    [](const ImageRun& x, const ImageRun& y) { return detail::is_same_run(x, y); });
}

void check_slices(const TokenSequence& sequence, const Input& input) {
  std::size_t texts = 0;
  for (const Section& section : input.sections) texts += section.is_image ? 0 : 1;
  ALWAYS(sequence.text_slices.size() <= texts);
  std::int32_t last = 0;
  for (const Slice& slice : sequence.text_slices) {
    ALWAYS(slice.start >= last && slice.stop >= slice.start);
    last = slice.stop;
  }
  last = 0;
  for (const ImageRun& run : sequence.image_runs) {
    ALWAYS(run.slice.start >= last && run.slice.stop >= run.slice.start);
    last = run.slice.stop;
  }
  ALWAYS(sequence.text_mask_slices.size() <= sequence.text_slices.size());
}

void check_sequence(const Input& input, const TokenSequence& sequence) {
  const ModelProfile& profile = input.model.profile;
  const Ids ids = expanded(sequence);
  check_slices(sequence, input);
  // Bos, what the sections are, perhaps eos, padding; perhaps cut, perhaps without the last images.
  Ids whole;
  if (input.options.add_bos) whole.push_back(profile.special.bos);
  const Ids plain = plain_ids(input);
  whole.insert(whole.end(), plain.begin(), plain.end());
  const auto real = static_cast<std::size_t>(sequence.real_length());
  std::size_t end = real;
  const bool has_eos = sequence.eos_position.has_value() && static_cast<std::size_t>(*sequence.eos_position) < real;
  if (has_eos) {
    ALWAYS(static_cast<std::size_t>(*sequence.eos_position) == --end && ids[end] == profile.special.eos);
  }
  ALWAYS(end <= whole.size() && std::equal(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(end), whole.begin()));
  for (std::size_t i = real; i < ids.size(); ++i) ALWAYS(ids[i] == profile.special.pad);
  const bool is_whole = end == whole.size();
  const auto total = static_cast<std::size_t>(input.options.total_length.value_or(0));
  ALWAYS(is_whole || (total > 0 && input.options.overflow != Overflow::keep));
  ALWAYS(real == ids.size() || (ids.size() == total && input.options.add_pad != AddPad::no));
  ALWAYS(!input.options.max_length || sequence.length <= *input.options.max_length);
  const bool has_odd = std::any_of(input.sections.begin(), input.sections.end(), is_odd_image);
  if (!is_whole || has_odd) return;

  // Read back with the images known: everything is as it was written.
  std::vector<ImageInfo> images;
  bool has_ids = false;
  for (const Section& section : input.sections) {
    if (section.is_image) images.push_back(section.image);
    has_ids = has_ids || !section.tokens.empty();
  }
  SequenceReading reading;
  reading.images = images.data();
  reading.image_count = images.size();
  if (images.empty()) reading.images = nullptr;
  for (const ImageInfo& image : images) {
    if ((has_vae_run(image.kind) && image.image_token_length == 0) ||
        (has_vit_run(image.kind) && image.vit_token_length == 0)) {
      return;  // a block without a run is none to a reader
    }
  }
  const Result<TokenLayout> layout = read_sequence(profile, ids.data(), ids.size(), reading);
  ALWAYS(layout.has_value());
  ALWAYS(same_positions(*layout, sequence) && same_runs(*layout, sequence));

  const auto positions = refeed_positions(profile, sequence);
  if (positions) {
    for (const std::int32_t position : *positions) ALWAYS(position >= 0 && position < sequence.length);
  }
}

/// The joined text encodes to the same ids, since here no two characters merge.
void check_text(const Input& input) {
  for (const Section& section : input.sections) {
    if (is_odd_image(section)) return;
    if (section.text.find('<') != std::string::npos || section.text.find('>') != std::string::npos) return;
  }
  const ModelProfile& profile = input.model.profile;
  const Result<std::string> text = prompt_text(profile, input.sections);
  if (!text) return;
  const auto encoder = with_special_tokens(profile, encode);
  ALWAYS(encoder(*text) == plain_ids(input));
  const Result<bool> changes = joining_changes_ids(profile, input.sections, encoder);
  ALWAYS(changes.error() == Errc::empty_sequence || (changes.has_value() && !*changes));
}

/// The prefix that two rows share is one of their ids, and whichever comes first.
void check_prefix(const TokenSequence& a, const TokenSequence& b) {
  const Ids a_ids = expanded(a);
  const Ids b_ids = expanded(b);
  const std::size_t same = common_prefix(a_ids.data(), a_ids.size(), b_ids.data(), b_ids.size());
  const std::int32_t reusable = reusable_prefix(a, b);
  ALWAYS(reusable == reusable_prefix(b, a) && reusable >= 0 && static_cast<std::size_t>(reusable) <= same);
}

/// The sections as messages of a conversation.
void check_chat(const Input& input, std::uint8_t choice) {
  std::vector<Message> messages;
  for (std::size_t i = 0; i < input.sections.size(); ++i) {
    const Section& section = input.sections[i];
    const Role role = i == 0 && !section.is_image                  ? Role::system
                      : (std::uint32_t{choice} >> i % 8 & 1U) != 0 ? Role::assistant
                                                                   : Role::user;
    messages.push_back(section.is_image ? Message::of_image(role, section.image)
                                        : Message::of_text(role, section.text));
  }
  ChatOptions options =
      ChatOptions::of(input.model.profile, (choice & 64U) != 0 ? ChatMode::gen_text : ChatMode::gen_image);
  options.bot_task = static_cast<BotTask>(choice % 6);
  options.drop_think = (choice & 128U) != 0;
  const auto encoder = with_special_tokens(input.model.profile, encode);
  const Result<TokenBatch> batch = encode_chat_batch(input.model, {messages, messages}, options, encoder, 1);
  if (!batch) {
    ALWAYS(batch.position() <= messages.size() || batch.error() == Errc::sequence_too_long);
    return;
  }
  ALWAYS(batch->rows.size() == 4);
  for (const TokenSequence& row : batch->rows) ALWAYS(row.length == batch->length);
  const TokenSequence& conditional = batch->rows[0];
  const TokenSequence& unconditional = batch->rows[2];
  ALWAYS(expanded(conditional) == expanded(batch->rows[1]));
  ALWAYS(same_runs(conditional, unconditional) && conditional.real_length() == unconditional.real_length());
  const Ids a = expanded(conditional);
  const Ids b = expanded(unconditional);
  for (std::size_t i = 0; i < a.size(); ++i) ALWAYS(a[i] == b[i] || b[i] == input.model.profile.special.cfg);
  check_prefix(conditional, unconditional);
}

}  // namespace

FUZZ_TARGET(sequence) {
  Bytes bytes(input);
  const std::uint8_t choice = bytes.byte();
  const Input made = read_input(bytes);
  const Result<TokenSequence> sequence = build_sequence(made.model.profile, made.sections, encode, made.options);
  if (sequence) {
    check_sequence(made, *sequence);
    check_text(made);
    const std::vector<Section> fewer(made.sections.begin(), made.sections.end() - 1);
    const Result<TokenSequence> shorter = build_sequence(made.model.profile, fewer, encode, made.options);
    if (shorter) check_prefix(*sequence, *shorter);
  } else {
    ALWAYS(message(sequence.error())[0] != '\0');
    ALWAYS(sequence.error() == Errc::sequence_too_long || sequence.position() <= made.sections.size());
  }
  check_chat(made, choice);
}
