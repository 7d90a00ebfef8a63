// SPDX-License-Identifier: MIT
// Sections as token sequences against the same rules over a plain list of ids; texts with special tokens; prompts as
// one text; reusable prefixes.
#include <hunyuan_reso/sequence.hpp>

#include <doctest/doctest.h>

#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

using Ids = std::vector<TokenId>;

/// A byte is a token; '$' is the end of sequence.
Ids encode(std::string_view text) {
  Ids ids;
  for (const char c : text) ids.push_back(c == '$' ? tokens::eos : 1000 + static_cast<unsigned char>(c));
  return ids;
}

/// 2x3 tokens, and 4 ViT slots for 1x3 of them, in the runs that the kind has.
ImageInfo small_image(ImageKind kind = ImageKind::generated, std::int32_t base_size = 1024,
                      std::size_t ratio_index = 16) {
  ImageInfo image;
  image.kind = kind;
  if (has_vae_run(kind)) {
    image.image_token_length = 6;
    image.token_height = 2;
    image.token_width = 3;
    image.base_size = base_size;
    image.ratio_index = ratio_index;
  }
  if (has_vit_run(kind)) {
    image.vit_token_length = 4;
    image.vit_token_height = 1;
    image.vit_token_width = 3;
  }
  return image;
}

Ids image_ids(const ModelProfile& profile, const ImageInfo& image) {
  const SpecialTokens& special = profile.special;
  const bool vae = image.kind != ImageKind::cond_vit;
  const bool vit = image.kind == ImageKind::cond_vit || image.kind == ImageKind::cond_joint;
  const bool moves_boi = profile.honors_front_boi_flag && !image.use_front_boi_token;
  Ids ids;
  if (vae && image.add_image_shape_token) {
    ids.push_back(*size_token_id(profile, image.base_size));
    ids.push_back(*ratio_token_id(profile, image.ratio_index));
  }
  if (vae && image.add_timestep_token) ids.push_back(special.timestep);
  if (image.kind == ImageKind::generated && image.add_guidance_token) ids.push_back(special.guidance);
  if (image.kind == ImageKind::generated && image.add_timestep_r_token) ids.push_back(special.timestep_r);
  ids.insert(moves_boi ? ids.end() : ids.begin(), special.boi);
  if (vae) ids.insert(ids.end(), static_cast<std::size_t>(image.image_token_length), special.img);
  if (vae && vit) ids.push_back(special.joint_img_sep);
  if (vit) ids.insert(ids.end(), static_cast<std::size_t>(image.vit_token_length), special.img);
  ids.push_back(special.eoi);
  return ids;
}

Ids section_ids(const ModelProfile& profile, const Section& section) {
  if (section.is_image) return image_ids(profile, section.image);
  Ids ids = section.tokens.empty() ? encode(section.text) : section.tokens;
  if (section.max_tokens && static_cast<std::size_t>(*section.max_tokens) < ids.size()) {
    ids.resize(static_cast<std::size_t>(*section.max_tokens));
  }
  if (section.unconditional) ids.assign(ids.size(), profile.special.cfg);
  return ids;
}

struct Plain {
  Ids whole{};  ///< before a clip
  Ids ids{};
  Errc error = Errc::none;
};

Plain plain_sequence(const ModelProfile& profile, const std::vector<Section>& sections, const SequenceOptions& options,
                     const std::vector<ImageRun>& runs) {
  Plain result;
  Ids& ids = result.ids;
  if (options.overflow == Overflow::drop_last && !options.total_length) return {{}, {}, Errc::drop_last_without_total};
  if (options.add_pad == AddPad::yes && !options.total_length) return {{}, {}, Errc::pad_without_total};
  if (options.add_bos) ids.push_back(profile.special.bos);
  const auto total = static_cast<std::size_t>(options.total_length.value_or(0));
  bool dropped = false;
  for (std::size_t i = 0; i < sections.size() && !dropped; ++i) {
    const Ids part = section_ids(profile, sections[i]);
    dropped = sections[i].is_image && options.overflow == Overflow::drop_last && total != 0 &&
              ids.size() + part.size() > total;
    if (!dropped) ids.insert(ids.end(), part.begin(), part.end());
  }
  if (!dropped && options.add_eos == AddEos::yes) ids.push_back(profile.special.eos);
  if (!dropped && options.add_eos == AddEos::automatic) {
    if (ids.empty()) return {{}, {}, Errc::empty_sequence};
    const bool reached = options.total_length && ids.size() >= total;
    if (ids.back() != profile.special.eos && !reached) ids.push_back(profile.special.eos);
  }
  result.whole = ids;
  if (total != 0 && ids.size() > total && options.overflow != Overflow::keep) {
    for (const ImageRun& run : runs) {  // the ends of a run count as inside, as recorded
      const auto cut = static_cast<std::int32_t>(total);
      if (run.slice.start <= cut && cut <= run.slice.stop) return {{}, {}, Errc::clip_inside_image};
    }
    ids.resize(total);
  }
  if (options.add_pad != AddPad::no && ids.size() < total) ids.resize(total, profile.special.pad);
  if (ids.empty()) result.error = Errc::empty_sequence;
  return result;
}

/// The ids of a sequence, written out in both types.
Ids expanded(const TokenSequence& sequence) {
  const auto length = static_cast<std::size_t>(sequence.length);
  Ids ids(length + 1, -5);
  std::vector<std::int64_t> wide(length + 1, -5);
  CHECK(sequence.expand(ids.data(), length) == Errc::none);
  CHECK(sequence.expand(wide.data(), length) == Errc::none);
  CHECK(std::vector<std::int64_t>(ids.begin(), ids.end()) == wide);
  CHECK(ids.back() == -5);
  ids.pop_back();
  return ids;
}

/// Counts ids back to runs.
void check_runs(const TokenSequence& sequence, const Ids& ids) {
  std::size_t next = 0;
  TokenId last = -1;
  bool same = true;
  for (const TokenRun& run : sequence.runs) {
    same = same && run.count > 0 && run.id != last;  // as long as they can be
    last = run.id;
    for (std::int32_t k = 0; k < run.count; ++k, ++next) same = same && next < ids.size() && ids[next] == run.id;
  }
  CHECK(same);
  CHECK(next == ids.size());
}

void check_positions(const std::vector<std::int32_t>& positions, const Ids& whole, TokenId id) {
  std::size_t wrong = 0;
  std::int32_t last = -1;
  for (const std::int32_t position : positions) {
    const auto index = static_cast<std::size_t>(position);
    if (position <= last || index >= whole.size() || whole[index] != id) ++wrong;
    last = position;
  }
  CHECK(wrong == 0);
}

void check_records(const ModelProfile& profile, const TokenSequence& sequence, const Ids& whole) {
  const SpecialTokens& special = profile.special;
  std::int32_t last = 0;
  std::size_t wrong = 0;
  for (const ImageRun& run : sequence.image_runs) {
    if (run.slice.start < last || run.slice.stop < run.slice.start) ++wrong;  // ascending and disjoint
    last = run.slice.stop;
    if (static_cast<std::size_t>(last) > whole.size()) ++wrong;
    for (std::int32_t i = run.slice.start; i < last && wrong == 0; ++i) {
      if (whole[static_cast<std::size_t>(i)] != special.img) ++wrong;
    }
  }
  last = 0;
  for (const Slice& slice : sequence.text_slices) {
    if (slice.start < last || slice.stop < slice.start || static_cast<std::size_t>(slice.stop) > whole.size()) ++wrong;
    last = slice.stop;
  }
  CHECK(wrong == 0);
  check_positions(sequence.gen_timestep_positions, whole, special.timestep);
  check_positions(sequence.cond_timestep_positions, whole, special.timestep);
  check_positions(sequence.guidance_positions, whole, special.guidance);
  check_positions(sequence.timestep_r_positions, whole, special.timestep_r);
  check_positions(sequence.boi_positions, whole, special.boi);
  check_positions(sequence.eoi_positions, whole, special.eoi);
  check_positions(sequence.joint_img_sep_positions, whole, special.joint_img_sep);
  const std::vector<Slice> joint = sequence.joint_slices();
  CHECK(joint.size() == sequence.joint_img_sep_positions.size());
  for (std::size_t i = 0; i < joint.size(); ++i) CHECK(joint[i].contains(sequence.joint_img_sep_positions[i]));
}

Section random_section(Random& random) {
  if (random.below(2) == 0) {
    std::string text;
    for (std::uint64_t i = random.below(6); i != 0; --i) text += "abc$"[random.below(4)];
    Section section = Section::of_text(text, random.below(4) == 0);
    if (random.below(4) == 0) section.max_tokens = static_cast<std::int32_t>(random.below(6));
    if (random.below(4) == 0) section.tokens.assign(1 + random.below(4), 77);
    return section;
  }
  const ImageKind kinds[] = {ImageKind::generated, ImageKind::cond_vae, ImageKind::cond_vit, ImageKind::cond_joint};
  const std::int32_t base_sizes[] = {256, 1024, 8192};
  ImageInfo image = small_image(kinds[random.below(4)], base_sizes[random.below(3)], random.place_below(37));
  if (random.below(2) == 0) {  // any count, of a grid that is not stated
    image.token_height = image.token_width = image.vit_token_height = image.vit_token_width = 0;
    if (has_vae_run(image.kind)) image.image_token_length = static_cast<std::int64_t>(random.below(9));
    if (has_vit_run(image.kind)) image.vit_token_length = static_cast<std::int64_t>(random.below(9));
  }
  image.add_timestep_token = random.below(2) == 0;
  image.add_guidance_token = random.below(2) == 0;
  image.add_timestep_r_token = random.below(2) == 0;
  image.use_front_boi_token = random.below(2) == 0;
  image.add_image_shape_token = random.below(2) == 0;
  return Section::of_image(image);
}

SequenceOptions random_options(Random& random) {
  SequenceOptions options;
  options.add_bos = random.below(4) != 0;
  options.add_eos = static_cast<AddEos>(random.below(3));
  options.add_pad = static_cast<AddPad>(random.below(3));
  options.overflow = static_cast<Overflow>(random.below(3));
  if (random.below(3) != 0) options.total_length = static_cast<std::int32_t>(random.below(40));
  return options;
}

/// Other ids for everything, <boi> where the image says.
ModelProfile other_profile() {
  ModelProfile profile = profiles::instruct;
  profile.honors_front_boi_flag = true;
  SpecialTokens& special = profile.special;
  TokenId next = 90000;
  for (TokenId* id : {&special.eos, &special.bos, &special.pad, &special.boi, &special.eoi, &special.img, &special.cfg,
                      &special.timestep, &special.guidance, &special.timestep_r, &special.joint_img_sep}) {
    *id = next++;
  }
  for (TokenId& id : profile.size_tokens.ids) id += 1000;
  for (TokenId& id : profile.ratio_tokens.ids) id -= 20000;
  return profile;
}

TEST_CASE("random sections") {
  Random random(31);
  const ModelProfile other = other_profile();
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (int round = 0; round < 8000; ++round) {
    std::vector<Section> sections;
    for (std::uint64_t i = 1 + random.below(5); i != 0; --i) sections.push_back(random_section(random));
    const SequenceOptions options = random_options(random);
    const ModelProfile& profile = random.below(2) == 0 ? other : profiles::instruct;
    SequenceOptions unlimited = options;
    if (options.overflow != Overflow::drop_last) unlimited.overflow = Overflow::keep;
    const auto whole = build_sequence(profile, sections, encode, unlimited);  // for its image runs
    const Plain expected = plain_sequence(profile, sections, options, whole->image_runs);
    const auto sequence = build_sequence(profile, sections, encode, options);
    CHECK(sequence.error() == expected.error);
    if (!sequence || expected.error != Errc::none) {
      ++refused;
      continue;
    }
    ++accepted;
    const Ids ids = expanded(*sequence);
    CHECK(ids == expected.ids);
    check_runs(*sequence, ids);
    check_records(profile, *sequence, expected.whole);
    if (sequence->eos_position) {
      CHECK(static_cast<std::size_t>(*sequence->eos_position) + 1 == expected.whole.size());
    } else {
      CHECK(sequence->eos_position.error() == Errc::no_token_of_this_kind);
    }
    const auto real = static_cast<std::size_t>(sequence->real_length());
    CHECK(real == (expected.whole.size() < ids.size() ? expected.whole.size() : ids.size()));
  }
  CHECK(accepted > 3000);
  CHECK(refused > 200);
}

TEST_CASE("the length of a block") {
  Random random(33);
  for (int round = 0; round < 500; ++round) {
    const Section section = random_section(random);
    if (!section.is_image) continue;
    const auto sequence = build_sequence(profiles::instruct, {section}, encode);
    REQUIRE(sequence);
    CHECK(image_block_length(section.image) + 1 == sequence->length);
  }
}

TEST_CASE("blocks from image descriptions") {
  const Model model = *Model::create(profiles::instruct_distil);
  const auto generated =
      build_sequence(model.profile, {Section::of_image(*build_gen_image_info(model, "720x1280"))}, encode);
  REQUIRE(generated);
  REQUIRE(generated->image_runs.size() == 1);
  CHECK((generated->image_runs[0].token_height == 80 || generated->image_runs[0].token_height == 45));
  CHECK(generated->image_runs[0].slice.length() == 3600);
  CHECK(generated->guidance_positions.size() == 1);
  CHECK(generated->timestep_r_positions.size() == 1);
  // A run has the true grid, whatever its slots.
  const ImageInfo original = *build_cond_image_info(model, {720, 960});
  const auto joint = build_sequence(model.profile, {Section::of_image(original)}, encode);
  REQUIRE(joint);
  REQUIRE(joint->image_runs.size() == 2);
  const ImageRun vae = joint->image_runs[0];
  const ImageRun vit = joint->image_runs[1];
  CHECK((vae.kind == ImageRunKind::vae && vae.in_joint_block && vae.slice.length() == 3072));
  CHECK((vae.token_height == 48 && vae.token_width == 64));
  CHECK((vit.kind == ImageRunKind::vit && vit.in_joint_block && vit.slice.length() == 1024));
  CHECK((vit.token_height == original.vit_token_height && vit.token_width == original.vit_token_width));
}

struct Refused {
  Errc error;
  std::size_t position;
};
void check_refused(const ModelProfile& profile, const std::vector<Section>& sections, Refused expected,
                   const SequenceOptions& options = {}) {
  const auto sequence = build_sequence(profile, sections, encode, options);
  CHECK(sequence.error() == expected.error);
  CHECK(sequence.position() == expected.position);
}

Section image_section(const ImageInfo& image) { return Section::of_image(image); }
Section shaped(std::int32_t base_size, std::size_t ratio_index) {
  return image_section(small_image(ImageKind::generated, base_size, ratio_index));
}

TEST_CASE("refused sections") {
  const Section text = Section::of_text("ab");
  check_refused(profiles::instruct, {}, {Errc::empty_sequence, 0});
  check_refused(profiles::instruct, {text, shaped(960, 16)}, {Errc::unknown_base_size, 1});
  check_refused(profiles::instruct, {shaped(1024, 37)}, {Errc::ratio_index_out_of_range, 0});
  check_refused(profiles::base, {shaped(1024, 33)}, {Errc::ratio_index_out_of_range, 0});
  check_refused(profiles::panorama, {text, shaped(1024, 37)}, {Errc::ratio_token_id_unknown, 1});
  const ModelProfile named = *profiles::panorama.with_ratio_token_id(37, 130108);
  CHECK(build_sequence(named, {shaped(1024, 37)}, encode));
  ImageInfo shapeless = small_image(ImageKind::generated, 960, 99);
  shapeless.add_image_shape_token = false;
  CHECK(build_sequence(profiles::instruct, {image_section(shapeless)}, encode));
}

TEST_CASE("impossible images are refused by name") {
  const Section text = Section::of_text("ab");
  const std::int64_t least = -9223372036854775807 - 1;
  const ImageKind kinds[] = {ImageKind::generated, ImageKind::cond_vae, ImageKind::cond_vit, ImageKind::cond_joint};
  struct Case {
    std::int64_t length;
    Errc error;
  };
  const Case cases[] = {{-1, Errc::negative_length},
                        {least, Errc::negative_length},
                        {std::int64_t{max_side} + 1, Errc::sequence_too_long},
                        {9223372036854775807, Errc::sequence_too_long},
                        {max_side, Errc::sequence_too_long}};
  for (const ImageKind kind : kinds) {
    for (const Case& bad : cases) {
      ImageInfo image = small_image(kind);
      image.token_height = image.token_width = image.vit_token_height = image.vit_token_width = 0;
      for (const bool is_vit : {false, true}) {
        ImageInfo changed = image;
        (is_vit ? changed.vit_token_length : changed.image_token_length) = bad.length;
        const bool has_run = is_vit ? has_vit_run(kind) : has_vae_run(kind);
        const auto sequence = build_sequence(profiles::instruct, {text, text, image_section(changed)}, encode);
        CHECK(sequence.error() == (has_run ? bad.error : Errc::image_kind_mismatch));
        if (sequence.error() != Errc::sequence_too_long) CHECK(sequence.position() == 2);
        if (sequence.error() == Errc::sequence_too_long) {
          CHECK(sequence.position() >= static_cast<std::size_t>(bad.length));
        }
      }
    }
  }
  ImageInfo sides = small_image();
  sides.token_height = -2;
  check_refused(profiles::instruct, {image_section(sides)}, {Errc::negative_length, 0});
  sides = small_image();
  sides.token_height = 3;  // 3x3 are not 6
  check_refused(profiles::instruct, {text, image_section(sides)}, {Errc::image_token_count_mismatch, 1});
  ImageInfo vit = small_image(ImageKind::cond_vit);
  vit.vit_token_height = 2;  // 2x3 are over 4 slots
  check_refused(profiles::instruct, {image_section(vit)}, {Errc::image_token_count_mismatch, 0});
  vit.vit_token_height = vit.vit_token_width = max_side;
  check_refused(profiles::instruct, {image_section(vit)}, {Errc::image_token_count_mismatch, 0});
  // Sums that pass the limit, two images and two runs of one.
  ImageInfo huge = small_image(ImageKind::cond_joint);
  huge.token_height = huge.token_width = 0;
  huge.image_token_length = huge.vit_token_length = max_side - 100;
  check_refused(profiles::instruct, {image_section(huge)},
                {Errc::sequence_too_long, 2 * std::size_t{max_side - 100} + 7});
}

TEST_CASE("lengths over a limit") {
  const std::vector<Section> sections{Section::of_text("abc"), image_section(small_image())};
  SequenceOptions options;
  options.max_length = 15;  // bos, 3, boi, size, ratio, timestep, 6, eoi
  CHECK(build_sequence(profiles::instruct, sections, encode, options)->length == 15);
  options.max_length = 14;
  check_refused(profiles::instruct, sections, {Errc::sequence_too_long, 15}, options);
  for (Result<std::int32_t> SequenceOptions::*limit : {&SequenceOptions::max_length, &SequenceOptions::total_length}) {
    SequenceOptions bad;
    bad.*limit = -1;
    check_refused(profiles::instruct, sections, {Errc::negative_length, 0}, bad);
    bad.*limit = Errc::expected_number;  // what a caller could not read is not "left out"
    check_refused(profiles::instruct, sections, {Errc::expected_number, 0}, bad);
  }
}

TEST_CASE("texts with a limit are cut") {
  for (const bool unconditional : {false, true}) {
    Section limited = Section::of_text("abcdef", unconditional);
    for (std::int32_t limit = 0; limit < 9; ++limit) {
      limited.max_tokens = limit;
      const auto sequence = build_sequence(profiles::instruct, {Section::of_text("x"), limited}, encode);
      REQUIRE(sequence);
      CHECK(sequence->length == 2 + (limit < 6 ? limit : 6));
      CHECK(sequence->text_slices[1] == Slice{2, sequence->length});
    }
    limited.max_tokens = -1;
    check_refused(profiles::instruct, {Section::of_text("x"), limited}, {Errc::negative_length, 1});
    limited.max_tokens = Errc::number_too_large;
    check_refused(profiles::instruct, {limited}, {Errc::number_too_large, 0});
  }
}

TEST_CASE("options that need a total length") {
  const std::vector<Section> sections{Section::of_text("abc")};
  SequenceOptions options;
  options.overflow = Overflow::drop_last;
  check_refused(profiles::instruct, sections, {Errc::drop_last_without_total, 0}, options);
  options.total_length = 6;
  CHECK(build_sequence(profiles::instruct, sections, encode, options)->length == 4);
  options.add_pad = AddPad::yes;
  const auto padded = build_sequence(profiles::instruct, sections, encode, options);
  CHECK(padded->length == 6);
  CHECK(*padded->first_pad_position == 4);
  options = {};
  options.add_pad = AddPad::yes;
  check_refused(profiles::instruct, sections, {Errc::pad_without_total, 0}, options);
  options.add_pad = AddPad::automatic;
  CHECK(build_sequence(profiles::instruct, sections, encode, options)->length == 4);
  options.total_length = 5;
  CHECK(build_sequence(profiles::instruct, sections, encode, options)->length == 5);
}

TEST_CASE("clips around an image run at 7 .. 12") {
  const std::vector<Section> sections{Section::of_text("ab"), image_section(small_image()), Section::of_text("cd")};
  for (std::int32_t total = 1; total <= 16; ++total) {
    SequenceOptions options;
    options.total_length = total;
    const auto sequence = build_sequence(profiles::instruct, sections, encode, options);
    const bool inside = total >= 7 && total <= 13;
    CHECK(sequence.error() == (inside ? Errc::clip_inside_image : Errc::none));
    if (sequence) CHECK(sequence->length == (total < 16 ? total : 16));
    options.overflow = Overflow::drop_last;
    const auto dropping = build_sequence(profiles::instruct, sections, encode, options);
    REQUIRE(dropping);
    CHECK(dropping->length == (total < 3 ? total : total < 14 ? 3 : total));
  }
}

TEST_CASE("buffers and text masks") {
  const auto sequence = *build_sequence(profiles::instruct, {Section::of_text("abc")}, encode);
  TokenId ids[4] = {-5, -5, -5, -5};
  CHECK(sequence.expand(ids, 3) == Errc::buffer_too_small);
  CHECK(ids[0] == -5);
  Section masked = Section::of_text("abcdef");
  masked.mask_start_offset = 2;
  masked.mask_stop_offset = -1;
  Section ignored = Section::of_text("x");
  ignored.in_text_mask = false;
  const auto both = *build_sequence(profiles::instruct, {masked, ignored}, encode);
  CHECK(both.text_mask_slices == std::vector<Slice>{{3, 6}});
  CHECK(both.text_slices == std::vector<Slice>{{1, 7}, {7, 8}});
  CHECK(expanded(*build_sequence(profiles::instruct, {Section::of_tokens({5, 6})}, encode)) == Ids{tokens::bos, 5, 6});
  masked.mask_start_offset = masked.mask_stop_offset = max_side;  // no sum passes the type
  CHECK(build_sequence(profiles::instruct, {masked}, encode)->text_mask_slices[0] == Slice{max_side, max_side});
  masked.mask_start_offset = -max_side - 1;
  CHECK(build_sequence(profiles::instruct, {masked}, encode)->text_mask_slices[0] == Slice{-max_side, max_side});
}

TEST_CASE("batches") {
  const auto row = [](const char* text, const ImageInfo& image) {
    return *build_sequence(profiles::instruct, {Section::of_text(text), image_section(image)}, encode);
  };
  const auto batch =
      make_batch(profiles::instruct, {row("a", small_image()), row("abc", small_image()), row("ab", small_image())});
  REQUIRE(batch);
  CHECK(batch->length == 15);
  for (const TokenSequence& padded : batch->rows) {
    CHECK(padded.length == 15);
    check_runs(padded, expanded(padded));
  }
  CHECK(*batch->rows[0].first_pad_position == 13);
  CHECK(batch->rows[0].real_length() == 13);
  CHECK(expanded(batch->rows[0]).back() == tokens::pad);
  CHECK(batch->rows[1].first_pad_position.error() == Errc::no_token_of_this_kind);
  CHECK(make_batch(profiles::instruct, {}).error() == Errc::empty_sequence);
  ImageInfo guided = small_image();
  guided.add_guidance_token = true;
  const auto differing =
      make_batch(profiles::instruct, {row("a", small_image()), row("a", small_image()), row("a", guided)});
  CHECK(differing.error() == Errc::rows_differ);
  CHECK(differing.position() == 2);
}

/// An encoder of plain text that merges "ab" into one token.
Ids merging(std::string_view text) {
  Ids ids;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "ab") {
      ids.push_back(5000);
      ++i;
    } else {
      ids.push_back(1000 + static_cast<unsigned char>(text[i]));
    }
  }
  return ids;
}

TEST_CASE("texts with special tokens") {
  const auto encoder = with_special_tokens(profiles::instruct, merging);
  CHECK(encoder("").empty());
  CHECK(encoder("abx") == Ids{5000, 1000 + 'x'});
  CHECK(encoder("a<think>b") == Ids{1000 + 'a', tokens::think, 1000 + 'b'});
  CHECK(encoder("<boi><img_size_1024><img_ratio_36>") == Ids{tokens::boi, 128037, 130106});
  CHECK(encoder("<<think>>") == Ids{1000 + '<', tokens::think, 1000 + '>'});
  CHECK(encoder("<think") == merging("<think"));
  CHECK(encoder("<img_ratio_37>") == merging("<img_ratio_37>"));
  // An encoder with a state of its own, and one that returns other integers.
  int calls = 0;
  auto counting = with_special_tokens(profiles::instruct, [&calls](std::string_view text) mutable {
    ++calls;
    return std::vector<std::int64_t>(text.size(), 7);
  });
  CHECK(counting("ab<eoi>c") == Ids{7, 7, tokens::eoi, 7});
  CHECK(calls == 2);
  // The adapter outlives the profile it was made from.
  const auto outliving = [] {
    const ModelProfile local = other_profile();
    return with_special_tokens(local, merging);
  }();
  CHECK(outliving("<timestep>").size() == 1);
}

TEST_CASE("prompts as one text") {
  ImageInfo image = small_image();
  const std::vector<Section> sections{Section::of_text("User: "), Section::of_text("a"), image_section(image),
                                      Section::of_tokens({tokens::think, tokens::eos})};
  const std::string block = "<boi><img_size_1024><img_ratio_16><timestep>";
  CHECK(*prompt_text(profiles::instruct, sections) ==
        "User: a" + block + "<img><img><img><img><img><img><eoi><think><|endoftext|>");
  CHECK(*prompt_text(profiles::instruct, sections, ImageText::one_token_a_run) ==
        "User: a" + block + "<img><eoi><think><|endoftext|>");
  CHECK(prompt_text(profiles::instruct, {})->empty());
  const auto refused = [](const Section& section, Errc error) {
    const auto text = prompt_text(profiles::instruct, {Section::of_text("a"), section});
    CHECK(text.error() == error);
    CHECK(text.position() == 1);
  };
  refused(Section::of_tokens({5}), Errc::not_a_special_token);
  refused(Section::of_text("a", true), Errc::not_a_text);
  Section cut = Section::of_text("abc");
  cut.max_tokens = 2;
  refused(cut, Errc::not_a_text);
  refused(shaped(960, 16), Errc::unknown_base_size);

  const auto encoder = with_special_tokens(profiles::instruct, merging);
  const auto changes = [&](const std::vector<Section>& parts) {
    return joining_changes_ids(profiles::instruct, parts, encoder);
  };
  CHECK(*changes({Section::of_text("xa"), Section::of_text("bc")}));
  CHECK_FALSE(*changes({Section::of_text("xab"), Section::of_text("c")}));
  CHECK_FALSE(*changes({Section::of_text("xa"), image_section(image), Section::of_text("bc")}));
  CHECK(*changes({Section::of_text("<thi"), Section::of_text("nk>")}));
  CHECK(changes({Section::of_text("")}).error() == Errc::empty_sequence);
  CHECK(changes({Section::of_text("a", true)}).error() == Errc::not_a_text);
}

TEST_CASE("prefixes of ids and of sequences") {
  const TokenId a[] = {1, 2, 3, 4};
  const TokenId b[] = {1, 2, 4, 4};
  CHECK(common_prefix(a, 4, b, 4) == 2);
  CHECK(common_prefix(a, 4, a, 3) == 3);
  CHECK(common_prefix(a, 0, a, 3) == 0);
  const auto build = [](const std::vector<Section>& sections) {
    return *build_sequence(profiles::instruct, sections, encode);
  };
  const Section joint = image_section(small_image(ImageKind::cond_joint));  // 16 tokens
  const Section chain = Section::of_text("think");
  const TokenSequence text_stage = build({joint, Section::of_text("prompt"), Section::of_text("Assistant: ")});
  const TokenSequence image_stage =
      build({joint, Section::of_text("prompt"), Section::of_text("Assistant: "), chain, image_section(small_image())});
  const TokenSequence unconditional = build({joint, Section::of_text("prompt", true), Section::of_text("Assistant: "),
                                             Section::of_text("think", true), image_section(small_image())});
  CHECK(reusable_prefix(text_stage, image_stage) == text_stage.length);
  CHECK(reusable_prefix(image_stage, text_stage) == text_stage.length);
  CHECK(reusable_prefix(text_stage, unconditional) == 1 + image_block_length(joint.image));  // up to the first <cfg>
  CHECK(reusable_prefix(image_stage, image_stage) == image_stage.length);
  // Padding is nobody's prefix.
  const TokenSequence longer = build({joint, Section::of_text("prompt"), Section::of_text("Assistant: "), chain});
  const auto batch = make_batch(profiles::instruct, {text_stage, longer, text_stage});
  REQUIRE(batch);
  CHECK(batch->rows[0].length > text_stage.length);
  CHECK(reusable_prefix(batch->rows[0], batch->rows[2]) == text_stage.length);
}

TEST_CASE("no prefix ends inside an image") {
  ImageInfo image = small_image(ImageKind::cond_joint);
  image.add_image_shape_token = false;  // else the ratio tokens differ first
  image.token_height = image.token_width = 0;
  const auto build = [](const ImageInfo& joint) {
    return *build_sequence(profiles::instruct, {Section::of_text("ab"), Section::of_image(joint)}, encode);
  };
  const std::int32_t start = 5;  // bos, a, b, boi, timestep
  ImageInfo other = image;
  other.image_token_length = 5;
  CHECK(reusable_prefix(build(image), build(other)) == start);
  other = image;
  other.vit_token_length = 3;  // the VAE run is whole, but its tokens see the ViT run
  CHECK(reusable_prefix(build(image), build(other)) == start);
  other = image;
  other.vit_token_height = 3;  // as many tokens, but at other positions
  other.vit_token_width = 1;
  CHECK(reusable_prefix(build(image), build(other)) == start);
  CHECK(reusable_prefix(build(image), build(image)) == build(image).length);
  const auto open = *build_sequence(
      profiles::instruct, {Section::of_text("ab"), Section::of_tokens({tokens::boi, tokens::timestep, tokens::img})},
      encode);
  CHECK(reusable_prefix(open, build(image)) == start);
  CHECK(reusable_prefix(build(image), open) == start);
}

}  // namespace
}  // namespace hunyuan_reso_test
