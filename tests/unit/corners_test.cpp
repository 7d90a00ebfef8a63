// SPDX-License-Identifier: MIT
// More that mutation testing found nobody had looked at (see edges_test.cpp): numbers half-way between two others,
// steps of the threshold's arithmetic, checks of sequences and images that only odd input reaches.
#include <hunyuan_reso/hunyuan_reso.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace hunyuan_reso;
using detail::Binary64;

constexpr std::uint64_t bit = detail::binary64_implicit_bit;

TEST_CASE("leading zeros, with a builtin and by halves") {
  volatile std::uint64_t zero = 0;
  CHECK(detail::leading_zeros(zero) == 64);
  for (int place = 0; place < 64; ++place) {
    for (const std::uint64_t below : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
      const std::uint64_t x = std::uint64_t{1} << place | (below & ((std::uint64_t{1} << place) - 1));
      CHECK(detail::leading_zeros(x) == 63 - place);
      CHECK(detail::leading_zeros_by_halves(x) == 63 - place);
    }
  }
}

TEST_CASE("a quotient half-way between two numbers goes to the even one, and to the upper one just above it") {
  const std::uint64_t whole = 2 * bit;  // from here on every second integer is a number
  CHECK(detail::divide(whole + 1, 1) == Binary64{bit, 1});
  CHECK(detail::divide(whole + 3, 1) == Binary64{bit + 2, 1});
  CHECK(detail::divide(whole + 5, 1) == Binary64{bit + 2, 1});
  CHECK(detail::divide(3 * (whole + 1) + 1, 3) == Binary64{bit + 1, 1});
  CHECK(detail::divide(3 * (whole + 3) - 1, 3) == Binary64{bit + 1, 1});
}

TEST_CASE("the order of binary64 numbers is strict") {
  CHECK_FALSE(Binary64{bit, 0} < Binary64{bit, 0});
  CHECK(Binary64{bit, 0} < Binary64{bit + 1, 0});
  CHECK(Binary64{bit + 1, 0} < Binary64{bit, 1});
  CHECK_FALSE(Binary64{bit, 1} < Binary64{bit + 1, 0});
}

TEST_CASE("sums and distances of numbers far apart") {
  for (const std::int32_t apart : {53, 54, 55, 62, 63, 64, 65, 100}) {
    const Binary64 large{bit + 2, apart}, small{bit + 1, 0};
    // At 53 the small one is just over half a unit of the large one's last place; from 54 on it is nothing.
    CHECK(detail::add(large, small) == Binary64{bit + (apart == 53 ? 3 : 2), apart});
    CHECK(detail::distance(large, small) == Binary64{bit + (apart == 53 ? 1 : 2), apart});
  }
  CHECK(detail::add({bit, 3}, Binary64{}) == Binary64{bit, 3});
  CHECK(detail::distance({bit, 3}, Binary64{}) == Binary64{bit, 3});
  CHECK(detail::to_double(Binary64{}) == 0.0);
}

TEST_CASE("powers of two divided by long division") {
  for (const std::uint64_t divisor : {std::uint64_t{1}, std::uint64_t{3}, 2 * bit + 1, 4 * bit - 1,
                                      std::uint64_t{0x2ABCDEF0123457}, std::uint64_t{0x3FEDCBA9876543}}) {
    for (std::int32_t exponent = 0; exponent <= 300; ++exponent) {
      std::uint64_t quotient = 0, rest = 1;  // modulo 2^64, as there
      for (std::int32_t i = 0; i < exponent; ++i) {
        rest *= 2;
        quotient = 2 * quotient + rest / divisor;
        rest %= divisor;
      }
      const detail::QuotientAndRest found = detail::divide_power_of_two(exponent, divisor);
      CHECK(found.quotient == quotient);
      CHECK(found.rest == rest);
    }
  }
}

TEST_CASE("extra rows: scaled from no base size, and twice of one binary64 ratio at the end of the order") {
  GroupSpec spec = profiles::instruct.group_spec(1024, ExtraScaling::scaled);
  for (const std::int32_t base_size : {0, -1024}) {
    spec.extras_base_size = base_size;
    CHECK(spec.extra(0).error() == Errc::base_size_not_positive);
  }
  spec.extras_base_size = 1;
  spec.extras = {};
  spec.extras.append({3, 2});
  CHECK(*spec.extra(0) == Resolution{3072, 2048});
  GroupSpec wide;
  wide.extras.append({500000000, 2147483647});
  wide.extras.append({49225983, 211423987});  // 2^-58 above
  CHECK(ResolutionGroup::create(wide)->size() == 34);
  GroupSpec tall;
  tall.extras.append({2147483647, 500000000});
  tall.extras.append({211423987, 49225983});
  CHECK(ResolutionGroup::create(tall)->size() == 34);
}

TEST_CASE("a full group ends where its rows end") {
  const Resolution rows[] = {{1, 1}, {2, 1}};
  const auto group = BasicResolutionGroup<2>::from_rows(rows, 2);
  REQUIRE(group);
  CHECK((*group)[1] == Resolution{2, 1});
  CHECK((*group)[group->size()] == Resolution{});
  CHECK(group->threshold_place(group->threshold_count()) == 0);
  CHECK(group->threshold(group->threshold_count()).last == Resolution{});
  CHECK(group->snap({max_side, 1}) == 1);
  CHECK(group->snap({1, max_side}) == 0);
}

TEST_CASE("trained rows: extra rows that the group drops, and the largest base size") {
  ModelProfile profile = profiles::base;
  profile.extras.append({2048, 2048});  // the square's ratio
  CHECK_FALSE(detail::is_trained_row(profile, {2048, 2048}));
  profile.extras.append({4000, 1000});  // that of the last row of an arm
  CHECK_FALSE(detail::is_trained_row(profile, {4000, 1000}));
  CHECK(make_group(profile)->size() == 33);
  profile.extras = {};
  for (const Resolution row : {Resolution{3000, 1000}, Resolution{5000, 1000}, Resolution{10000, 2000}}) {
    profile.extras.append(row);
  }
  CHECK(detail::is_trained_row(profile, {5000, 1000}));
  CHECK_FALSE(detail::is_trained_row(profile, {10000, 2000}));  // the second one's ratio
  profile.trained_base_size = max_side / 2;
  CHECK(detail::is_trained_row(profile, {max_side / 2, max_side / 2}));
  profile.ratio_tokens = {};
  profile.ratio_tokens.append(tokens::first_ratio, 5);
  const auto model = Model::create(profile, 1024);
  REQUIRE(model);
  CHECK(image_info_of_row(*model, 4)->trained.ratio_token);
  CHECK_FALSE(image_info_of_row(*model, 5)->trained.ratio_token);
}

TEST_CASE("the first base size of a ladder may be the trained one") {
  ModelProfile profile = profiles::instruct;
  profile.size_tokens = {};
  profile.size_tokens.append(1024, 128037);
  profile.size_tokens.append(2048, 128039);
  CHECK(*base_size_by_area(profile, {1024, 1024}) == 1024);
  CHECK(*base_size_by_area(profile, {2048, 2048}) == 2048);
}

std::vector<TokenId> bytes(std::string_view text) { return std::vector<TokenId>(text.begin(), text.end()); }

TEST_CASE("an image's tokens are those of its grid, of which only a ViT run has more") {
  ImageInfo image = *image_info_of_row(model_for<profiles::instruct>, 16);
  ++image.image_token_length;
  const auto row = build_sequence(profiles::instruct, {Section::of_image(image)}, bytes);
  CHECK(row.error() == Errc::image_token_count_mismatch);
}

TEST_CASE("an encoder is not asked for the empty texts beside special tokens") {
  const auto encode = [](std::string_view text) { return std::vector<TokenId>(text.size() + 1, 7); };
  const auto ids = with_special_tokens(profiles::instruct, encode)("<boi><eoi>");
  CHECK(ids == std::vector<TokenId>{tokens::boi, tokens::eoi});
}

TEST_CASE("a reused prefix ends within the first run that differs") {
  const auto row = [](const char* text) {
    return *build_sequence(profiles::instruct, {Section::of_text(text)}, bytes);
  };
  CHECK(reusable_prefix(row("aaab"), row("aab")) == 1 + 2);
  CHECK(reusable_prefix(row("aab"), row("aaab")) == 1 + 2);
  CHECK(reusable_prefix(row("aab"), row("aab")) == row("aab").length);
}

TEST_CASE("a row as long as it shall be has no padding") {
  SequenceOptions options;
  options.total_length = 4;
  options.add_pad = AddPad::yes;
  const auto row = build_sequence(profiles::instruct, {Section::of_text("abc")}, bytes, options);
  REQUIRE(row);
  CHECK(row->length == 4);
  CHECK_FALSE(row->first_pad_position.has_value());
}

TEST_CASE("images of two base sizes in one sequence are each read by their own") {
  std::vector<Section> sections;
  for (const std::int32_t base_size : {1024, 512, 1024, 512}) {
    sections.push_back(Section::of_image(*image_info_of_row(*Model::create(profiles::instruct, base_size), 20)));
  }
  const auto row = build_sequence(profiles::instruct, sections, bytes);
  REQUIRE(row);
  std::vector<TokenId> ids(static_cast<std::size_t>(row->length));
  REQUIRE(row->expand(ids.data(), ids.size()) == Errc::none);
  const auto layout = read_sequence(profiles::instruct, ids.data(), ids.size());
  REQUIRE(layout);
  REQUIRE(layout->image_runs.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(layout->image_runs[i].token_height == sections[i].image.token_height);
    CHECK(layout->image_runs[i].token_width == sections[i].image.token_width);
  }
}

TEST_CASE("a size token whose base size makes no group is refused where it stands") {
  ModelProfile profile = profiles::instruct;
  profile.size_tokens.append(1000, 130110);  // no multiple of 16
  REQUIRE(profile.check() == Errc::none);
  const TokenId ids[] = {tokens::bos,      tokens::boi, 130110,     *ratio_token_id(profile, 3),
                         tokens::timestep, tokens::img, tokens::eoi};
  const auto layout = read_sequence(profile, ids, 7);
  CHECK(layout.error() == Errc::base_size_not_aligned);
  CHECK(layout.position() == 2);
}

TEST_CASE("a followed request's grid may be as long as sides are, and no longer") {
  // Numbers of tokens that are prime: the grids are one row and one column.
  const auto grid = [](std::int32_t token_pixels, bool is_column, std::int32_t count, bool aligned) {
    ModelProfile profile = profiles::instruct;
    profile.vae_downsample_height = profile.vae_downsample_width = token_pixels;
    const ResolutionGroup& group = group_for<profiles::instruct>;
    const std::size_t ratio_index = group.snap(is_column ? Resolution{4, 1} : Resolution{1, 4});
    return detail::followed_grid(profile, group, ratio_index, count, aligned);
  };
  for (const bool is_column : {false, true}) {
    const auto line = [&](std::int32_t count) { return is_column ? Resolution{count, 1} : Resolution{1, count}; };
    for (const bool aligned : {false, true}) {
      CHECK(*grid(4096, is_column, 524287, aligned) == line(524287));  // 2^31 - 4096 pixels, up to 4095 more
      CHECK(grid(4096, is_column, 524309, aligned).error() == Errc::image_token_count_mismatch);
    }
    REQUIRE(std::int64_t{2117833} * 1014 <= max_side);
    CHECK(*grid(1014, is_column, 2117833, true) == line(2117833));
    CHECK(grid(1014, is_column, 2117833, false).error() ==
          Errc::image_token_count_mismatch);  // a request may be longer
  }
}

TEST_CASE("a sequence has at most 2^31 - 1 tokens") {
  SequenceOptions options;
  options.add_bos = false;
  options.add_eos = AddEos::no;
  options.max_length = max_side;
  const auto image = [](std::int64_t block) {  // one that takes `block` tokens, and does not state its grid
    ImageInfo info = *image_info_of_row(model_for<profiles::instruct>, 16);
    info.image_token_length = block - 5;
    info.token_height = info.token_width = 0;
    return Section::of_image(info);
  };
  const auto length = [&](const std::vector<Section>& sections) {
    const auto row = build_sequence(profiles::instruct, sections, bytes, options);
    if (!row) return std::pair<Errc, std::int64_t>{row.error(), static_cast<std::int64_t>(row.position())};
    std::int64_t tokens = 0;
    for (const TokenRun& run : row->runs) tokens += run.count;
    CHECK(tokens == row->length);
    return std::pair<Errc, std::int64_t>{Errc::none, row->length};
  };
  const std::int64_t most = max_side;
  const auto fits = std::pair<Errc, std::int64_t>{Errc::none, most};
  const auto too_long = [](std::int64_t tokens) {
    return std::pair<Errc, std::int64_t>{Errc::sequence_too_long, tokens};
  };
  CHECK(length({image(most)}) == fits);
  CHECK(length({image(most + 1)}) == too_long(most + 1));
  CHECK(length({image(most + 5)}) == too_long(most + 5));
  CHECK(length({image(most + 6)}) == too_long(most + 1));  // a run that is too long by itself is not written
  CHECK(length({image(most - 100), image(100)}) == fits);
  CHECK(length({image(most - 100), image(101)}) == too_long(most + 1));
  CHECK(length({image(most - 3), Section::of_text("abc")}) == fits);
  CHECK(length({image(most - 3), Section::of_text("abcd")}) == too_long(most + 1));
  CHECK(length({image(most), image(most)}) == too_long(2 * most));
  options.add_eos = AddEos::yes;
  CHECK(length({image(most - 1)}) == fits);
  CHECK(length({image(most)}) == too_long(most + 1));
}

TEST_CASE("rows of a batch that somebody made by hand") {
  const TokenId pad = profiles::instruct.special.pad;
  const auto row = [](std::int32_t length, std::vector<TokenRun> runs) {
    TokenSequence sequence;
    sequence.length = length;
    sequence.runs = std::move(runs);
    return sequence;
  };
  const auto batch = make_batch(profiles::instruct, {row(5, {{7, 5}}),              // the longest
                                                     row(1, {{7, 1}}),              // one token
                                                     row(-3, {}),                   // a length that is none
                                                     row(3, {{pad, 3}}),            // nothing but padding
                                                     row(3, {{7, 1}, {pad, 9}}),    // more padding than tokens
                                                     row(4, {{7, 2}, {pad, 2}})});  // padding that goes on
  REQUIRE(batch.has_value());
  CHECK(batch->length == 5);
  const auto padding = [&](std::size_t i) { return batch->rows[i].first_pad_position; };
  using Runs = std::vector<std::pair<TokenId, std::int32_t>>;
  const auto runs = [&](std::size_t i) {
    Runs found;
    for (const TokenRun& run : batch->rows[i].runs) found.emplace_back(run.id, run.count);
    return found;
  };
  for (const TokenSequence& padded : batch->rows) CHECK(padded.length == 5);
  CHECK_FALSE(padding(0).has_value());
  CHECK(runs(0) == Runs{{7, 5}});
  CHECK(*padding(1) == 1);
  CHECK(runs(1) == Runs{{7, 1}, {pad, 4}});
  CHECK(*padding(2) == 0);
  CHECK(runs(2) == Runs{{pad, 5}});
  CHECK(runs(3) == Runs{{pad, 5}});
  CHECK(runs(4) == Runs{{7, 1}, {pad, 9}, {pad, 2}});
  CHECK(runs(5) == Runs{{7, 2}, {pad, 3}});
}

TEST_CASE("a position at the end of 32 bits has no slice behind it") {
  TokenLayout layout;
  for (const std::int32_t position : {max_side, max_side - 1}) {
    layout.gen_timestep_positions = {position};
    CHECK(*refeed_slices(profiles::instruct, layout) == std::vector<Slice>{{position, max_side}});
  }
}

}  // namespace
