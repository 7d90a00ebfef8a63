// SPDX-License-Identifier: MIT
// Layouts read back from ids: the inverse of writing, for everything that the library writes; and at which id anything
// else is refused, against the grammar of a sequence as a regular expression.
#include <hunyuan_reso/chat.hpp>

#include <doctest/doctest.h>

#include <algorithm>

#include "support/random.hpp"
#include "support/sequence_grammar.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

using Ids = std::vector<TokenId>;
using Images = std::vector<ImageInfo>;

Ids encode(std::string_view text) {
  Ids ids;
  for (const char c : text) ids.push_back(1000 + static_cast<unsigned char>(c));
  return ids;
}

Ids expanded(const TokenSequence& sequence) {
  Ids ids(static_cast<std::size_t>(sequence.length));
  CHECK(sequence.expand(ids.data(), ids.size()) == Errc::none);
  return ids;
}

SequenceReading knowing(const Images& images) {
  SequenceReading reading;
  reading.images = images.data();
  reading.image_count = images.size();
  return reading;
}

Result<TokenLayout> read(const ModelProfile& profile, const Ids& ids, const SequenceReading& reading = {}) {
  return read_sequence(profile, ids.data(), ids.size(), reading);
}

/// What may be missing of a grid.
enum class Grids { all, those_in_ids };

bool same_runs(const std::vector<ImageRun>& a, const std::vector<ImageRun>& b, Grids grids) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [grids](const ImageRun& x, const ImageRun& y) {
    const bool same_grid = x.token_height == y.token_height && x.token_width == y.token_width;
    const bool unknown = grids == Grids::those_in_ids && x.token_height == 0 && x.token_width == 0;
    return x.slice == y.slice && x.kind == y.kind && x.in_joint_block == y.in_joint_block && (same_grid || unknown);
  });
}

/// Everything but the image runs and the eos, which the ids may name where the text has it.
bool same_positions(const TokenLayout& a, const TokenLayout& b) {
  return a.length == b.length && a.gen_timestep_positions == b.gen_timestep_positions &&
         a.cond_timestep_positions == b.cond_timestep_positions && a.guidance_positions == b.guidance_positions &&
         a.timestep_r_positions == b.timestep_r_positions && a.boi_positions == b.boi_positions &&
         a.eoi_positions == b.eoi_positions && a.joint_img_sep_positions == b.joint_img_sep_positions &&
         a.real_length() == b.real_length() && a.first_pad_position.has_value() == b.first_pad_position.has_value() &&
         a.eos_position.value_or(-1) == b.eos_position.value_or(-1);
}

/// Reads a sequence with and without its images.
void check_identity(const ModelProfile& profile, const TokenSequence& sequence, const Images& images,
                    SequenceReading reading = {}) {
  const Ids ids = expanded(sequence);
  const auto plain = read(profile, ids, reading);
  CHECK(plain.error() == Errc::none);
  CHECK(plain.position() == 0);
  CHECK(same_positions(*plain, sequence));
  CHECK(same_runs(plain->image_runs, sequence.image_runs, Grids::those_in_ids));
  const auto informed = read(profile, ids, knowing(images));
  CHECK(informed.error() == Errc::none);
  CHECK(same_positions(*informed, sequence));
  CHECK(same_runs(informed->image_runs, sequence.image_runs, Grids::all));
}

TokenSequence written(const ModelProfile& profile, const Images& images, const SequenceOptions& options = {}) {
  std::vector<Section> sections;
  for (const ImageInfo& image : images) {
    sections.push_back(Section::of_text("ab"));
    sections.push_back(Section::of_image(image));
  }
  sections.push_back(Section::of_text("c"));
  const auto sequence = build_sequence(profile, sections, encode, options);
  REQUIRE(sequence);
  return *sequence;
}

/// A row as it goes through the VAE, with a ViT run of `slots` behind it.
ImageInfo joint_of(ImageInfo image, std::int32_t slots) {
  image.kind = ImageKind::cond_joint;
  image.add_guidance_token = image.add_timestep_r_token = false;
  image.vit_token_height = 1;
  image.vit_token_width = slots / 2 + 1;
  image.vit_token_length = slots;
  return image;
}

TEST_CASE("every row of every profile and base size") {
  std::size_t rows = 0;
  for (const ModelProfile* published : profiles::all) {
    ModelProfile profile = *published;
    const std::size_t last = ratio_token_count(profile) - 1;
    if (!ratio_token_id(profile, last)) profile = *profile.with_ratio_token_id(last, 130108);
    for (std::size_t i = 0; i < profile.size_tokens.count; ++i) {
      const auto model = Model::create(profile, profile.size_tokens.base_sizes[i]);
      REQUIRE(model);
      for (std::size_t row = 0; row < model->group.size(); ++row) {
        ImageInfo image = *image_info_of_row(*model, row);
        if (image.image_token_length > 30000 && row % 8 != 0) continue;  // some rows of the largest sizes
        image.use_front_boi_token = row % 2 == 0;
        const Images images{joint_of(image, profile.vit_slots), image, joint_of(image, 3)};
        const TokenSequence sequence = written(profile, images);
        check_identity(profile, sequence, images);
        const auto plain = read(profile, expanded(sequence));  // the grids of all VAE runs are in the ids
        REQUIRE(plain->image_runs.size() == 5);
        CHECK((plain->image_runs[0].token_height == image.token_height));
        CHECK((plain->image_runs[2].token_width == image.token_width));
        CHECK((plain->image_runs[1].token_height == 0 && plain->image_runs[1].token_width == 0));
        ++rows;
      }
    }
  }
  CHECK(rows > 1000);
}

/// An image with the flags that the bits say. A block of a VAE run without any other token reads as a ViT image, so it
/// keeps its timestep.
ImageInfo tiny_image(const ModelProfile& profile, ImageKind kind, std::uint64_t flags) {
  const Model model = *Model::create(profile, 256);
  ImageInfo image;
  if (has_vae_run(kind)) image = *image_info_of_row(model, 16);
  image.kind = kind;
  image.add_image_shape_token = (flags & 1) != 0;
  image.add_timestep_token = (flags & 2) != 0 || (flags & 13) == 0;
  image.add_guidance_token = (flags & 4) != 0;
  image.add_timestep_r_token = (flags & 8) != 0;
  image.use_front_boi_token = (flags & 16) != 0;
  if (kind == ImageKind::cond_vae) image.add_timestep_token |= !image.add_image_shape_token;
  if (has_vit_run(kind)) {
    image.vit_token_height = 1;
    image.vit_token_width = 1 + static_cast<std::int32_t>(flags % 3);
    image.vit_token_length = image.vit_token_width;
  }
  return image;
}

TEST_CASE("random lists of sections") {
  Random random(51);
  std::size_t read_back = 0;
  for (int round = 0; round < 6000; ++round) {
    ModelProfile profile = tiny_profile();
    profile.honors_front_boi_flag = random.below(2) == 0;
    // A VAE image is a generated one to who does not know better, unless all conditioning images are VAE images.
    const bool only_vae = random.below(4) == 0;
    if (only_vae) profile.conditioning_image_type = ConditioningImageType::vae;
    std::vector<Section> sections;
    Images images;
    for (std::uint64_t i = 1 + random.below(6); i != 0; --i) {
      if (random.below(2) == 0) {
        sections.push_back(Section::of_text(random.below(3) == 0 ? "" : "abc", random.below(3) == 0));
        continue;
      }
      const ImageKind kinds[] = {ImageKind::generated, ImageKind::cond_vit, ImageKind::cond_joint};
      const ImageKind kind = only_vae ? ImageKind::cond_vae : kinds[random.below(3)];
      images.push_back(tiny_image(profile, kind, random.below(32)));
      sections.push_back(Section::of_image(images.back()));
    }
    if (only_vae && !images.empty()) images.back() = tiny_image(profile, ImageKind::generated, random.below(32));
    for (std::size_t i = sections.size(); only_vae && i-- > 0;) {
      if (!sections[i].is_image) continue;
      sections[i].image = images.back();
      break;
    }
    SequenceOptions options;
    options.add_bos = random.below(3) != 0;
    options.add_eos = random.below(2) == 0 ? AddEos::yes : AddEos::no;
    options.add_pad = AddPad::automatic;
    if (random.below(2) == 0) options.total_length = static_cast<std::int32_t>(random.below(60));
    options.overflow = random.below(2) == 0 && options.total_length ? Overflow::drop_last : Overflow::keep;
    const auto sequence = build_sequence(profile, sections, encode, options);
    if (!sequence) continue;
    images.resize(sequence->eoi_positions.size());  // drop_last leaves the rest out
    bool is_cut = sequence->eos_position && *sequence->eos_position >= sequence->length;
    for (const std::int32_t eoi : sequence->eoi_positions) is_cut = is_cut || eoi >= sequence->length;
    const bool is_last_named = !only_vae || images.empty() || images.back().kind == ImageKind::generated;
    if (is_cut || !is_last_named) continue;
    check_identity(profile, *sequence, images);
    ++read_back;
  }
  CHECK(read_back > 3000);
}

TEST_CASE("padded batches and prompts that end in an open block") {
  for (const ModelProfile* profile : profiles::all) {
    const Model model = *Model::create(*profile);
    const auto encoder = with_special_tokens(*profile, encode);
    const ImageInfo image = *build_gen_image_info(model, "1:1");
    const ImageInfo picture = *build_cond_image_info(model, {500, 700});
    const std::vector<Message> asks{Message::of_image(Role::user, picture), Message::of_text(Role::user, "a prompt")};
    const std::vector<Message> asks_less{Message::of_image(Role::user, picture), Message::of_text(Role::user, "p")};
    const BotTask tasks[] = {BotTask::automatic, BotTask::image,           BotTask::think,
                             BotTask::recaption, BotTask::think_recaption, BotTask::img_ratio};
    for (const BotTask task : tasks) {
      ChatOptions options = ChatOptions::of(*profile, ChatMode::gen_text);
      options.bot_task = task;
      const auto batch = encode_chat_batch(model, {asks, asks_less}, options, encoder, 1);
      REQUIRE(batch);
      for (const TokenSequence& row : batch->rows) check_identity(*profile, row, {picture});
    }
    std::vector<std::vector<Message>> conversations{asks, asks_less};
    for (auto& conversation : conversations) conversation.push_back(Message::of_image(Role::assistant, image));
    const auto batch =
        encode_chat_batch(model, conversations, ChatOptions::of(*profile, ChatMode::gen_image), encoder, 1);
    REQUIRE(batch);
    for (const TokenSequence& row : batch->rows) check_identity(*profile, row, {picture, image});
  }
}

TEST_CASE("all short texts of tokens") {
  for (const bool late_boi : {false, true}) {
    ModelProfile profile = tiny_profile();
    profile.honors_front_boi_flag = late_boi;
    const Language language = grammar(late_boi);
    std::size_t wrong = 0;
    std::string example;
    for (std::size_t length = 1; length <= 4; ++length) {
      std::vector<std::size_t> digits(length, 0);
      for (bool more = true; more;) {
        std::string text;
        for (const std::size_t digit : digits) text += letters[digit];
        if (!agrees(profile, language, text)) {
          ++wrong;
          example = text;
        }
        std::size_t i = 0;
        while (i < length && ++digits[i] == letters.size()) digits[i++] = 0;
        more = i < length;
      }
    }
    CHECK_MESSAGE(wrong == 0, wrong << " texts, " << example);
  }
}

TEST_CASE("texts with up to three edits") {
  const std::string parts[] = {"x",      "bsriiiie",  "bsrtiiiie",   "bsrtguiiiie", "bsrtiiiijiiie",
                               "biie",   "btiiiiiie", "biiiiiijiie", "srtbiiiie",   "srtguiiiie",
                               "gubiie", "bs",        "bsrt",        "ppp"};
  Random random(53);
  for (const bool late_boi : {false, true}) {
    ModelProfile profile = tiny_profile();
    profile.honors_front_boi_flag = late_boi;
    const Language language = grammar(late_boi);
    std::size_t accepted = 0;
    std::size_t wrong = 0;
    std::string example;
    for (int round = 0; round < 30000; ++round) {
      std::string text;
      for (std::uint64_t i = 1 + random.below(3); i != 0; --i) text += parts[random.below(14)];
      for (std::uint64_t i = random.below(4); i != 0 && !text.empty(); --i) {
        const std::size_t at = random.place_below(text.size());
        const char letter = letters[random.place_below(letters.size())];
        const std::uint64_t edit = random.below(4);
        if (edit == 0) text.erase(at, 1);
        if (edit == 1) text.insert(at, 1, letter);
        if (edit == 2) text[at] = letter;
        if (edit == 3) std::swap(text[at], text[random.place_below(text.size())]);
      }
      if (text.empty()) continue;
      if (language.has(text)) ++accepted;
      if (agrees(profile, language, text)) continue;
      ++wrong;
      example = text;
    }
    CHECK(accepted > 3000);
    CHECK_MESSAGE(wrong == 0, wrong << " texts, " << example);
  }
}

TEST_CASE("what is wrong with a text") {
  const ModelProfile profile = tiny_profile();
  struct Case {
    const char* text;
    Errc error;
    std::size_t position;
  };
  const Case cases[] = {
      {"xix", Errc::token_outside_image, 1},
      {"xe", Errc::token_outside_image, 1},
      {"xj", Errc::token_outside_image, 1},
      {"xsr", Errc::token_outside_image, 1},
      {"r", Errc::token_outside_image, 0},
      {"xt", Errc::token_outside_image, 1},
      {"bx", Errc::expected_image_token, 1},
      {"bb", Errc::expected_image_token, 1},
      {"be", Errc::expected_image_token, 1},
      {"bsxiiiie", Errc::expected_shape_token, 2},
      {"bssriiiie", Errc::expected_shape_token, 2},
      {"briiiie", Errc::expected_image_token, 1},
      {"bsrtt", Errc::expected_scalar_token, 4},
      {"bsrgt", Errc::expected_scalar_token, 4},
      {"bsrtug", Errc::expected_scalar_token, 5},
      {"bsriiie", Errc::image_token_count_mismatch, 3},
      {"bsriiiiie", Errc::image_token_count_mismatch, 3},
      {"bsriixiie", Errc::expected_image_token, 5},
      {"bsrii", Errc::expected_image_token, 5},
      {"bsriiii", Errc::expected_eoi, 7},
      {"bsriiiix", Errc::expected_eoi, 7},
      {"bsrgiiiijie", Errc::expected_eoi, 8},
      {"bsriiiije", Errc::expected_image_token, 8},
      {"bsriiiijiiiie", Errc::image_token_count_mismatch, 8},
      {"bsriiiijix", Errc::expected_eoi, 9},
      {"biiiie", Errc::image_token_count_mismatch, 1},
      {"xpx", Errc::expected_pad, 2},
      {"bspx", Errc::expected_pad, 3},
  };
  for (const Case& bad : cases) {
    CAPTURE(bad.text);
    const auto layout = read(profile, ids_of(profile, bad.text));
    CHECK(layout.error() == bad.error);
    CHECK(layout.position() == bad.position);
  }
  ModelProfile late = profile;
  late.honors_front_boi_flag = true;
  const Case late_cases[] = {{"srtiiiie", Errc::expected_boi, 3},
                             {"srtbx", Errc::expected_image_token, 4},
                             {"bsrtbiiiie", Errc::expected_image_token, 4},
                             {"rb", Errc::token_outside_image, 0}};
  for (const Case& bad : late_cases) {
    CAPTURE(bad.text);
    const auto layout = read(late, ids_of(late, bad.text));
    CHECK(layout.error() == bad.error);
    CHECK(layout.position() == bad.position);
  }
  CHECK(read_sequence(profile, nullptr, 5).error() == Errc::empty_sequence);
  CHECK(read(profile, {}).error() == Errc::empty_sequence);
  const TokenId one = 5;
  CHECK(read_sequence(profile, &one, std::size_t{max_side} + 1).error() == Errc::sequence_too_long);
  // A ratio token of a row that the group at this base size lacks.
  ModelProfile more = profile;
  more.ratio_tokens.append(TokenId{131000});
  Ids ids = ids_of(more, "bsriiiie");
  ids[2] = 131000;
  CHECK(read(more, ids).error() == Errc::ratio_index_out_of_range);
  CHECK(read(more, ids).position() == 2);
}

/// Deletes, doubles, swaps and replaces each token of the blocks of a sequence.
template <class Check>
void for_each_mutation(const Ids& ids, Slice block, const Ids& others, Check check) {
  for (std::int32_t position = block.start; position < block.stop; ++position) {
    const auto at = static_cast<std::size_t>(position);
    Ids changed = ids;
    changed.erase(changed.begin() + position);
    check(changed);
    changed = ids;
    changed.insert(changed.begin() + position, ids[at]);
    check(changed);
    if (position + 1 < block.stop && ids[at] != ids[at + 1]) {
      changed = ids;
      std::swap(changed[at], changed[at + 1]);
      check(changed);
    }
    for (const TokenId other : others) {
      if (other == ids[at]) continue;
      changed = ids;
      changed[at] = other;
      check(changed);
    }
  }
}

TEST_CASE("each single change of a block") {
  for (const ModelProfile* profile : profiles::all) {
    const Model model = *Model::create(*profile, 256);
    const SpecialTokens& special = profile->special;
    const Ids others{5,
                     special.boi,
                     special.timestep,
                     special.guidance,
                     special.timestep_r,
                     special.img,
                     special.joint_img_sep,
                     special.eoi,
                     special.pad,
                     *size_token_id(*profile, 256),
                     *ratio_token_id(*profile, 16)};
    for (const bool front_boi : {true, false}) {
      ImageInfo image = *image_info_of_row(model, 7);
      image.use_front_boi_token = front_boi;
      image.add_guidance_token = image.add_timestep_r_token = true;
      ImageInfo vit;
      vit.kind = ImageKind::cond_vit;
      vit.vit_token_height = vit.vit_token_width = 3;
      vit.vit_token_length = 9;
      const Images images{joint_of(image, 20), vit, image};
      const TokenSequence sequence = written(*profile, images);
      const Ids ids = expanded(sequence);
      std::size_t refused = 0;
      std::size_t others_read = 0;
      std::int32_t start = 3;  // behind the bos and a text of two tokens
      for (std::size_t i = 0; i < images.size(); ++i) {
        const std::int32_t stop = sequence.eoi_positions[i] + 1;
        for_each_mutation(ids, {start, stop}, others, [&](const Ids& changed) {
          const auto differs = std::mismatch(changed.begin(), changed.end(), ids.begin(), ids.end());
          const auto first = static_cast<std::size_t>(differs.first - changed.begin());
          // Who knows the images finds the first id that differs.
          const auto informed = read(*profile, changed, knowing(images));
          CHECK(informed.error() != Errc::none);
          // Text or padding may stand in place of a block's first token: what follows may not.
          const bool is_first = first == static_cast<std::size_t>(start);
          const bool is_text = changed[first] == 5 || changed[first] == special.pad;
          CHECK(informed.position() == (is_first && is_text ? first + 1 : first));
          const auto plain = read(*profile, changed);
          if (!plain) {
            ++refused;  // at the change, the run that it makes longer or shorter, or what does not follow the change
            const std::size_t at = plain.position();
            const bool is_run = plain.error() == Errc::image_token_count_mismatch && changed[at] == special.img &&
                                changed[at - 1] != special.img;
            const bool is_scalars = at > first && at - first <= 6 && plain.error() == Errc::expected_boi;
            // The change may make it another block, which has no second run.
            const bool is_separator = plain.error() == Errc::expected_eoi && changed[at] == special.joint_img_sep;
            CHECK((at == first || at == first + 1 || is_run || is_scalars || is_separator));
          } else {
            ++others_read;
            CHECK_FALSE((same_positions(*plain, sequence) &&
                         same_runs(plain->image_runs, sequence.image_runs, Grids::those_in_ids)));
          }
        });
        start = stop + 2;
      }
      CHECK(refused > 1000);
      CHECK(others_read > 10);  // a <timestep> less, a ViT slot more
    }
  }
}

TEST_CASE("kinds of blocks with one run") {
  ModelProfile profile = tiny_profile();
  const auto kinds = [&profile](const std::string& text) {
    std::vector<ImageRunKind> kinds_read;
    const auto layout = read(profile, ids_of(profile, text));
    for (const ImageRun& run : layout->image_runs) kinds_read.push_back(run.kind);
    return kinds_read;
  };
  using Kinds = std::vector<ImageRunKind>;
  const ImageRunKind generated = ImageRunKind::generated;
  const ImageRunKind vae = ImageRunKind::vae;
  const ImageRunKind vit = ImageRunKind::vit;
  CHECK(kinds("bsrtiiiiebtie") == Kinds{generated, generated});
  CHECK(kinds("biiiebsriiiijiie") == Kinds{vit, vae, vit});
  profile.conditioning_image_type = ConditioningImageType::vae;
  CHECK(kinds("bsrtiiiiebtie") == Kinds{vae, generated});
  CHECK(kinds("bsrtgiiiiebsrtiiiiebsriiiie") == Kinds{generated, vae, generated});
  CHECK(kinds("bsrtiiiiebsrtgiiiie") == Kinds{vae, generated});
  CHECK(kinds("biiiiiiie") == Kinds{generated});  // no ViT: any count
  CHECK(kinds("bsrtiiiiebsrtiiiijiie") == Kinds{generated, vae, vit});
  // The timesteps go with the kinds.
  const auto layout = read(profile, ids_of(profile, "bsrtiiiiebsrtiiiiebsrtiiiijiie"));
  CHECK(layout->gen_timestep_positions == std::vector<std::int32_t>{12});
  CHECK(layout->cond_timestep_positions == std::vector<std::int32_t>{3, 21});
}

TEST_CASE("ends of a sequence") {
  const ModelProfile profile = tiny_profile();
  Ids ids = ids_of(profile, "xxbsr");
  auto layout = read(profile, ids);
  CHECK(layout->length == 5);
  CHECK(layout->boi_positions.empty());  // no image yet
  CHECK_FALSE(layout->eos_position);
  CHECK_FALSE(layout->first_pad_position);
  ids = ids_of(profile, "xxpp");
  ids[1] = profile.special.eos;
  layout = read(profile, ids);
  CHECK(*layout->eos_position == 1);
  CHECK(*layout->first_pad_position == 2);
  CHECK(layout->real_length() == 2);
  ids[1] = 5;
  ids[0] = profile.special.eos;  // one that does not end it
  CHECK(read(profile, ids)->eos_position.error() == Errc::no_token_of_this_kind);
}

TEST_CASE("grids of followed requests") {
  Random random(55);
  std::size_t known = 0;
  std::size_t unknown = 0;
  std::size_t mistaken = 0;
  for (const ModelProfile* profile : profiles::all) {
    const Model model = *Model::create(*profile);
    for (const GridMode mode : {GridMode::follow_request, GridMode::follow_request_by_area}) {
      for (int round = 0; round < 150; ++round) {
        const auto side = [&random] { return static_cast<std::int32_t>(64 + random.below(2000)); };
        const auto image = build_gen_image_info(model, Resolution{side(), side()}, mode);
        REQUIRE(image);
        if (!ratio_token_id(*profile, image->ratio_index)) continue;
        const TokenSequence sequence = written(*profile, {*image});
        const Ids ids = expanded(sequence);
        SequenceReading reading;
        reading.grid_mode = mode;
        const auto layout = read(*profile, ids, reading);
        REQUIRE(layout);
        CHECK(same_positions(*layout, sequence));
        const ImageRun run = layout->image_runs[0];
        const bool is_unknown = run.token_height == 0 && run.token_width == 0;
        const bool is_right = run.token_height == image->token_height && run.token_width == image->token_width;
        (is_unknown ? unknown : is_right ? known : mistaken) += 1;
        const auto informed = read(*profile, ids, knowing({*image}));
        CHECK(same_runs(informed->image_runs, sequence.image_runs, Grids::all));
      }
    }
  }
  CHECK(mistaken == 0);
  CHECK(known > 2 * unknown);
  // As many tokens as the row has, in a longer grid.
  SequenceReading following;
  following.grid_mode = GridMode::follow_request;
  const Model instruct = *Model::create(profiles::instruct);
  const ImageInfo longer = *build_gen_image_info(instruct, Resolution{256, 4096}, GridMode::follow_request);
  CHECK(longer.image_token_length == image_info_of_row(instruct, 0)->image_token_length);
  CHECK(read(instruct.profile, expanded(written(instruct.profile, {longer})), following)->image_runs[0].token_height ==
        0);
  // Snapping does not take them, but a profile that follows aligned requests does.
  const Model panorama = *Model::create(profiles::panorama);
  const ImageInfo followed = *build_gen_image_info(panorama, Resolution{1008, 1008});
  CHECK(followed.image_token_length == 63 * 63);
  const Ids ids = expanded(written(panorama.profile, {followed}));
  const auto layout = read(panorama.profile, ids);
  REQUIRE(layout);
  CHECK((layout->image_runs[0].token_height == 63 && layout->image_runs[0].token_width == 63));
  CHECK(read(profiles::instruct, ids).error() == Errc::image_token_count_mismatch);
  CHECK(ids[read(profiles::instruct, ids).position()] == tokens::img);
  ImageInfo prime = followed;  // 4099 tokens are no grid near 1:1
  prime.token_height = prime.token_width = 0;
  prime.image_token_length = 4099;
  CHECK(read(panorama.profile, expanded(written(panorama.profile, {prime}))).error() ==
        Errc::image_token_count_mismatch);
}

TEST_CASE("groups whose extra rows are scaled") {
  const Model model = *Model::create(profiles::instruct, 2048, ExtraScaling::scaled);
  for (std::size_t row = 30; row < model.group.size(); ++row) {
    const ImageInfo image = *image_info_of_row(model, row);
    const TokenSequence sequence = written(model.profile, {image});
    SequenceReading reading;
    reading.extra_scaling = ExtraScaling::scaled;
    check_identity(model.profile, sequence, {image}, reading);
    if (row >= 33) {
      CHECK(read(model.profile, expanded(sequence)).error() == Errc::image_token_count_mismatch);
    }
  }
}

TEST_CASE("images that are not those of the blocks") {
  const ModelProfile profile = tiny_profile();
  const ImageInfo image = tiny_image(profile, ImageKind::generated, 3 + 16);
  const Ids ids = ids_of(profile, "xbsrtiiiiex");
  const auto refused = [&](const Images& images, std::size_t position, Errc error = Errc::image_hint_mismatch) {
    const auto layout = read(profile, ids, knowing(images));
    CHECK(layout.error() == error);
    CHECK(layout.position() == position);
  };
  CHECK(read(profile, ids, knowing({image})));
  refused({image, image}, 11);  // a block is missing
  ImageInfo other = image;
  other.ratio_index = 15;
  refused({other}, 3);
  other = image;
  other.add_timestep_token = false;
  refused({other}, 4);
  other = image;
  other.add_guidance_token = true;
  refused({other}, 5);
  other = image;
  other.token_height = other.token_width = 0;
  other.image_token_length = 3;
  refused({other}, 8);
  other.image_token_length = 5;
  refused({other}, 9);
  other.image_token_length = -5;
  refused({other}, 1, Errc::negative_length);
  refused({tiny_image(profile, ImageKind::cond_joint, 3)}, 9);
  refused({tiny_image(profile, ImageKind::cond_vit, 3)}, 2);
  const Ids two = ids_of(profile, "bsrtiiiiebsrtiiiie");
  const auto layout = read(profile, two, knowing({image}));
  CHECK(layout.error() == Errc::image_hint_mismatch);  // a block too many
  CHECK(layout.position() == 9);
  // An image that the ids cannot tell from others: a conditioning image with the VAE run alone, an empty run.
  const ImageInfo vae = tiny_image(profile, ImageKind::cond_vae, 3 + 16);
  CHECK(read(profile, ids, knowing({vae}))->image_runs[0].kind == ImageRunKind::vae);
  CHECK(read(profile, ids, knowing({vae}))->cond_timestep_positions == std::vector<std::int32_t>{4});
  ImageInfo empty = image;
  empty.token_height = empty.token_width = 0;
  empty.image_token_length = 0;
  const Ids none = ids_of(profile, "xbsrtex");
  CHECK(read(profile, none, knowing({empty}))->image_runs[0].slice == Slice{5, 5});
  CHECK(read(profile, none).error() == Errc::expected_image_token);
  // Nothing is known where no images are passed.
  SequenceReading nothing;
  nothing.image_count = 7;
  CHECK(read(profile, ids, nothing));
}

}  // namespace
}  // namespace hunyuan_reso_test
