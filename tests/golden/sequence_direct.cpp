// SPDX-License-Identifier: MIT
#include "sequence_direct.hpp"

#include <sstream>

#include "common.hpp"
#include "sequence_compare.hpp"

namespace hunyuan_reso_test {

using hunyuan_reso::AddEos;
using hunyuan_reso::AddPad;
using hunyuan_reso::Errc;
using hunyuan_reso::ImageInfo;
using hunyuan_reso::ImageKind;
using hunyuan_reso::ImageRunKind;
using hunyuan_reso::Overflow;
using hunyuan_reso::Result;
using hunyuan_reso::Section;
using hunyuan_reso::SequenceOptions;
using hunyuan_reso::Slice;
using hunyuan_reso::TokenSequence;

namespace {

bool is_flag_or(const Json& value, const char* text) {
  if (value.is_boolean()) return true;
  if (value.is_string() && value.text() == text) return true;
  throw NotApplicable{"an option is " + value.dump()};
}

AddEos add_eos(const Json& input, AddEos absent) {
  if (!given(input, "add_eos") || !is_flag_or(input["add_eos"], "auto")) return absent;
  if (input["add_eos"].is_string()) return AddEos::automatic;
  return input["add_eos"].boolean() ? AddEos::yes : AddEos::no;
}

/// Upstream's True pads where there is a total length, as "auto" does.
AddPad add_pad(const Json& input) {
  if (!given(input, "add_pad") || !is_flag_or(input["add_pad"], "auto")) return AddPad::automatic;
  return input["add_pad"].is_string() || input["add_pad"].boolean() ? AddPad::automatic : AddPad::no;
}

/// Upstream's drop_last: "auto" clips, true drops what would not fit, false leaves the sequence longer.
Overflow overflow(const Json& input) {
  if (!given(input, "drop_last") || !is_flag_or(input["drop_last"], "auto")) return Overflow::clip;
  if (input["drop_last"].is_string()) return Overflow::clip;
  return input["drop_last"].boolean() ? Overflow::drop_last : Overflow::keep;
}

SequenceOptions options_of(const Json& input, AddEos absent_eos, const char* total_length) {
  SequenceOptions options;
  options.add_bos = flag(input, "add_bos", true);
  options.add_eos = add_eos(input, absent_eos);
  options.add_pad = add_pad(input);
  options.overflow = overflow(input);
  if (given(input, total_length)) options.total_length = int32(input[total_length]);
  if (options.total_length && *options.total_length < 0) throw NotApplicable{"a negative total length"};
  return options;
}

/// Whether a text is replaced: with a probability in between upstream draws a random number.
bool is_unconditional(const Json& section, bool enabled) {
  const double probability = given(section, "uncond_p") ? section["uncond_p"].number() : 0.0;
  if (probability != 0.0 && probability != 1.0) throw NotApplicable{"random: uncond_p is between 0 and 1"};
  return enabled && probability == 1.0;
}

/// A text, or a list of ids in place of one.
void set_text(const Json& text, Section& section) {
  if (text.is_string()) {
    section.text = text.text();
    return;
  }
  if (!text.is_array()) throw RefusedInput{"a text is neither a text nor a list of ids"};
  for (const Json& id : text.elements()) section.tokens.push_back(int32(id));
}

Section text_section(const Json& entry) {
  only_known_keys(
      entry,
      {"type", "text", "tokens", "max_length", "uncond_enabled", "uncond_p", "ignore", "start_offset", "end_offset"},
      "the text section");
  Section section;
  if (given(entry, "text")) set_text(entry["text"], section);
  if (given(entry, "tokens")) set_text(entry["tokens"], section);
  section.unconditional = is_unconditional(entry, flag(entry, "uncond_enabled", true));
  if (given(entry, "max_length")) section.max_tokens = int32(entry["max_length"]);
  section.in_text_mask = !flag(entry, "ignore", false);
  if (given(entry, "start_offset")) section.mask_start_offset = int32(entry["start_offset"]);
  if (given(entry, "end_offset")) section.mask_stop_offset = int32(entry["end_offset"]);
  return section;
}

/// Joint images record [VAE, ViT] in one list. `set` takes a run's number (0 VAE, 1 ViT) and its value.
template <class Set>
void set_sides(const Json& entry, const char* key, ImageKind kind, Set set) {
  if (!given(entry, key)) return;
  const Json value = entry[key];
  if (kind == ImageKind::cond_joint) {
    if (!value.is_array() || value.size() != 2) throw RefusedInput{std::string(key) + " is no list of two"};
    set(0, value[std::size_t{0}].integer());
    set(1, value[1].integer());
  } else {
    if (!value.is_integer()) throw RefusedInput{std::string(key) + " is no integer"};
    set(kind == ImageKind::cond_vit ? 1 : 0, value.integer());
  }
}

void set_length(const Json& entry, const char* key, ImageInfo& image) {
  set_sides(entry, key, image.kind, [&image](int run, std::int64_t length) {
    (run == 0 ? image.image_token_length : image.vit_token_length) = length;
  });
}

void set_shape(const Json& entry, ImageInfo& image) {
  if (given(entry, "base_size")) image.base_size = int32(entry["base_size"]);
  if (given(entry, "ratio_idx")) image.ratio_index = static_cast<std::size_t>(int32(entry["ratio_idx"]));
}

Section image_section(const Json& entry, ImageKind kind) {
  only_known_keys(entry,
                  {"type", "token_length", "token_height", "token_width", "image_height", "image_width", "base_size",
                   "ratio_idx", "add_timestep_token", "add_guidance_token", "add_timestep_r_token",
                   "use_front_boi_token", "add_image_shape_token", "ori_image_width", "ori_image_height"},
                  "the image section");
  ImageInfo image;
  image.kind = kind;
  set_length(entry, "token_length", image);
  set_sides(entry, "token_height", kind, [&image](int run, std::int64_t height) {
    (run == 0 ? image.token_height : image.vit_token_height) = static_cast<std::int32_t>(height);
  });
  set_sides(entry, "token_width", kind, [&image](int run, std::int64_t width) {
    (run == 0 ? image.token_width : image.vit_token_width) = static_cast<std::int32_t>(width);
  });
  set_shape(entry, image);
  image.add_timestep_token = flag(entry, "add_timestep_token", false);
  image.add_guidance_token = flag(entry, "add_guidance_token", false);
  image.add_timestep_r_token = flag(entry, "add_timestep_r_token", false);
  image.use_front_boi_token = flag(entry, "use_front_boi_token", true);
  image.add_image_shape_token = flag(entry, "add_image_shape_token", false);
  return Section::of_image(image);
}

/// A name without an id: upstream puts null into the list, this library refuses.
bool is_unknown_name(Errc error) {
  return error == Errc::unknown_base_size || error == Errc::ratio_index_out_of_range ||
         error == Errc::ratio_token_id_unknown;
}

/// An image of a token source: a length, or a description whose absent flags are the call's.
Section source_image(const Json& entry, ImageKind kind, const Json& input) {
  ImageInfo image;
  image.kind = kind;
  image.add_timestep_token = flag(input, "add_timestep_token", false);
  image.add_guidance_token = flag(input, "add_guidance_token", false);
  image.add_timestep_r_token = flag(input, "add_timestep_r_token", false);
  image.add_image_shape_token = flag(input, "add_image_shape_token", false);
  if (!entry.is_object()) {
    if (kind == ImageKind::cond_joint || !entry.is_integer()) throw RefusedInput{"an image of the token source"};
    (kind == ImageKind::cond_vit ? image.vit_token_length : image.image_token_length) = entry.integer();
    return Section::of_image(image);
  }
  only_known_keys(
      entry, {"length", "timestep", "guidance", "timestep_r", "image_shape", "base_size", "ratio_idx", "front_boi"},
      "the image of the token source");
  set_length(entry, "length", image);
  set_shape(entry, image);
  image.add_timestep_token = flag(entry, "timestep", image.add_timestep_token);
  image.add_guidance_token = flag(entry, "guidance", image.add_guidance_token);
  image.add_timestep_r_token = flag(entry, "timestep_r", image.add_timestep_r_token);
  image.add_image_shape_token = flag(entry, "image_shape", image.add_image_shape_token);
  image.use_front_boi_token = flag(entry, "front_boi", true);
  return Section::of_image(image);
}

std::vector<Section> sections_of_template(const Json& input) {
  const Json source = input["token_source"];
  std::vector<std::string> names;
  std::istringstream stream(input["template"].text());
  for (std::string name; std::getline(stream, name, '-');) names.push_back(name);
  std::map<std::string, std::size_t> used;
  for (const auto& [name, list] : source.members()) {
    if (!list.is_array()) throw RefusedInput{"a token source is no list"};
    used[name] = 0;
  }
  std::vector<Section> sections;
  for (const std::string& name : names) {
    const auto kind = image_kind(name);
    if (used.count(name) == 0) throw RefusedInput{"the template names a source that is not given"};
    if (used[name] >= source[name.c_str()].size()) throw RefusedInput{"the template takes more than a source has"};
    const Json entry = source[name.c_str()][used[name]++];
    if (kind) {
      sections.push_back(source_image(entry, *kind, input));
    } else {
      sections.emplace_back();
      set_text(entry, sections.back());
    }
  }
  for (const auto& [name, count] : used) {
    if (count == 0) throw RefusedInput{"the template does not name all sources"};
    if (count < source[name.c_str()].size()) throw NotApplicable{"a source has more than the template takes"};
  }
  return sections;
}

/// Our lists under the names of encode_sequence; ends are the last position, not the one after it.
std::map<std::string, std::vector<std::int32_t>> named_positions(const TokenSequence& sequence) {
  std::map<std::string, std::vector<std::int32_t>> names;
  const auto add_slices = [&names](const std::string& name, const std::vector<Slice>& slices) {
    for (const Slice& slice : slices) {
      names[name + "_start"].push_back(slice.start);
      names[name + "_end"].push_back(slice.stop - 1);
    }
  };
  const auto add = [&names](const char* name, const std::vector<std::int32_t>& list) {
    if (!list.empty()) names[name] = list;
  };
  std::vector<Slice> all;
  for (const hunyuan_reso::ImageRun& run : sequence.image_runs) all.push_back(run.slice);
  add_slices("<text>", sequence.text_slices);
  add_slices("<img>", sequence.image_slices(ImageRunKind::generated));
  add_slices("<vae_img>", sequence.image_slices(ImageRunKind::vae));
  add_slices("<vit_img>", sequence.image_slices(ImageRunKind::vit));
  add_slices("<joint_img>", sequence.joint_slices());
  add_slices("<all_img>", all);
  add("boi", sequence.boi_positions);
  add("eoi", sequence.eoi_positions);
  add("timestep", all_timestep_positions(sequence));
  add("gen_timestep", sequence.gen_timestep_positions);
  add("cond_timestep", sequence.cond_timestep_positions);
  add("guidance", sequence.guidance_positions);
  add("joint_img_sep", sequence.joint_img_sep_positions);
  if (sequence.eos_position) names["eos"] = {*sequence.eos_position};
  if (sequence.first_pad_position) names["first_pad"] = {*sequence.first_pad_position};
  return names;
}

void compare_named_positions(const TokenSequence& sequence, const Json& expected, Report& report) {
  auto names = named_positions(sequence);
  for (const char* name : {"timestep_r", "gen_timestep_r"}) {  // the scatter indices have the second spelling
    if (expected.has(name)) names[name] = sequence.timestep_r_positions;
  }
  if (!sequence.timestep_r_positions.empty() && names.count("timestep_r") + names.count("gen_timestep_r") == 0) {
    report.fail("positions of <timestep_r> are not recorded");
  }
  for (const auto& [name, list] : expected.members()) {
    if (names.count(name) == 0) {
      if (list.size() != 0) report.fail("positions of '" + name + "' are recorded, ours has none");
      continue;
    }
    compare_positions(names[name], list, "positions of " + name, report);
    names.erase(name);
  }
  for (const auto& [name, list] : names) report.fail("positions of '" + name + "' are not recorded");
}

}  // namespace

bool is_warn_and_stop(const Json& entry) {
  return entry.has("error") && entry["error"]["message"].text().find("has no attribute 'logger'") != std::string::npos;
}

bool compare_refusal(const Json& entry, bool accepted, Report& report) {
  if (!entry.has("error")) {
    if (!accepted) report.fail("refused, upstream accepts");
    return !accepted;
  }
  if (accepted) report.fail("accepted, upstream refuses: " + entry["error"].dump());
  return true;
}

void check_encode_general(const Json& entry, const SequenceTables& tables, Report& report) {
  const Json input = entry["input"];
  only_known_keys(input,
                  {"sections", "max_token_length", "add_bos", "add_eos", "add_pad", "drop_last", "use_text_mask"},
                  "the input");
  if (!given(input, "sections")) throw RefusedInput{"no list of sections"};
  std::vector<Section> sections;
  for (const Json& section : input["sections"].elements()) {
    const auto kind = image_kind(section["type"].text());
    sections.push_back(kind ? image_section(section, *kind) : text_section(section));
  }
  const SequenceOptions options = options_of(input, AddEos::automatic, "max_token_length");
  const hunyuan_reso::ModelProfile profile = tables.profile(entry["release"].text());
  const std::string name = entry["name"].text();
  report.begin_case(name);
  const Result<TokenSequence> sequence = build_sequence(profile, sections, tables.tokenizer(), options);
  if (entry.has("output") && is_unknown_name(sequence.error()) &&
      has_null_token(entry["output"], OutputForm::one_row)) {
    return report.deliberate(name + ": a size or ratio without a token is refused, upstream writes null");
  }
  if (is_warn_and_stop(entry)) {
    bool has_limit = false;
    for (const Section& section : sections) has_limit = has_limit || section.max_tokens.has_value();
    report.is_true(sequence.has_value() && has_limit, "a text with a limit is cut");
    return report.deliberate("upstream's warning about a cut text fails for want of a logger; here the text is cut");
  }
  if (compare_refusal(entry, sequence.has_value(), report)) return;
  check_reading(profile, *sequence, sections, report);
  const bool text_mask = flag(input, "use_text_mask", true);
  compare_output({*sequence}, entry["output"], OutputForm::one_row,
                 text_mask ? Recorded::everything : Recorded::everything_but_text_mask, report);
}

void check_encode_sequence(const Json& entry, const SequenceTables& tables, Report& report) {
  const Json input = entry["input"];
  only_known_keys(input,
                  {"template", "token_source", "total_length", "add_bos", "add_eos", "add_pad", "drop_last",
                   "add_timestep_token", "add_guidance_token", "add_timestep_r_token", "add_image_shape_token"},
                  "the input");
  const std::vector<Section> sections = sections_of_template(input);
  const SequenceOptions options = options_of(input, AddEos::yes, "total_length");
  const std::string name = entry["name"].text();
  report.begin_case(name);
  const hunyuan_reso::ModelProfile profile = tables.profile(entry["release"].text());
  const Result<TokenSequence> sequence = build_sequence(profile, sections, tables.tokenizer(), options);
  if (entry.has("output") && is_unknown_name(sequence.error()) &&
      has_null_token(entry["output"], OutputForm::one_row)) {
    return report.deliberate(name + ": a size or ratio without a token is refused, upstream writes null");
  }
  if (compare_refusal(entry, sequence.has_value(), report)) return;
  check_reading(profile, *sequence, sections, report);
  for (const auto& [key, value] : entry["output"].members()) {
    if (key != "tokens" && key != "length" && key != "positions") report.fail("the output has the key '" + key + "'");
  }
  compare_tokens(*sequence, entry["output"]["tokens"], report);
  report.equal(sequence->length, entry["output"]["length"].integer(), "length");
  compare_named_positions(*sequence, entry["output"]["positions"], report);
}

namespace {

/// The texts of encode_text, each with its flag.
std::vector<Section> texts_of(const Json& input) {
  std::vector<Section> sections;
  for (std::size_t i = 0; i < input["texts"].size(); ++i) {
    bool enabled = true;
    if (given(input, "uncond_enabled")) {
      const Json flags = input["uncond_enabled"];
      if (flags.is_array() && flags.size() != input["texts"].size()) {
        throw RefusedInput{"another number of flags than texts"};
      }
      enabled = flags.is_array() ? flags[i].boolean() : flags.boolean();
    }
    Section section;
    set_text(input["texts"][i], section);
    section.unconditional = is_unconditional(input, enabled);
    sections.push_back(section);
  }
  return sections;
}

/// The tokens of texts with padding in front of them: the library pads on the right.
void compare_left_padded(const TokenSequence& sequence, std::int32_t total, const Json& runs, Report& report) {
  TokenSequence padded = sequence;
  if (total > sequence.length)
    padded.runs.insert(padded.runs.begin(), {hunyuan_reso::tokens::pad, total - sequence.length});
  padded.length = total > sequence.length ? total : sequence.length;
  compare_tokens(padded, runs, report);
}

}  // namespace

void check_encode_text(const Json& entry, const SequenceTables& tables, Report& report) {
  const Json input = entry["input"];
  only_known_keys(input, {"texts", "max_length", "pad", "return_lengths", "uncond_enabled", "uncond_p"}, "the input");
  const std::string pad = given(input, "pad") ? input["pad"].text() : "";
  if (!pad.empty() && pad != "right" && pad != "left") throw RefusedInput{"an unknown padding"};
  if (!pad.empty() && !given(input, "max_length")) throw RefusedInput{"padding without a length"};
  SequenceOptions options;
  options.add_bos = false;
  if (pad == "right") options.add_pad = AddPad::yes;
  if (given(input, "max_length")) options.total_length = int32(input["max_length"]);
  if (options.total_length && *options.total_length < 1) throw NotApplicable{"a total length that leaves nothing"};
  const std::vector<Section> sections = texts_of(input);
  report.begin_case(entry["name"].text());
  const hunyuan_reso::ModelProfile profile = tables.profile(entry["release"].text());
  const Result<TokenSequence> sequence = build_sequence(profile, sections, tables.tokenizer(), options);
  if (sequence.error() == Errc::empty_sequence && entry.has("output") && entry["output"]["tokens"].size() == 0) {
    return report.deliberate("a sequence without tokens is refused");
  }
  if (is_warn_and_stop(entry)) {
    report.is_true(sequence && sequence->length == *options.total_length, "the texts are cut to the total length");
    return report.deliberate("upstream's warning about a cut text fails for want of a logger; here the text is cut");
  }
  if (compare_refusal(entry, sequence.has_value(), report)) return;
  if (pad == "left") {
    compare_left_padded(*sequence, *options.total_length, entry["output"]["tokens"], report);
  } else {
    compare_tokens(*sequence, entry["output"]["tokens"], report);
  }
  for (const auto& [key, value] : entry["output"].members()) {
    if (key != "tokens" && key != "lengths") report.fail("the output has the key '" + key + "'");
  }
  if (!given(entry["output"], "lengths")) return;
  std::vector<std::int32_t> lengths;  // of what is left of each text
  for (const Slice& slice : sequence->text_slices) {
    const std::int32_t end = sequence->real_length();
    if (slice.start < end) lengths.push_back((slice.stop < end ? slice.stop : end) - slice.start);
  }
  compare_positions(lengths, entry["output"]["lengths"], "lengths", report);
}

}  // namespace hunyuan_reso_test
