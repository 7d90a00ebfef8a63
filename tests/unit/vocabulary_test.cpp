// SPDX-License-Identifier: MIT
// Does a tokenizer agree with the table?
#include <hunyuan_reso/vocabulary.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/expect.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

constexpr std::size_t table_size = VocabularyReport::table_size;

std::vector<VocabularyMismatch> mismatches(const VocabularyReport& report) {
  std::vector<VocabularyMismatch> list;
  report.for_each_mismatch([&](const VocabularyMismatch& mismatch) { list.push_back(mismatch); });
  CHECK(list.size() == report.mismatch_count());
  for (std::size_t i = 1; i < list.size(); ++i) CHECK(list[i - 1].expected < list[i].expected);
  return list;
}

TEST_CASE("a tokenizer that agrees, whatever its lookup returns") {
  const auto optional = [](std::string_view text) { return find_token(text); };
  const auto integer = [](std::string_view text) { return find_token(text).value_or(-1); };
  const auto wide = [](std::string_view text) -> std::int64_t { return find_token(text).value_or(-1); };
  const auto unsigned_id = [](std::string_view text) -> std::optional<std::uint32_t> {
    return static_cast<std::uint32_t>(*find_token(text));
  };
  for (const ModelProfile* profile : {&profiles::base, &profiles::instruct, &profiles::panorama}) {
    const VocabularyReport reports[] = {verify_vocabulary(*profile, optional), verify_vocabulary(*profile, integer),
                                        verify_vocabulary(*profile, wide), verify_vocabulary(*profile, unsigned_id)};
    for (const VocabularyReport& report : reports) {
      CHECK(report.ok());
      CHECK(static_cast<bool>(report));
      CHECK(report.checked_count() == table_size);
      CHECK(report.missing_count() == 0);
      CHECK(report.optional_missing_count() == 0);
      CHECK(mismatches(report).empty());
    }
  }
}

TEST_CASE("every token is asked for once, in ascending order of ids") {
  std::vector<std::string> asked;
  (void)verify_vocabulary(profiles::instruct, [&](std::string_view text) {
    asked.emplace_back(text);
    return find_token(text);
  });
  REQUIRE(asked.size() == 2110);
  for (std::size_t i = 1; i < asked.size(); ++i) CHECK(find_token(asked[i - 1]) < find_token(asked[i]));
}

TEST_CASE("a missing token") {
  const auto lookup = [](std::string_view text) { return text == "<img_ratio_34>" ? std::nullopt : find_token(text); };
  const VocabularyReport report = verify_vocabulary(profiles::instruct, lookup);
  CHECK(!report.ok());
  CHECK(report.missing_count() == 1);
  const std::vector<VocabularyMismatch> list = mismatches(report);
  REQUIRE(list.size() == 1);
  CHECK(list[0].expected == 130104);
  CHECK(list[0].found == invalid_token_id);
  CHECK(list[0].text == "<img_ratio_34>");
  // The base checkpoint does not need it.
  const VocabularyReport base = verify_vocabulary(profiles::base, lookup);
  CHECK(base.ok());
  CHECK(base.missing_count() == 0);
  CHECK(base.optional_missing_count() == 1);
}

TEST_CASE("a token with another id") {
  const auto lookup = [](std::string_view text) { return text == "<boi>" ? TokenId{5} : *find_token(text); };
  for (const ModelProfile* profile : {&profiles::base, &profiles::instruct}) {
    const std::vector<VocabularyMismatch> list = mismatches(verify_vocabulary(*profile, lookup));
    REQUIRE(list.size() == 1);
    CHECK(list[0].expected == tokens::boi);
    CHECK(list[0].found == 5);
  }
}

TEST_CASE("the base checkpoint's tokenizer, which ends before the late tokens") {
  const auto lookup = [](std::string_view text) -> std::optional<TokenId> {
    const std::optional<TokenId> id = find_token(text);
    return id && *id < 130103 ? id : std::nullopt;
  };
  CHECK(verify_vocabulary(profiles::base, lookup).ok());
  CHECK(verify_vocabulary(profiles::base, lookup).optional_missing_count() == 5);
  const VocabularyReport report = verify_vocabulary(profiles::instruct, lookup);
  CHECK(!report.ok());
  CHECK(report.missing_count() == 5);
  CHECK(mismatches(report).front().text == "<img_ratio_33>");
  CHECK(mismatches(report).back().text == "<timestep_r>");
}

TEST_CASE("ratio tokens appended in one piece: an optional token may be missing, not different") {
  const auto lookup = [](std::string_view text) -> TokenId {
    for (int i = 33; i <= 36; ++i) {
      if (text == std::string_view("<img_ratio_" + std::to_string(i) + ">")) return 128044 + i;
    }
    return *find_token(text);
  };
  for (const ModelProfile* profile : {&profiles::base, &profiles::instruct}) {
    const VocabularyReport report = verify_vocabulary(*profile, lookup);
    CHECK(report.mismatch_count() == 4);
    CHECK(report.missing_count() == 0);
  }
}

TEST_CASE("a tokenizer that reads what it does not know as id 0") {
  const auto lookup = [](std::string_view text) -> TokenId {
    const std::optional<TokenId> id = find_token(text);
    return id && *id < 130103 ? *id : 0;
  };
  const VocabularyReport report = verify_vocabulary(profiles::base, lookup);
  CHECK(!report.ok());
  CHECK(report.mismatch_count() == 5);
  CHECK(mismatches(report).front().found == 0);
}

TEST_CASE("a tokenizer that knows nothing, and ids that fit no token id") {
  const VocabularyReport nothing = verify_vocabulary(profiles::instruct, [](std::string_view) { return -1; });
  CHECK(nothing.missing_count() == table_size);
  CHECK(nothing.mismatch_count() == table_size);
  const auto huge = [](std::string_view) { return std::int64_t{1} << 40; };
  CHECK(verify_vocabulary(profiles::instruct, huge).missing_count() == table_size);
  const auto all_ones = [](std::string_view) { return ~std::uint64_t{0}; };  // -1 in unsigned disguise
  CHECK(verify_vocabulary(profiles::instruct, all_ones).missing_count() == table_size);
}

}  // namespace
}  // namespace hunyuan_reso_test
