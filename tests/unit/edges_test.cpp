// SPDX-License-Identifier: MIT
// What mutation testing (tests/mutation) found that no other test looked at: edges of ranges, and what
// value-initialised objects hold, which is what an unchecked, refused Result gives.
#include <hunyuan_reso/hunyuan_reso.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace hunyuan_reso;

static_assert(BaseSizeAndRatioIndex{}.base_size == 0 && BaseSizeAndRatioIndex{}.ratio_index == 0);
static_assert(SnapThreshold{}.last == Resolution{} && SnapThreshold{}.lower == 0 && SnapThreshold{}.upper == 0);
static_assert(ResizeCrop{}.resized_height == 0 && ResizeCrop{}.resized_width == 0 && ResizeCrop{}.crop_top == 0 &&
              ResizeCrop{}.crop_left == 0);
static_assert(!OutputAlignment{}.resize && OutputAlignment{}.height == 0 && OutputAlignment{}.width == 0 &&
              OutputAlignment{}.conditioning_index == 0);
static_assert(!TrainedFlags{}.base_size && !TrainedFlags{}.grid && !TrainedFlags{}.ratio_token);
static_assert(ImageInfo{}.image_size() == Resolution{} && ImageInfo{}.token_grid() == Resolution{} &&
              ImageInfo{}.vit_grid() == Resolution{} && ImageInfo{}.image_token_length == 0 &&
              ImageInfo{}.vit_token_length == 0 && ImageInfo{}.base_size == 0 && ImageInfo{}.ratio_index == 0);
static_assert(ImageSize{}.ratio_index == 0 && ImageSize::of_ratio({1, 2}).ratio_index == 0 &&
              ImageSize::of_pixels({1, 2}).ratio_index == 0);
static_assert(RopePosition{} == RopePosition{0, 0} && RopeImage{}.start == 0 && RopeImage{}.token_height == 0 &&
              RopeImage{}.token_width == 0 && RopeLayout{}.sequence_length() == 0 && RopeLayout{}.image_count() == 0);
static_assert(RopePosition{1, 2} != RopePosition{1, 3} && RopePosition{1, 2} != RopePosition{0, 2});
static_assert(SnapHistogram<64>{}.total() == 0 && SnapHistogram<64>{}.refused == 0);
static_assert(VocabularyMismatch{}.expected == 0 && SpecialTokenMatch{}.id == 0 && SpecialTokenMatch{}.begin == 0 &&
              SpecialTokenMatch{}.end == 0);
static_assert(detail::RowRatio{}.height == 0 && detail::RowRatio{}.width == 0 && detail::Mean{}.m == 0);

TEST_CASE("a binary64 number and its neighbour below, across a power of two") {
  using detail::Binary64;
  const Binary64 one{detail::binary64_implicit_bit, -52};
  const Binary64 below{2 * detail::binary64_implicit_bit - 1, -53};
  CHECK(detail::next_down(one) == below);
  CHECK(detail::next_up(below) == one);
  CHECK(detail::next_up(one) == Binary64{detail::binary64_implicit_bit + 1, -52});
  CHECK(detail::next_down(detail::next_up(one)) == one);
}

TEST_CASE("binary64 numbers divided, rounded and converted at the ends of the ranges") {
  using detail::Binary64;
  const Binary64 six{std::uint64_t{6} << 50, -50};
  CHECK(detail::to_double(detail::divide(six, std::uint64_t{1})) == 6.0);
  CHECK(detail::to_double(detail::divide(six, std::uint64_t{2})) == 3.0);
  CHECK(detail::to_double(detail::divide(six, std::uint64_t{12})) == 0.5);
  CHECK(detail::to_double(detail::divide(six, std::uint64_t{48})) == 0.125);
  CHECK(detail::divide(Binary64{}, std::uint64_t{3}) == Binary64{});
  CHECK(detail::square_root(Binary64{}) == Binary64{});
  CHECK(detail::to_double(Binary64{}) == 0.0);
  const std::uint64_t bit = detail::binary64_implicit_bit;
  for (const std::int32_t e : {-1, 0, 1, 10}) {
    const auto value = static_cast<std::int64_t>(std::ldexp(static_cast<double>(bit), e));
    CHECK(detail::round_up(Binary64{bit, e}) == value);
    CHECK(detail::round_to_integer(Binary64{bit, e}) == value);
    CHECK(detail::to_double(Binary64{bit, e}) == std::ldexp(static_cast<double>(bit), e));
  }
  for (const std::int32_t e : {11, 12, 500}) {
    CHECK(detail::round_up(Binary64{bit, e}) == 0x7FFFFFFFFFFFFFFF);
    CHECK(detail::round_to_integer(Binary64{bit, e}) == 0x7FFFFFFFFFFFFFFF);
  }
  for (const std::int32_t e : {-53, -62, -63, -64, -65, -500}) {
    CHECK(detail::round_up(Binary64{bit, e}) == 1);
    CHECK(detail::round_up(Binary64{0, e}) == 0);
  }
  CHECK(detail::round_up(Binary64{bit + 1, -52}) == 2);
  CHECK(detail::round_up(Binary64{bit, -52}) == 1);
}

TEST_CASE("a size is trained exactly where it is a row of the published group") {
  for (const ModelProfile* profile : profiles::all) {
    const Result<Model> model = Model::create(*profile);
    std::size_t found = 0;
    for (std::int32_t height = 256; height <= 2304; height += 16) {
      for (std::int32_t width = 256; width <= 2304; width += 16) {
        bool is_row = false;
        for (const Resolution row : model->group) is_row = is_row || row == Resolution{height, width};
        CHECK_MESSAGE(detail::is_trained_row(*profile, {height, width}) == is_row, height, "x", width);
        found += is_row ? 1 : 0;
      }
    }
    CHECK(found == model->group.size());
  }
}

TEST_CASE("trained rows of other base sizes, alignments and extras") {
  for (const std::int32_t align : {1, 8, 16}) {
    for (const std::int32_t base_size : {16 * align, 1000, 1008, 512}) {
      ModelProfile profile = profiles::instruct;
      profile.trained_base_size = base_size;
      profile.align = align;
      profile.extras = {};
      profile.extras.append({3 * base_size, 2 * base_size});
      profile.extras.append({base_size, base_size});          // dropped: the square is there
      profile.extras.append({2 * base_size, 2 * base_size});  // dropped, too
      profile.extras.append({6 * base_size, 4 * base_size});  // dropped: the first extra has the ratio
      profile.extras.append({4 * base_size / 3, base_size});
      const auto group = make_group(profile);
      if (!group) continue;
      for (const Resolution row : *group) {
        CHECK(detail::is_trained_row(profile, row));
        for (const std::int32_t off : {-align, -1, 1, align}) {
          const Resolution moved{row.height + off, row.width};
          bool is_row = false;
          for (const Resolution other : *group) is_row = is_row || other == moved;
          CHECK(detail::is_trained_row(profile, moved) == is_row);
        }
      }
      CHECK_FALSE(detail::is_trained_row(profile, {2 * base_size, 2 * base_size}));
      CHECK_FALSE(detail::is_trained_row(profile, {6 * base_size, 4 * base_size}));
    }
  }
  ModelProfile large = profiles::instruct;
  large.trained_base_size = 1000000000;
  CHECK(detail::is_trained_row(large, {1000000000, 1000000000}));
  large.trained_base_size = 15;  // no step
  CHECK_FALSE(detail::is_trained_row(large, {15, 15}));
  large.trained_base_size = 2147483647;
  CHECK_FALSE(detail::is_trained_row(large, {2147483647, 2147483647}));
}

TEST_CASE("the base size by area counts an extra row that is larger than the square, unless the group drops it") {
  ModelProfile profile = profiles::base;
  profile.extras.append({3000, 1900});
  CHECK(*base_size_by_area(profile, {2400, 2400}) == 1024);  // 5.76 MP, the row has 5.70 MP, with a twentieth 5.985 MP
  CHECK(*base_size_by_area(profile, {2450, 2450}) == 3072);
  profile.extras = {};
  profile.extras.append({4096, 4096});
  CHECK(*base_size_by_area(profile, {2400, 2400}) == 3072);
  CHECK(*base_size_by_area(profile, {1, 1}) == 1024);
}

TEST_CASE("the length of an image block whose token counts are out of range") {
  ImageInfo image;
  image.image_token_length = -5;
  CHECK(image_block_length(image) == 5);  // <boi>, size, ratio, <timestep>, <eoi>
  image.image_token_length = 1;
  CHECK(image_block_length(image) == 6);
  image.image_token_length = (std::int64_t{1} << 61) + 7;
  CHECK(image_block_length(image) == (std::int64_t{1} << 61) + 5);
}

TEST_CASE("the vision tower's grid: sides and patches of one pixel, and none") {
  CHECK(detail::vit_grid({3, 5}, 1, 1024)->pixel_count() <= 1024);
  CHECK(detail::vit_grid({1, 1}, 1, 16).has_value());
  CHECK(detail::vit_grid({1, 1}, 0, 16).error() == Errc::side_not_positive);
  CHECK(detail::vit_grid({0, 1}, 16, 16).error() == Errc::side_not_positive);
  CHECK(build_cond_image_info(*Model::create(profiles::instruct), {0, 5}).error() == Errc::side_not_positive);
}

TEST_CASE("extra rows of the largest side there is, and the end of their list") {
  GroupSpec spec;
  spec.base_size = 1024;
  spec.extras.append({max_side, 1});
  spec.extras.append({1, max_side});
  const auto group = ResolutionGroup::create(spec);
  REQUIRE(group);
  CHECK((*group)[group->size() - 2] == Resolution{max_side, 1});
  CHECK((*group)[group->size() - 1] == Resolution{1, max_side});
  CHECK(spec.extra(2).error() == Errc::too_many_extras);
  CHECK(spec.extra(1).has_value());
  spec.align = 1;
  spec.extra_scaling = ExtraScaling::scaled;  // by one, here
  CHECK(*spec.extra(0) == Resolution{max_side, 1});
  CHECK(*spec.extra(1) == Resolution{1, max_side});
}

TEST_CASE("a picture that wraps round by one pixel") {
  ModelProfile profile = profiles::panorama;
  profile.wrap_pixels = 1;
  CHECK(*wrapped_size(profile, {5, 7}) == Resolution{5, 6});
  profile.wrap_pixels = 0;
  CHECK(*wrapped_size(profile, {5, 7}) == Resolution{5, 7});
}

TEST_CASE("a group without rows has no thresholds") {
  const auto refused = ResolutionGroup::from_rows(nullptr, 0);
  CHECK(refused.error() == Errc::no_rows);
  CHECK(refused->threshold_count() == 0);
  CHECK(refused->snap({1, 1}) == 0);
}

TEST_CASE("ratios that are separable, and those that are just too close") {
  const auto separable = [](Resolution a, Resolution b) {
    const Resolution rows[] = {a, b};
    return ResolutionGroup::from_rows(rows, 2)->separable();
  };
  CHECK_FALSE(separable({1 << 22, 1 << 22}, {(1 << 22) + 1, 1 << 22}));  // 2^-22 apart
  CHECK(separable({1 << 21, 1 << 21}, {(1 << 21) + 1, 1 << 21}));
  CHECK(separable({1 << 22, 1 << 22}, {(1 << 22) + 2, (1 << 22) + 1 - 1}));
}

TEST_CASE("a threshold far below one whose mean is no short fraction") {
  const Resolution rows[] = {{20000, 2000000000}, {40001, 2000000000}};  // the mean is 30000.5 / 2e9
  const auto group = ResolutionGroup::from_rows(rows, 2);
  REQUIRE(group);
  CHECK(group->snap({30000, 2000000000}) == 0);
  CHECK(group->snap({30001, 2000000000}) == 1);
  CHECK(group->snap({1, 2147483647}) == 0);
  CHECK(group->snap({1, 70000}) == 0);  // 1.43e-5
  CHECK(group->snap({1, 60000}) == 1);  // 1.67e-5
}

TEST_CASE("the last ratio token of a stream may be the first token") {
  const TokenId ids[] = {*ratio_token_id(profiles::instruct, 5), profiles::instruct.special.eos};
  CHECK(*last_ratio_index(profiles::instruct, ids, 1) == 5);
  CHECK(*last_ratio_index(profiles::instruct, ids, 2) == 5);
  CHECK(last_ratio_index(profiles::instruct, ids + 1, 1).error() == Errc::no_ratio_token);
}

TEST_CASE("a checkpoint with one ratio token, and one whose first ratio token has no id") {
  ModelProfile profile = profiles::instruct;
  profile.ratio_tokens = {};
  profile.ratio_tokens.append(128044, 1);
  REQUIRE(ratio_index_of(profile, 128044).has_value());  // an unchecked refusal would give 0, too
  CHECK(*ratio_index_of(profile, 128044) == 0);
  CHECK(ratio_index_of(profile, 128045).error() == Errc::not_a_ratio_token);
  profile.ratio_tokens = {};
  profile.ratio_tokens.append(RatioTokens::unknown);
  profile.ratio_tokens.append(128044, 3);
  CHECK(ratio_index_of(profile, RatioTokens::unknown).error() == Errc::not_a_ratio_token);
  CHECK(*ratio_index_of(profile, 128046) == 3);
  CHECK(verify_vocabulary(profile, [](std::string_view) { return 5; }).unknown_count == 1);
}

ModelProfile with_two_further_tokens() {
  ModelProfile profile = profiles::instruct;
  profile.further_tokens.append("<style>", 130110);
  profile.further_tokens.append("<mood>", 130111);
  return profile;
}

TEST_CASE("every further token is found, not only the first one") {
  const ModelProfile profile = with_two_further_tokens();
  REQUIRE(profile.check() == Errc::none);
  CHECK(*find_token(profile, "<style>") == 130110);
  CHECK(*find_token(profile, "<mood>") == 130111);
  CHECK(token_text(profile, 130110)->view() == "<style>");
  CHECK(token_text(profile, 130111)->view() == "<mood>");
  CHECK(token_text(profile, 130112).error() == Errc::not_a_special_token);
  CHECK(next_special_token(profile, "a <mood> b")->id == 130111);
  CHECK(next_special_token(profile, "a <mood> b")->begin == 2);
  CHECK(next_special_token(profile, "a <mood> b")->end == 8);
  CHECK_FALSE(next_special_token(profile, "no token <here"));
  CHECK_FALSE(next_special_token(profile, "<a text in angle brackets that is longer than any token>"));
}

TEST_CASE("a further token may take the text of a published one, whose id then has none") {
  for (const bool is_first : {true, false}) {
    ModelProfile profile = profiles::instruct;
    const TokenId published = *find_token(profile, "<quad>");
    profile.further_tokens.append(is_first ? "<quad>" : "<style>", 130110);
    profile.further_tokens.append(is_first ? "<style>" : "<quad>", 130111);
    REQUIRE(profile.check() == Errc::none);
    CHECK(*find_token(profile, "<quad>") == (is_first ? 130110 : 130111));
    CHECK(token_text(profile, published).error() == Errc::not_a_special_token);
    CHECK(token_text(profile, is_first ? 130110 : 130111)->view() == "<quad>");
  }
}

TEST_CASE("a checkpoint whose vocabulary ends early lacks the token at its end") {
  const TokenId end = profiles::base.special_tokens_end;
  CHECK(token_text(profiles::base, end).error() == Errc::not_a_special_token);
  CHECK(token_text(profiles::base, end - 1).has_value());
  CHECK(find_token(profiles::base, "<relation_0>").error() == Errc::not_a_special_token);
  CHECK(find_token(profiles::base, "<guidance>").has_value());
  ModelProfile shorter = profiles::base;
  shorter.special_tokens_end = profiles::base.special.guidance;
  CHECK(token_text(shorter, shorter.special.guidance).error() == Errc::not_a_special_token);
  CHECK(token_text(shorter, shorter.special.guidance - 1).has_value());
}

TEST_CASE("numbered tokens: past the end, with zeros in front, with numbers where none belong") {
  const ModelProfile& profile = profiles::instruct;
  for (const char* text : {"<relation_10>", "<pos_x_1000>", "<pos_x_01>", "<pos_x_>", "<boi1>", "<img_ratio_037>",
                           "<img_ratio_37>", "<img_size_1025>", "<img_size_2147483647>", "<img_size_2147483648>"}) {
    CHECK_MESSAGE(!find_token(profile, text).has_value(), text);
  }
  CHECK(find_token(profile, "<pos_x_999>").has_value());
  CHECK(find_token(profile, "<pos_x_0>").has_value());
}

TEST_CASE("a lookup may give the largest id there is") {
  const auto report = verify_vocabulary(profiles::instruct, [](std::string_view) { return std::int64_t{max_side}; });
  CHECK(report.missing_count == 0);
  CHECK(report.mismatch_count == report.checked_count);
  CHECK(*report.mismatches[0].found == max_side);
  const auto beyond = verify_vocabulary(profiles::instruct, [](std::string_view) { return std::int64_t{1} << 31; });
  CHECK(beyond.missing_count == beyond.checked_count);
}

TEST_CASE("rotary frequencies: what is refused, and what a rescaled base is") {
  float thetas[64];
  for (const double bad : {0.0, -2.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK(write_rope_thetas(thetas, 64, 4, 10000.0, bad) == Errc::rescale_not_positive);
    CHECK(write_rope_thetas(thetas, 64, 128, 10000.0, bad) == Errc::rescale_not_positive);
  }
  CHECK(write_rope_thetas(thetas, 64, 0, 10000.0) == Errc::head_dimension_not_multiple_of_four);
  CHECK(write_rope_table(nullptr, 0, thetas, 0, nullptr, nullptr, 0) == Errc::head_dimension_not_multiple_of_four);
  // The base grows by factor^(D / (D - 2)), so that the lowest frequency falls by exactly the factor.
  float plain[64];
  REQUIRE(write_rope_thetas(plain, 64, 128, 10000.0) == Errc::none);
  REQUIRE(write_rope_thetas(thetas, 64, 128, 10000.0, 4.0) == Errc::none);
  CHECK(plain[63] / thetas[63] == doctest::Approx(4.0).epsilon(1e-5));
  CHECK(thetas[0] == 1.0F);
  float guarded[33] = {};
  guarded[32] = 7.0F;
  REQUIRE(write_rope_thetas(guarded, 32, 64, 10000.0) == Errc::none);
  CHECK(guarded[32] == 7.0F);
}

TEST_CASE("rotary tables hold the angles of both axes, to the last row that fits") {
  const RopePosition positions[] = {{3, 5}, {7, 2}};
  const float thetas[] = {1.0F, 0.5F, 0.25F, 0.125F};
  float cosines[16], sines[16];
  CHECK(write_rope_table(positions, 2, thetas, 8, cosines, sines, 15) == Errc::buffer_too_small);
  REQUIRE(write_rope_table(positions, 2, thetas, 8, cosines, sines, 16) == Errc::none);
  const double angles[] = {3.0, 5 * 0.5, 3 * 0.25, 5 * 0.125};
  for (int k = 0; k < 4; ++k) {
    CHECK(cosines[k] == doctest::Approx(std::cos(angles[k])));
    CHECK(sines[k + 4] == doctest::Approx(std::sin(angles[k])));
  }
}

TEST_CASE("the factor of a larger grid, and what it rescales the base by") {
  ModelProfile profile = profiles::instruct;
  CHECK(rope_area_factor(profile, 4095) == 1.0);
  CHECK(rope_area_factor(profile, 4096) == 1.0);
  CHECK(rope_area_factor(profile, 8192) == 2.0);
  const ImageRun runs[] = {{{0, 4096}, ImageRunKind::generated, false, 64, 64},
                           {{5000, 17288}, ImageRunKind::generated, false, 96, 128},
                           {{20000, 28192}, ImageRunKind::generated, false, 64, 128}};
  CHECK(rope_area_factor(profile, runs, 3) == 3.0);
  CHECK(rope_area_factor(profile, runs + 1, 2) == 3.0);
  CHECK(rope_area_factor(profile, runs, 1) == 1.0);
  CHECK(rope_area_factor(profile, runs, 0) == 1.0);
  ImageRun joint = runs[1];
  joint.in_joint_block = true;
  joint.kind = ImageRunKind::vae;
  profile.conditioning_attention = ConditioningAttention::causal;  // no grid, so it does not count
  CHECK(rope_area_factor(profile, &joint, 1) == 1.0);
  profile.trained_base_size = profile.token_pixels_high();  // one token
  CHECK(rope_area_factor(profile, 2) == 2.0);
  profile.trained_base_size = profile.token_pixels_high() - 1;  // none
  CHECK(rope_area_factor(profile, 2) == 1.0);
  CHECK(rope_base_rescale(RopeScaling::none, 4.0) == 1.0);
  CHECK(rope_base_rescale(RopeScaling::area, 4.0, 0.5) == 4.0);
  CHECK(rope_base_rescale(RopeScaling::area_by_sigma, 4.0, 1.0) == doctest::Approx(4.0));
  CHECK(rope_base_rescale(RopeScaling::area_by_sigma, 4.0, 0.5) == doctest::Approx(std::sqrt(2.0)));
  CHECK(rope_base_rescale(RopeScaling::area_by_sigma, 4.0, 0.0) == 1.0);
  CHECK(rope_base_rescale(RopeScaling::area_by_sigma, 0.5, 0.5) == 1.0);
}

TEST_CASE("positions: no images, grids of one column, and the largest number of images") {
  CHECK(RopeLayout::create(profiles::instruct, nullptr, 0, 0).has_value());
  CHECK(RopeLayout::create(nullptr, 0, 0).has_value());
  CHECK(RopeLayout::create(profiles::instruct, nullptr, 0, -1).error() == Errc::negative_length);
  const ImageRun column{{10, 15}, ImageRunKind::generated, false, 5, 1};
  CHECK(RopeLayout::create(profiles::instruct, &column, 1, 20).has_value());
  const ImageRun row{{10, 15}, ImageRunKind::generated, false, 1, 5};
  CHECK(RopeLayout::create(profiles::instruct, &row, 1, 20).has_value());
  std::vector<RopeImage> images;
  for (int i = 0; i < 33; ++i) images.push_back({10 * i, 2, 2});
  CHECK(RopeLayout::create(images.data(), 32, 1000).has_value());
  const RopeImage far{-(1 << 22), 2, 2};
  CHECK(RopeLayout::create(&far, 1, 1000).error() == Errc::position_too_large);
  const auto refused = RopeLayout::create(images.data(), 33, 1000);
  CHECK(refused.error() == Errc::too_many_images);
  CHECK(refused.position() == 32);
}

std::vector<TokenId> bytes(std::string_view text) { return std::vector<TokenId>(text.begin(), text.end()); }

TEST_CASE("a sequence over its maximum says how long it is") {
  SequenceOptions options;
  options.max_length = 5;
  const std::vector<Section> sections = {Section::of_text("abc"), Section::of_text("defgh")};
  const auto row = build_sequence(profiles::instruct, sections, bytes, options);
  CHECK(row.error() == Errc::sequence_too_long);
  CHECK(row.position() == 9);
}

TEST_CASE("an error at the end of a sequence names the last section") {
  const Model model = *Model::create(profiles::instruct);
  SequenceOptions options;
  options.total_length = 20;  // cuts the image
  const std::vector<Section> sections = {Section::of_text("abc"), Section::of_image(*image_info_of_row(model, 0))};
  const auto row = build_sequence(model.profile, sections, bytes, options);
  CHECK(row.error() == Errc::clip_inside_image);
  CHECK(row.position() == 1);
}

TEST_CASE("padding fills an empty sequence of one token") {
  SequenceOptions options;
  options.add_bos = false;
  options.total_length = 1;
  options.add_pad = AddPad::yes;
  const auto row = build_sequence(profiles::instruct, {Section::of_text("")}, bytes, options);
  REQUIRE(row);
  CHECK(row->length == 1);
  CHECK(*row->first_pad_position == 0);
}

TEST_CASE("joining texts can change ids without changing their number") {
  const auto encode = [](std::string_view text) {
    std::vector<TokenId> ids;
    for (std::size_t i = 0; i < text.size(); ++i) ids.push_back(text[i] + (i > 0 && text[i - 1] == 'a' ? 1000 : 0));
    return ids;
  };
  CHECK(*joining_changes_ids(profiles::instruct, {Section::of_text("a"), Section::of_text("b")}, encode));
  CHECK_FALSE(*joining_changes_ids(profiles::instruct, {Section::of_text("b"), Section::of_text("a")}, encode));
  const auto longer = [](std::string_view text) { return std::vector<TokenId>(text.size() + 1, 7); };
  CHECK(*joining_changes_ids(profiles::instruct, {Section::of_text("a"), Section::of_text("b")}, longer));
}

TEST_CASE("a batch pads rows that are padded already") {
  SequenceOptions padded;
  padded.total_length = 10;
  padded.add_pad = AddPad::yes;
  const auto a = build_sequence(profiles::instruct, {Section::of_text("abc")}, bytes, padded);
  const auto b = build_sequence(profiles::instruct, {Section::of_text("abcdefghijklmno")}, bytes);
  REQUIRE((a && b));
  const auto batch = make_batch(profiles::instruct, {*a, *b});
  REQUIRE(batch);
  CHECK(batch->length == 16);
  CHECK(batch->rows[0].runs.size() == a->runs.size());  // its last run is longer
  CHECK(batch->rows[0].runs.back().count == 16 - 4);
  for (const TokenSequence& row : batch->rows) {
    std::vector<TokenId> ids(16, -1);
    REQUIRE(row.length == 16);
    REQUIRE(row.expand(ids.data(), ids.size()) == Errc::none);
    for (std::size_t i = 0; i < 16; ++i) {
      const bool is_padding = &row == &batch->rows[0] && i >= 4;
      CHECK((ids[i] == profiles::instruct.special.pad) == is_padding);
    }
  }
}

TEST_CASE("a followed request is read back exactly where some request gives its grid and ratio") {
  const Model model = *Model::create(profiles::instruct);
  SequenceReading reading;
  reading.grid_mode = GridMode::follow_request;
  for (const std::int32_t count : {1, 2, 6, 7, 12, 16, 30, 49, 64, 97}) {
    std::vector<bool> possible(model.group.size());
    for (std::int32_t high = 1; high <= count; ++high) {
      if (count % high != 0) continue;
      for (std::int32_t h = high * 16; h < high * 16 + 16; ++h) {
        for (std::int32_t w = count / high * 16; w < count / high * 16 + 16; ++w) {
          possible[model.group.snap({h, w})] = true;
        }
      }
    }
    for (std::size_t i = 0; i < model.group.size(); ++i) {
      const SpecialTokens& special = model.profile.special;
      std::vector<TokenId> ids = {special.bos, special.boi, *size_token_id(model.profile, 1024),
                                  *ratio_token_id(model.profile, i), special.timestep};
      ids.insert(ids.end(), static_cast<std::size_t>(count), special.img);
      ids.push_back(special.eoi);
      const auto layout = read_sequence(model.profile, ids.data(), ids.size(), reading);
      CHECK_MESSAGE(layout.has_value() == possible[i], count, " tokens, ratio ", i);
    }
  }
}

TEST_CASE("an aligned request that a checkpoint follows is read back exactly where its grid has the ratio") {
  const Model model = *Model::create(profiles::panorama);
  for (const std::int32_t count : {1, 2, 6, 12, 16, 30, 49, 64, 97, 120}) {
    std::vector<bool> possible(model.group.size());
    for (std::int32_t high = 1; high <= count; ++high) {
      if (count % high == 0) possible[model.group.snap({high * 16, count / high * 16})] = true;
    }
    for (std::size_t i = 0; i < 37; ++i) {
      const SpecialTokens& special = model.profile.special;
      std::vector<TokenId> ids = {special.bos, special.boi, *size_token_id(model.profile, 1024),
                                  *ratio_token_id(model.profile, i), special.timestep};
      ids.insert(ids.end(), static_cast<std::size_t>(count), special.img);
      ids.push_back(special.eoi);
      const auto layout = read_sequence(model.profile, ids.data(), ids.size());
      CHECK_MESSAGE(layout.has_value() == possible[i], count, " tokens, ratio ", i);
    }
  }
}

}  // namespace
