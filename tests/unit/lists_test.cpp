// SPDX-License-Identifier: MIT
// Lists that are empty, full, or were given more than they hold, and inputs that end where their memory ends: the
// sanitizers see whether anything past the end is looked at (tests/mutation builds this file with them).
#include <hunyuan_reso/hunyuan_reso.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace {

using namespace hunyuan_reso;

/// `size()` never says more than there is.
template <class List, class Append>
void check_size(Append append) {
  List list;
  for (std::size_t given = 0; given < List::capacity + 3; ++given) {
    CHECK(list.size() == (given < List::capacity ? given : List::capacity));
    append(list, static_cast<std::int32_t>(given));
  }
  CHECK(list.size() == List::capacity);
  CHECK(list.count == List::capacity + 1);  // which the checks refuse
  list.count = static_cast<std::size_t>(-1);
  CHECK(list.size() == List::capacity);
}

TEST_CASE("lists hold no more than they have room for") {
  check_size<ExtraRows>([](ExtraRows& list, std::int32_t i) { list.append({i + 1, 1}); });
  check_size<SizeTokens>([](SizeTokens& list, std::int32_t i) { list.append(i + 1, i); });
  check_size<RatioTokens>([](RatioTokens& list, std::int32_t i) { list.append(i); });
  check_size<FurtherTokens>([](FurtherTokens& list, std::int32_t i) { list.append("<a>", i); });
}

/// All lists full, and `over` more than that.
ModelProfile full_profile(int over) {
  ModelProfile profile = profiles::instruct;
  profile.size_tokens = {};
  for (int i = 0; i < 16 + over; ++i) profile.size_tokens.append(1024 + 16 * i, 1000 + i);
  profile.ratio_tokens = {};
  for (int i = 0; i < 64 + over; ++i) profile.ratio_tokens.append(2000 + 2 * i);
  static const char* const texts[] = {"<a>", "<b>", "<c>", "<d>", "<e>", "<f>", "<g>", "<h>", "<i>"};
  for (int i = 0; i < 8 + over; ++i) profile.further_tokens.append(texts[i], 3000 + i);
  profile.extras = {};
  for (int i = 0; i < 32 + over; ++i) profile.extras.append({4000 + 7 * i, 1000});
  return profile;
}

TEST_CASE("full and overfull profiles: the last entries are found, and nothing behind them") {
  for (const int over : {0, 1}) {
    const auto profile = std::make_unique<ModelProfile>(full_profile(over));  // its end is that of its memory
    CHECK((profile->check() == Errc::none) == (over == 0));
    CHECK(*size_token_id(*profile, 1024 + 16 * 15) == 1015);
    CHECK(size_token_id(*profile, 1024 + 16 * 16).error() == Errc::unknown_base_size);
    CHECK(*base_size_of(*profile, 1015) == 1024 + 16 * 15);
    CHECK(base_size_of(*profile, 1016).error() == Errc::not_a_size_token);
    CHECK(*ratio_token_id(*profile, 63) == 2126);
    CHECK(ratio_token_id(*profile, 64).error() == Errc::ratio_index_out_of_range);
    CHECK(*ratio_index_of(*profile, 2126) == 63);
    CHECK(ratio_index_of(*profile, 2128).error() == Errc::not_a_ratio_token);
    CHECK(token_text(*profile, 3007)->view() == "<h>");
    CHECK(token_text(*profile, 3008).error() == Errc::not_a_special_token);
    CHECK(*find_token(*profile, "<h>") == 3007);
    CHECK(find_token(*profile, "<i>").error() == Errc::not_a_special_token);
    CHECK(detail::is_trained_row(*profile, {4000 + 7 * 31, 1000}));
    CHECK_FALSE(detail::is_trained_row(*profile, {4000 + 7 * 32, 1000}));
    CHECK(base_size_by_area(*profile, {8000, 8000}).error() == Errc::no_size_token);
    const GroupSpec spec = profile->group_spec(1024, ExtraScaling::absolute);
    CHECK(*spec.extra(31) == Resolution{4000 + 7 * 31, 1000});
    CHECK(spec.extra(32).error() == Errc::too_many_extras);
    CHECK(spec.check() == (over == 0 ? Errc::none : Errc::too_many_extras));
    // Each token of the profile once, and of the published ones those below its end.
    std::vector<TokenId> asked;
    const auto report = verify_vocabulary(*profile, [&](std::string_view text) {
      asked.push_back(*find_token(*profile, text));
      return asked.back();
    });
    CHECK(report.ok());
    for (const TokenId id : {1000, 1015, 2000, 2126, 3000, 3007}) {
      CHECK(std::count(asked.begin(), asked.end(), id) == 1);
    }
    const TokenId ids[] = {profile->special.bos, 1015, 2126, 3007};
    const auto layout = read_sequence(*profile, ids, 4);
    CHECK(layout.error() == Errc::token_outside_image);
    CHECK(layout.position() == 1);
  }
}

TEST_CASE("what an entry that nobody filled holds is no token, no size and no row") {
  for (const ModelProfile* profile : profiles::all) {
    CHECK(size_token_id(*profile, 0).error() == Errc::unknown_base_size);
    CHECK(base_size_of(*profile, 0).error() == Errc::not_a_size_token);
    CHECK(ratio_index_of(*profile, 0).error() == Errc::not_a_ratio_token);
    CHECK(token_text(*profile, 0).error() == Errc::not_a_special_token);
    CHECK(find_token(*profile, "").error() == Errc::not_a_special_token);
    CHECK_FALSE(profile->extras.contains({0, 0}));
    CHECK_FALSE(detail::is_trained_row(*profile, {0, 0}));
    CHECK(profile->group_spec(1024, ExtraScaling::absolute).extra(profile->extras.count).error() ==
          Errc::too_many_extras);
    CHECK(next_special_token(*profile, "<").error() == Errc::not_a_special_token);
    CHECK(next_special_token(*profile, "< <b").position() == 4);
  }
}

TEST_CASE("a conditioning image of no size is refused by every kind of encoder") {
  for (const auto type : {ConditioningImageType::vae, ConditioningImageType::vit, ConditioningImageType::vae_vit}) {
    ModelProfile profile = profiles::instruct;
    profile.conditioning_image_type = type;
    const Result<Model> model = Model::create(profile);
    for (const Resolution size : {Resolution{0, 5}, Resolution{5, 0}, Resolution{-1, -1}}) {
      CHECK(build_cond_image_info(*model, size).error() == Errc::side_not_positive);
    }
  }
  CHECK(base_size_by_area(profiles::instruct, {0, 5}).error() == Errc::side_not_positive);
  CHECK(base_size_by_area(profiles::instruct, {-5, -5}).error() == Errc::side_not_positive);
}

TEST_CASE("sequences are read to their end and not further") {
  const Model& model = model_for<profiles::instruct>;
  const SpecialTokens& special = model.profile.special;
  std::vector<TokenId> whole = {
      special.bos,     7, special.boi, *size_token_id(model.profile, 1024), *ratio_token_id(model.profile, 16),
      special.timestep};
  whole.insert(whole.end(), 4096, special.img);
  whole.push_back(special.eoi);
  const std::size_t without_padding = whole.size();
  whole.insert(whole.end(), 3, special.pad);
  for (const std::size_t count :
       {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{4}, std::size_t{5}, std::size_t{6},
        std::size_t{7}, without_padding - 1, without_padding, without_padding + 1, whole.size()}) {
    const std::vector<TokenId> ids(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(count));
    const auto layout = read_sequence(model.profile, ids.data(), ids.size());
    const bool ends_well = count <= 6 || count >= without_padding;  // before, or behind, the image's tokens
    CHECK_MESSAGE(layout.has_value() == (count > 0 && ends_well), count);
  }
}

TEST_CASE("equal sequences are compared to their end and not further") {
  const auto encode = [](std::string_view text) { return std::vector<TokenId>(text.begin(), text.end()); };
  const auto sequence = build_sequence(profiles::instruct, {Section::of_text("abc")}, encode);
  REQUIRE(sequence);
  const TokenSequence copy = *sequence;  // its vector has room for its runs alone
  CHECK(reusable_prefix(copy, copy) == sequence->length);
}

TEST_CASE("batches are read to their end and not further") {
  for (const std::size_t count : {std::size_t{255}, std::size_t{256}, std::size_t{257}, std::size_t{512}}) {
    const std::vector<std::int32_t> heights(count, 720), widths(count, 1280);
    std::vector<std::uint8_t> indices(count);
    snap_batch(group_for<profiles::instruct>, widths.data(), heights.data(), indices.data(), count);
    CHECK(std::count(indices.begin(), indices.end(), 36) == static_cast<std::ptrdiff_t>(count));
    const auto histogram = snap_histogram(group_for<profiles::instruct>, widths.data(), heights.data(), count);
    CHECK(histogram.total() == count);
    CHECK(histogram.counts[36] == count);
  }
}

}  // namespace
