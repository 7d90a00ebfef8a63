// SPDX-License-Identifier: MIT
// Does a tokenizer agree with the profile?
#include <hunyuan_reso/vocabulary.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/expect.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

// Tokens that a checkpoint's own tokenizer has, as the published table counts them.
std::size_t table_size(const ModelProfile& profile) { return &profile == &profiles::base ? 2085 : 2110; }

std::vector<VocabularyMismatch> mismatches(const VocabularyReport& report) {
  const std::vector<VocabularyMismatch> list(report.begin(), report.end());
  CHECK(list.size() == std::min(report.mismatch_count, VocabularyReport::capacity));
  return list;
}

/// The lookup of a tokenizer that agrees with the profile but for one token.
auto agreeing_but(const ModelProfile& profile, std::string_view changed, TokenId id) {
  return [&profile, changed, id](std::string_view text) -> TokenId {
    return text == changed ? id : find_token(profile, text).value_or(-1);
  };
}

TEST_CASE("a tokenizer that agrees, whatever its lookup returns") {
  for (const ModelProfile* profile : profiles::all) {
    const auto result = [&](std::string_view text) { return find_token(*profile, text); };
    const auto integer = [&](std::string_view text) { return find_token(*profile, text).value_or(-1); };
    const auto wide = [&](std::string_view text) -> std::int64_t { return find_token(*profile, text).value_or(-1); };
    const auto optional = [&](std::string_view text) -> std::optional<TokenId> {
      const Result<TokenId> id = find_token(*profile, text);
      return id ? std::optional<TokenId>(*id) : std::nullopt;
    };
    const auto unsigned_id = [&](std::string_view text) -> std::optional<std::uint32_t> {
      const Result<TokenId> id = find_token(*profile, text);
      return id ? std::optional<std::uint32_t>(static_cast<std::uint32_t>(*id)) : std::nullopt;
    };
    const VocabularyReport reports[] = {verify_vocabulary(*profile, result), verify_vocabulary(*profile, integer),
                                        verify_vocabulary(*profile, wide), verify_vocabulary(*profile, optional),
                                        verify_vocabulary(*profile, unsigned_id)};
    for (const VocabularyReport& report : reports) {
      CHECK(report.ok());
      CHECK(static_cast<bool>(report));
      CHECK(report.checked_count == table_size(*profile));
      CHECK(report.missing_count == 0);
      CHECK(report.unknown_count == 0);
      CHECK(mismatches(report).empty());
    }
  }
}

TEST_CASE("every token is asked for once") {
  for (const ModelProfile* profile : profiles::all) {
    std::set<std::string> asked;
    std::size_t count = 0;
    (void)verify_vocabulary(*profile, [&](std::string_view text) {
      asked.emplace(text);
      ++count;
      return find_token(*profile, text);
    });
    // The panorama's token without an id is asked for, too, but not counted as checked.
    CHECK(count == table_size(*profile) + (profile == &profiles::panorama ? 1 : 0));
    CHECK(asked.size() == count);
    for (const std::string& text : asked) CHECK((find_token(*profile, text) || text == "<img_ratio_37>"));
  }
}

TEST_CASE("a missing token") {
  for (const ModelProfile* profile : profiles::all) {
    const VocabularyReport report = verify_vocabulary(*profile, agreeing_but(*profile, "<img_ratio_32>", -1));
    CHECK(!report.ok());
    CHECK(report.missing_count == 1);
    const std::vector<VocabularyMismatch> list = mismatches(report);
    REQUIRE(list.size() == 1);
    CHECK(list[0].expected == 128076);
    CHECK(list[0].found.error() == Errc::not_a_special_token);
    CHECK(list[0].text == "<img_ratio_32>");
  }
  // The base checkpoint does not need the late ones.
  CHECK(verify_vocabulary(profiles::base, agreeing_but(profiles::instruct, "<img_ratio_34>", -1)).ok());
  CHECK(!verify_vocabulary(profiles::instruct, agreeing_but(profiles::instruct, "<img_ratio_34>", -1)).ok());
}

TEST_CASE("every single token with another id is found") {
  for (const ModelProfile* profile : profiles::all) {
    for (TokenId id = 127957; id < 130108; ++id) {
      const Result<TokenText> text = token_text(*profile, id);
      if (!text) continue;
      const VocabularyReport report = verify_vocabulary(*profile, agreeing_but(*profile, *text, 5));
      const bool is_found = report.mismatch_count == 1 && report.missing_count == 0 && report.begin()->expected == id &&
                            report.begin()->found.value_or(-1) == 5;
      if (!is_found) FAIL_CHECK(profile->name << ": " << text->view());
    }
  }
}

TEST_CASE("the ids that the profile itself holds are checked") {
  const ModelProfile profile = *profiles::panorama.with_ratio_token_id(37, 130108);
  const VocabularyReport right = verify_vocabulary(profile, agreeing_but(profile, "", -1));
  CHECK(right.ok());
  CHECK(right.checked_count == 2111);
  const VocabularyReport wrong = verify_vocabulary(profile, agreeing_but(profile, "<img_ratio_37>", 5));
  CHECK(!wrong.ok());
  REQUIRE(mismatches(wrong).size() == 1);
  CHECK(mismatches(wrong)[0].expected == 130108);
  CHECK(*mismatches(wrong)[0].found == 5);
  CHECK(!verify_vocabulary(profile, agreeing_but(profile, "<img_ratio_37>", -1)).ok());
  // Without an id in the profile there is nothing to agree with; the report says that the tokenizer has one.
  const VocabularyReport unknown =
      verify_vocabulary(profiles::panorama, agreeing_but(profiles::panorama, "<img_ratio_37>", 130108));
  CHECK(unknown.ok());
  CHECK(unknown.unknown_count == 1);
}

TEST_CASE("a profile with special, size and further tokens of its own") {
  ModelProfile profile = profiles::instruct;
  profile.special.boi = 131000;
  profile.size_tokens.append(12288, 131001);
  profile.further_tokens.append("<layer>", 131002);
  profile.special_tokens_end = 131003;
  REQUIRE(profile.check() == Errc::none);
  CHECK(verify_vocabulary(profile, agreeing_but(profile, "", -1)).ok());
  CHECK(verify_vocabulary(profile, agreeing_but(profile, "", -1)).checked_count == 2112);
  const char* own[] = {"<boi>", "<img_size_12288>", "<layer>"};
  for (const char* text : own) {
    CHECK(verify_vocabulary(profile, agreeing_but(profile, text, 128000)).mismatch_count == 1);
    CHECK(verify_vocabulary(profile, agreeing_but(profile, text, -1)).missing_count == 1);
  }
  // A tokenizer of the published vocabulary lacks two of them and has another id for the third.
  const VocabularyReport published = verify_vocabulary(profile, agreeing_but(profiles::instruct, "", -1));
  CHECK(published.mismatch_count == 3);
  CHECK(published.missing_count == 2);
}

TEST_CASE("a special token that moved behind the end of the published ones is still the profile's") {
  ModelProfile profile = profiles::base;
  profile.special.img = 131000;
  REQUIRE(profile.check() == Errc::none);
  CHECK(token_text(profile, 131000).has_value());
  CHECK(*find_token(profile, "<img>") == 131000);
  CHECK(!token_text(profile, tokens::img));
  CHECK(!token_text(profile, tokens::timestep_r));  // the base release lacks it
  CHECK(verify_vocabulary(profile, agreeing_but(profile, "", -1)).checked_count == 2085);
  CHECK(verify_vocabulary(profile, agreeing_but(profile, "<img>", 5)).mismatch_count == 1);
}

TEST_CASE("the base checkpoint's tokenizer, which ends before the late tokens") {
  const auto lookup = [](std::string_view text) { return find_token(profiles::base, text).value_or(-1); };
  CHECK(verify_vocabulary(profiles::base, lookup).ok());
  const VocabularyReport report = verify_vocabulary(profiles::instruct, lookup);
  CHECK(!report.ok());
  CHECK(report.missing_count == 25);  // relations, the four late ratios, <timestep_r>
  std::set<std::string> missing;
  for (const VocabularyMismatch& mismatch : report) missing.emplace(mismatch.text.view());
  CHECK(missing.count("<timestep_r>") == 1);
  CHECK(missing.count("<img_ratio_33>") == 1);
  CHECK(missing.count("</relation_9>") == 1);
}

TEST_CASE("ratio tokens appended in one piece") {
  const auto lookup = [](std::string_view text) -> TokenId {
    for (int i = 33; i <= 36; ++i) {
      if (text == std::string_view("<img_ratio_" + std::to_string(i) + ">")) return 128044 + i;
    }
    return find_token(profiles::instruct, text).value_or(-1);
  };
  const VocabularyReport report = verify_vocabulary(profiles::instruct, lookup);
  CHECK(report.mismatch_count == 4);
  CHECK(report.missing_count == 0);
  CHECK(verify_vocabulary(profiles::base, lookup).ok());  // it has no such tokens
}

TEST_CASE("a tokenizer that reads what it does not know as id 0") {
  const auto lookup = [](std::string_view text) -> TokenId { return find_token(profiles::base, text).value_or(0); };
  const VocabularyReport report = verify_vocabulary(profiles::instruct, lookup);
  CHECK(!report.ok());
  CHECK(report.mismatch_count == 25);
  CHECK(report.missing_count == 0);
  CHECK(mismatches(report).front().found.value_or(7) == 0);
}

TEST_CASE("a tokenizer that knows nothing, and ids that fit no token id") {
  const VocabularyReport nothing = verify_vocabulary(profiles::instruct, [](std::string_view) { return -1; });
  CHECK(nothing.missing_count == 2110);
  CHECK(nothing.mismatch_count == 2110);
  CHECK(mismatches(nothing).size() == VocabularyReport::capacity);
  const auto huge = [](std::string_view) { return std::int64_t{1} << 40; };
  CHECK(verify_vocabulary(profiles::instruct, huge).missing_count == 2110);
  const auto all_ones = [](std::string_view) { return ~std::uint64_t{0}; };  // -1 in unsigned disguise
  CHECK(verify_vocabulary(profiles::instruct, all_ones).missing_count == 2110);
}

/// Every text that any token of the profile might have.
std::vector<std::string> possible_texts(const ModelProfile& profile) {
  std::vector<std::string> texts;
  for (TokenId id = 127900; id < 130200; ++id) {
    if (const auto text = token_text(profiles::instruct, id)) texts.emplace_back(text->view());
    if (const auto text = token_text(profile, id)) texts.emplace_back(text->view());
  }
  for (int i = 0; i < 70; ++i) texts.push_back("<img_ratio_" + std::to_string(i) + ">");
  for (int i = 0; i <= 8192; i += 256) texts.push_back("<img_size_" + std::to_string(i) + ">");
  for (std::size_t i = 0; i < profile.further_tokens.count; ++i) {
    texts.emplace_back(profile.further_tokens.items[i].text);
  }
  return texts;
}

TEST_CASE("a text is found if and only if it is the text of its id, also in profiles whose ids clash") {
  ModelProfile clashing[6];
  for (ModelProfile& profile : clashing) profile = profiles::instruct;
  clashing[1].further_tokens.append("<mine>", *ratio_token_id(profiles::instruct, 5));  // a ratio's id
  clashing[1].further_tokens.append("<quad>", 128080);                                  // its own text and id
  clashing[1].further_tokens.append("<pos_x_7>", 131000);                               // another token's text
  clashing[2].special.think = 128002;                                                   // that of <boa>
  clashing[2].special.answer = *size_token_id(profiles::instruct, 1024);
  clashing[3].ratio_tokens.ids[7] = clashing[3].ratio_tokens.ids[9];  // the same twice
  clashing[3].size_tokens.ids[2] = clashing[3].size_tokens.ids[4];
  clashing[4].ratio_tokens.ids[3] = 129000;  // one of <pos_x_..>
  clashing[4].special_tokens_end = 129500;
  clashing[5].special.eoi = clashing[5].special.boi;
  for (const ModelProfile& profile : clashing) {
    for (const std::string& text : possible_texts(profile)) {
      CAPTURE(text);
      const auto found = find_token(profile, text);
      if (found) {
        const auto own = token_text(profile, *found);
        REQUIRE(own);
        CHECK(own->view() == text);
      }
    }
    for (TokenId id = 127900; id < 131010; ++id) {
      const auto text = token_text(profile, id);
      if (text) CHECK(find_token(profile, text->view()).value_or(-1) == id);
    }
  }
  CHECK(!find_token(clashing[1], "<mine>"));
  CHECK(*find_token(clashing[1], "<quad>") == 128080);
  CHECK(*find_token(clashing[1], "<pos_x_7>") == 131000);
  CHECK(!find_token(clashing[2], "<boa>"));
  CHECK(!find_token(clashing[5], "<eoi>"));
}

}  // namespace
}  // namespace hunyuan_reso_test
