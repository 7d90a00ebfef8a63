// SPDX-License-Identifier: MIT
// Sections as token sequences (sequence.md, section 1) against the same rules over a plain list of ids.
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

ImageBlock small_image(std::int32_t base_size = 1024, std::size_t ratio_index = 16) {
  ImageBlock image;
  image.token_length = 6;
  image.token_height = 2;
  image.token_width = 3;
  image.vit_token_length = 4;
  image.base_size = base_size;
  image.ratio_index = ratio_index;
  return image;
}

Ids image_ids(SectionKind kind, const ImageBlock& image, bool moves_boi) {
  const bool vae = kind != SectionKind::cond_vit_image;
  const bool vit = kind == SectionKind::cond_vit_image || kind == SectionKind::cond_joint_image;
  Ids ids;
  if (vae && image.add_image_shape_token) {
    ids.push_back(*size_token_id(image.base_size));
    ids.push_back(*ratio_token_id(profiles::instruct, image.ratio_index));
  }
  if (vae && image.add_timestep_token) ids.push_back(tokens::timestep);
  if (kind == SectionKind::gen_image && image.add_guidance_token) ids.push_back(tokens::guidance);
  if (kind == SectionKind::gen_image && image.add_timestep_r_token) ids.push_back(tokens::timestep_r);
  ids.insert(moves_boi && !image.use_front_boi_token ? ids.end() : ids.begin(), tokens::boi);
  if (vae) ids.insert(ids.end(), static_cast<std::size_t>(image.token_length), tokens::img);
  if (vae && vit) ids.push_back(tokens::joint_img_sep);
  if (vit) ids.insert(ids.end(), static_cast<std::size_t>(image.vit_token_length), tokens::img);
  ids.push_back(tokens::eoi);
  return ids;
}

Ids section_ids(const Section& section, bool moves_boi) {
  if (section.kind != SectionKind::text) return image_ids(section.kind, section.image, moves_boi);
  Ids ids = encode(section.text);
  if (section.unconditional) ids.assign(ids.size(), tokens::cfg);
  return ids;
}

struct Plain {
  Ids whole{};  ///< before a clip
  Ids ids{};
  Errc error = Errc::none;
};

Plain plain_sequence(const std::vector<Section>& sections, const SequenceOptions& options,
                     const std::vector<ImageRun>& runs, bool moves_boi) {
  Plain result;
  Ids& ids = result.ids;
  if (options.add_bos) ids.push_back(tokens::bos);
  const auto total = static_cast<std::size_t>(options.total_length < 0 ? 0 : options.total_length);
  bool dropped = false;
  for (std::size_t i = 0; i < sections.size() && !dropped; ++i) {
    const Ids part = section_ids(sections[i], moves_boi);
    dropped = sections[i].kind != SectionKind::text && options.overflow == Overflow::drop_last && total != 0 &&
              ids.size() + part.size() > total;
    if (!dropped) ids.insert(ids.end(), part.begin(), part.end());
  }
  if (!dropped && options.add_eos == AddEos::yes) ids.push_back(tokens::eos);
  if (!dropped && options.add_eos == AddEos::automatic) {
    if (ids.empty()) return {{}, {}, Errc::empty_sequence};
    const bool reached = options.total_length >= 0 && ids.size() >= total;
    if (ids.back() != tokens::eos && !reached) ids.push_back(tokens::eos);
  }
  result.whole = ids;
  if (total != 0 && ids.size() > total && options.overflow != Overflow::keep) {
    for (const ImageRun& run : runs) {  // the ends of a run count as inside (golden file)
      const auto cut = static_cast<std::int32_t>(total);
      if (run.slice.start <= cut && cut <= run.slice.stop) return {{}, {}, Errc::clip_inside_image};
    }
    ids.resize(total);
  }
  if (options.add_pad && ids.size() < total) ids.resize(total, tokens::pad);
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

void check_records(const TokenSequence& sequence, const Ids& whole) {
  std::int32_t last = 0;
  std::size_t wrong = 0;
  for (const ImageRun& run : sequence.image_runs) {
    if (run.slice.start < last || run.slice.stop < run.slice.start) ++wrong;  // ascending and disjoint
    last = run.slice.stop;
    if (static_cast<std::size_t>(last) > whole.size()) ++wrong;
    for (std::int32_t i = run.slice.start; i < last && wrong == 0; ++i) {
      if (whole[static_cast<std::size_t>(i)] != tokens::img) ++wrong;
    }
  }
  last = 0;
  for (const Slice& slice : sequence.text_slices) {
    if (slice.start < last || slice.stop < slice.start || static_cast<std::size_t>(slice.stop) > whole.size()) ++wrong;
    last = slice.stop;
  }
  CHECK(wrong == 0);
  check_positions(sequence.gen_timestep_positions, whole, tokens::timestep);
  check_positions(sequence.cond_timestep_positions, whole, tokens::timestep);
  check_positions(sequence.guidance_positions, whole, tokens::guidance);
  check_positions(sequence.timestep_r_positions, whole, tokens::timestep_r);
  check_positions(sequence.boi_positions, whole, tokens::boi);
  check_positions(sequence.eoi_positions, whole, tokens::eoi);
  check_positions(sequence.joint_img_sep_positions, whole, tokens::joint_img_sep);
  const std::vector<Slice> joint = sequence.joint_slices();
  CHECK(joint.size() == sequence.joint_img_sep_positions.size());
  for (std::size_t i = 0; i < joint.size(); ++i) CHECK(joint[i].contains(sequence.joint_img_sep_positions[i]));
}

Section random_section(Random& random) {
  if (random.below(2) == 0) {
    std::string text;
    for (std::uint64_t i = random.below(6); i != 0; --i) text += "abc$"[random.below(4)];
    return Section::of_text(text, random.below(4) == 0);
  }
  const SectionKind kinds[] = {SectionKind::gen_image, SectionKind::cond_vae_image, SectionKind::cond_vit_image,
                               SectionKind::cond_joint_image};
  const std::int32_t base_sizes[] = {256, 1024, 8192};
  ImageBlock image = small_image(base_sizes[random.below(3)], random.place_below(37));
  image.token_length = static_cast<std::int32_t>(random.below(9));
  image.vit_token_length = static_cast<std::int32_t>(random.below(9));
  image.add_timestep_token = random.below(2) == 0;
  image.add_guidance_token = random.below(2) == 0;
  image.add_timestep_r_token = random.below(2) == 0;
  image.use_front_boi_token = random.below(2) == 0;
  image.add_image_shape_token = random.below(2) == 0;
  return Section::of_image(kinds[random.below(4)], image);
}

SequenceOptions random_options(Random& random) {
  SequenceOptions options;
  options.add_bos = random.below(4) != 0;
  options.add_eos = static_cast<AddEos>(random.below(3));
  options.add_pad = random.below(2) == 0;
  options.overflow = static_cast<Overflow>(random.below(3));
  if (random.below(3) != 0) options.total_length = static_cast<std::int32_t>(random.below(40));
  return options;
}

TEST_CASE("random sections") {
  Random random(31);
  ModelProfile moving = profiles::instruct;
  moving.honors_front_boi_flag = true;
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (int round = 0; round < 6000; ++round) {
    std::vector<Section> sections;
    for (std::uint64_t i = 1 + random.below(5); i != 0; --i) sections.push_back(random_section(random));
    const SequenceOptions options = random_options(random);
    const bool moves_boi = random.below(2) == 0;
    const ModelProfile& profile = moves_boi ? moving : profiles::instruct;
    SequenceOptions unlimited = options;
    if (options.overflow != Overflow::drop_last) unlimited.overflow = Overflow::keep;
    const auto whole = build_sequence(sections, profile, encode, unlimited);  // for its image runs
    const Plain expected = plain_sequence(sections, options, whole->image_runs, moves_boi);
    const auto sequence = build_sequence(sections, profile, encode, options);
    CHECK(sequence.error() == expected.error);
    if (!sequence || expected.error != Errc::none) {
      ++refused;
      continue;
    }
    ++accepted;
    const Ids ids = expanded(*sequence);
    CHECK(ids == expected.ids);
    check_runs(*sequence, ids);
    check_records(*sequence, expected.whole);
    if (sequence->eos_position >= 0) {
      CHECK(static_cast<std::size_t>(sequence->eos_position) + 1 == expected.whole.size());
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
    if (section.kind == SectionKind::text) continue;
    const auto sequence = build_sequence({section}, profiles::instruct, encode);
    REQUIRE(sequence);
    CHECK(image_block_length(section.kind, section.image) + 1 == sequence->length);
  }
}

TEST_CASE("blocks from image descriptions") {
  const ImageInfo info = *build_gen_image_info("720x1280", profiles::instruct_distil, *make_group(profiles::instruct));
  const ImageBlock block = ImageBlock::of(info);
  CHECK(block.token_length == 3600);
  CHECK(block.token_height == 45);
  CHECK(block.token_width == 80);
  CHECK(block.base_size == 1024);
  CHECK(block.ratio_index == 36);
  CHECK(block.add_guidance_token);
  CHECK(block.add_timestep_r_token);
  const ImageBlock padded = block.with_vit(27, 36, profiles::instruct);
  CHECK(padded.vit_token_length == 1024);
  CHECK(padded.vit_token_height == 27);
  CHECK(padded.vit_token_width == 36);
  CHECK(block.with_vit(27, 36, profiles::instruct, VitSlots::true_grid).vit_token_length == 972);
  // A run has the true grid, whatever its slots.
  const auto joint =
      build_sequence({Section::of_image(SectionKind::cond_joint_image, padded)}, profiles::instruct, encode);
  REQUIRE(joint);
  REQUIRE(joint->image_runs.size() == 2);
  const ImageRun vae = joint->image_runs[0];
  const ImageRun vit = joint->image_runs[1];
  CHECK((vae.kind == ImageRunKind::vae && vae.in_joint_block && vae.slice.length() == 3600));
  CHECK((vae.token_height == 45 && vae.token_width == 80));
  CHECK((vit.kind == ImageRunKind::vit && vit.in_joint_block && vit.slice.length() == 1024));
  CHECK((vit.token_height == 27 && vit.token_width == 36));
  // A grid over the slots, or none at all, is refused by the builder.
  for (const ImageBlock& bad : {block.with_vit(33, 32, profiles::instruct), block.with_vit(-1, 4, profiles::instruct),
                                block.with_vit(max_side, max_side, profiles::instruct, VitSlots::true_grid)}) {
    CHECK(bad.vit_token_length == -1);
    CHECK(build_sequence({Section::of_image(SectionKind::cond_joint_image, bad)}, profiles::instruct, encode).error() ==
          Errc::negative_length);
  }
}

struct Refused {
  Errc error;
  std::size_t position;
};
void check_refused(const std::vector<Section>& sections, const ModelProfile& profile, Refused expected,
                   const SequenceOptions& options = {}) {
  const auto sequence = build_sequence(sections, profile, encode, options);
  CHECK(sequence.error() == expected.error);
  CHECK(sequence.position() == expected.position);
}

Section image_section(const ImageBlock& image) { return Section::of_image(SectionKind::gen_image, image); }

TEST_CASE("refused sections") {
  const Section text = Section::of_text("ab");
  check_refused({}, profiles::instruct, {Errc::empty_sequence, 0});
  check_refused({text, image_section(small_image(960))}, profiles::instruct, {Errc::unknown_base_size, 1});
  check_refused({image_section(small_image(1024, 37))}, profiles::instruct, {Errc::ratio_index_out_of_range, 0});
  check_refused({image_section(small_image(1024, 33))}, profiles::base, {Errc::ratio_index_out_of_range, 0});
  check_refused({text, image_section(small_image(1024, 37))}, profiles::panorama, {Errc::ratio_token_id_unknown, 1});
  const ModelProfile named = profiles::panorama.with_ratio_token_id(37, 130108);
  CHECK(build_sequence({image_section(small_image(1024, 37))}, named, encode));
  ImageBlock shapeless = small_image(960, 99);
  shapeless.add_image_shape_token = false;
  CHECK(build_sequence({image_section(shapeless)}, profiles::instruct, encode));

  ImageBlock negative = small_image();
  negative.token_length = -1;
  check_refused({text, text, image_section(negative)}, profiles::instruct, {Errc::negative_length, 2});
  negative = small_image();
  negative.vit_token_length = -1;
  CHECK(build_sequence({image_section(negative)}, profiles::instruct, encode));  // it has no ViT run
  check_refused({Section::of_image(SectionKind::cond_vit_image, negative)}, profiles::instruct,
                {Errc::negative_length, 0});
}

TEST_CASE("lengths over a limit") {
  const std::vector<Section> sections{Section::of_text("abc"), image_section(small_image())};
  SequenceOptions options;
  options.max_length = 15;  // bos, 3, boi, size, ratio, timestep, 6, eoi
  CHECK(build_sequence(sections, profiles::instruct, encode, options)->length == 15);
  options.max_length = 14;
  check_refused(sections, profiles::instruct, {Errc::sequence_too_long, 15}, options);
  ImageBlock huge = small_image();
  huge.token_length = max_side;
  check_refused({image_section(huge), image_section(huge)}, profiles::instruct, {Errc::sequence_too_long, 0});

  Section limited = Section::of_text("abc");
  limited.max_tokens = 3;
  CHECK(build_sequence({limited}, profiles::instruct, encode)->length == 4);
  limited.max_tokens = 2;
  check_refused({Section::of_text("x"), limited}, profiles::instruct, {Errc::text_too_long, 1});
  limited.unconditional = true;  // upstream cuts a <cfg> text without a word
  CHECK(build_sequence({limited}, profiles::instruct, encode)->length == 3);
  limited.max_tokens = 0;
  CHECK(build_sequence({limited}, profiles::instruct, encode)->length == 1);
}

TEST_CASE("clips around an image run at 7 .. 12") {
  const std::vector<Section> sections{Section::of_text("ab"), image_section(small_image()), Section::of_text("cd")};
  for (std::int32_t total = 1; total <= 16; ++total) {
    SequenceOptions options;
    options.total_length = total;
    const auto sequence = build_sequence(sections, profiles::instruct, encode, options);
    const bool inside = total >= 7 && total <= 13;
    CHECK(sequence.error() == (inside ? Errc::clip_inside_image : Errc::none));
    if (sequence) CHECK(sequence->length == (total < 16 ? total : 16));
    options.overflow = Overflow::drop_last;
    const auto dropping = build_sequence(sections, profiles::instruct, encode, options);
    REQUIRE(dropping);
    CHECK(dropping->length == (total < 3 ? total : total < 14 ? 3 : total));
  }
}

TEST_CASE("buffers and text masks") {
  const auto sequence = *build_sequence({Section::of_text("abc")}, profiles::instruct, encode);
  TokenId ids[4] = {-5, -5, -5, -5};
  CHECK(sequence.expand(ids, 3) == Errc::buffer_too_small);
  CHECK(ids[0] == -5);
  Section masked = Section::of_text("abcdef");
  masked.mask_start_offset = 2;
  masked.mask_stop_offset = -1;
  Section ignored = Section::of_text("x");
  ignored.in_text_mask = false;
  const auto both = *build_sequence({masked, ignored}, profiles::instruct, encode);
  CHECK(both.text_mask_slices == std::vector<Slice>{{3, 6}});
  CHECK(both.text_slices == std::vector<Slice>{{1, 7}, {7, 8}});
  Section given = Section::of_text("unused");
  given.tokens = {5, 6};
  CHECK(expanded(*build_sequence({given}, profiles::instruct, encode)) == Ids{tokens::bos, 5, 6});
}

TEST_CASE("batches") {
  const auto row = [](const char* text, const ImageBlock& image) {
    return *build_sequence({Section::of_text(text), image_section(image)}, profiles::instruct, encode);
  };
  const auto batch = make_batch({row("a", small_image()), row("abc", small_image()), row("ab", small_image())});
  REQUIRE(batch);
  CHECK(batch->length == 15);
  for (const TokenSequence& padded : batch->rows) {
    CHECK(padded.length == 15);
    check_runs(padded, expanded(padded));
  }
  CHECK(batch->rows[0].first_pad_position == 13);
  CHECK(batch->rows[0].real_length() == 13);
  CHECK(expanded(batch->rows[0]).back() == tokens::pad);
  CHECK(batch->rows[1].first_pad_position == -1);
  CHECK(make_batch({}).error() == Errc::empty_sequence);
  ImageBlock guided = small_image();
  guided.add_guidance_token = true;
  const auto differing = make_batch({row("a", small_image()), row("a", small_image()), row("a", guided)});
  CHECK(differing.error() == Errc::rows_differ);
  CHECK(differing.position() == 2);
}

}  // namespace
}  // namespace hunyuan_reso_test
