// SPDX-License-Identifier: MIT
// The table of written down once more, and both directions over the whole vocabulary.
#include <hunyuan_reso/vocabulary.hpp>

#include <map>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

constexpr bool named_tokens() {
  EXPECT(tokens::eos == 127957 && tokens::bos == 127958);
  EXPECT(tokens::boi == 128000 && tokens::eoi == 128001 && tokens::img == 128006);
  EXPECT(tokens::pad == 128009 && tokens::cfg == 128010 && tokens::timestep == 128017);
  EXPECT(tokens::recaption == 128018 && tokens::end_recaption == 128019);
  EXPECT(tokens::think == 128023 && tokens::end_think == 128024);
  EXPECT(tokens::answer == 128025 && tokens::end_answer == 128026);
  EXPECT(tokens::joint_img_sep == 128077 && tokens::guidance == 130082 && tokens::timestep_r == 130107);
  return true;
}
BOTH_TIMES(named_tokens)

constexpr bool texts_of_named_tokens() {
  for (const ModelProfile* profile : profiles::all) {
    const auto is_named = [profile](TokenId id, std::string_view text) {
      const Result<TokenText> found = token_text(*profile, id);
      return found && *found == text && find_token(*profile, text).value_or(-1) == id;
    };
    EXPECT(is_named(tokens::eos, "<|endoftext|>") && is_named(tokens::bos, "<|startoftext|>"));
    EXPECT(is_named(tokens::boi, "<boi>") && is_named(tokens::eoi, "<eoi>") && is_named(tokens::img, "<img>"));
    EXPECT(is_named(tokens::pad, "<pad>") && is_named(tokens::cfg, "<cfg>"));
    EXPECT(is_named(tokens::timestep, "<timestep>") && is_named(tokens::guidance, "<guidance>"));
    EXPECT(is_named(tokens::timestep_r, "<timestep_r>") == (profile != &profiles::base));
    EXPECT(is_named(tokens::recaption, "<recaption>") && is_named(tokens::end_recaption, "</recaption>"));
    EXPECT(is_named(tokens::think, "<think>") && is_named(tokens::end_think, "</think>"));
    EXPECT(is_named(tokens::answer, "<answer>") && is_named(tokens::end_answer, "</answer>"));
    EXPECT(is_named(tokens::joint_img_sep, "<joint_img_sep>"));
  }
  return true;
}
BOTH_TIMES(texts_of_named_tokens)

constexpr bool ratio_tokens_are_not_contiguous() {
  EXPECT(*ratio_token_id(profiles::instruct, 0) == 128044);
  EXPECT(*ratio_token_id(profiles::instruct, 32) == 128076);
  EXPECT(*ratio_token_id(profiles::instruct, 33) == 130103);
  EXPECT(*ratio_token_id(profiles::instruct, 36) == 130106);
  EXPECT(*ratio_index_of(profiles::instruct, 130103) == 33);
  EXPECT(ratio_token_id(profiles::instruct, 37).error() == Errc::ratio_index_out_of_range);
  EXPECT(ratio_token_id(profiles::base, 33).error() == Errc::ratio_index_out_of_range);
  EXPECT(ratio_token_id(profiles::instruct, static_cast<std::size_t>(-1)).error() == Errc::ratio_index_out_of_range);
  const TokenId others[] = {128077, 130102, 130107, 0, -1, max_side, -max_side - 1};
  for (const TokenId id : others) {
    for (const ModelProfile* profile : profiles::all) {
      EXPECT(ratio_index_of(*profile, id).error() == Errc::not_a_ratio_token);
    }
  }
  EXPECT(!ratio_index_of(profiles::base, 130103));
  return true;
}
BOTH_TIMES(ratio_tokens_are_not_contiguous)

constexpr bool the_panorama_token_needs_an_id() {
  EXPECT(ratio_token_id(profiles::panorama, 37).error() == Errc::ratio_token_id_unknown);
  EXPECT(ratio_token_id(profiles::panorama, 38).error() == Errc::ratio_index_out_of_range);
  EXPECT(find_token(profiles::panorama, "<img_ratio_37>").error() == Errc::ratio_token_id_unknown);
  EXPECT(find_token(profiles::instruct, "<img_ratio_37>").error() == Errc::ratio_index_out_of_range);
  const ModelProfile profile = *profiles::panorama.with_ratio_token_id(37, 130108);
  EXPECT(*ratio_token_id(profile, 37) == 130108);
  EXPECT(*ratio_index_of(profile, 130108) == 37);
  EXPECT(*token_text(profile, 130108) == "<img_ratio_37>");
  EXPECT(*find_token(profile, "<img_ratio_37>") == 130108);
  return true;
}
BOTH_TIMES(the_panorama_token_needs_an_id)

constexpr bool generated_ratio() {
  EXPECT(*generated_ratio_index(profiles::instruct, 130106) == 36);
  EXPECT(*generated_ratio_index(profiles::base, 128044) == 0);
  EXPECT(*generated_ratio_index(profiles::base, 128076) == 32);
  // the base release takes 1:1 for anything else, the later ones have no fallback
  EXPECT(*generated_ratio_index(profiles::base, 130106) == 16);
  EXPECT(*generated_ratio_index(profiles::base, -1) == 16);
  const TokenId others[] = {tokens::eos, -1, 36};  // an index is no id
  for (const TokenId id : others) {
    EXPECT(generated_ratio_index(profiles::instruct, id).error() == Errc::not_a_ratio_token);
  }
  return true;
}
BOTH_TIMES(generated_ratio)

constexpr bool last_ratio_of_a_stream() {
  const TokenId ids[] = {128044, 5, 130106, 128060, tokens::eos};
  EXPECT(*last_ratio_index(profiles::instruct, ids, 5) == 16);
  EXPECT(*last_ratio_index(profiles::instruct, ids, 3) == 36);
  EXPECT(*last_ratio_index(profiles::base, ids, 3) == 0);
  EXPECT(*last_ratio_index(profiles::instruct, ids, 1) == 0);
  EXPECT(last_ratio_index(profiles::instruct, ids, 0).error() == Errc::no_ratio_token);
  EXPECT(last_ratio_index(profiles::instruct, nullptr, 0).error() == Errc::no_ratio_token);
  EXPECT(last_ratio_index(profiles::instruct, ids + 4, 1).error() == Errc::no_ratio_token);
  const TokenId unknown[] = {RatioTokens::unknown};
  EXPECT(last_ratio_index(profiles::panorama, unknown, 1).error() == Errc::no_ratio_token);
  return true;
}
BOTH_TIMES(last_ratio_of_a_stream)

constexpr bool size_tokens() {
  const std::int32_t sizes[] = {256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192};
  for (const ModelProfile* profile : profiles::all) {
    for (TokenId i = 0; i < 10; ++i) {
      EXPECT(*size_token_id(*profile, sizes[i]) == 128034 + i);
      EXPECT(*base_size_of(*profile, 128034 + i) == sizes[i]);
    }
    const std::int32_t others[] = {0, -1, 1, 255, 257, 1000, 1280, 16384, max_side, -max_side - 1};
    for (const std::int32_t other : others) {
      EXPECT(size_token_id(*profile, other).error() == Errc::unknown_base_size);
    }
    const TokenId ids[] = {0, -1, 128033, 128044, 133119, max_side, -max_side - 1};
    for (const TokenId other : ids) EXPECT(base_size_of(*profile, other).error() == Errc::not_a_size_token);
  }
  return true;
}
BOTH_TIMES(size_tokens)

// Lists that hold more than fits are cut, never read past their ends.
constexpr bool overfull_lists() {
  ModelProfile profile = profiles::instruct;
  profile.ratio_tokens.append(131000, 100);
  profile.size_tokens.count = static_cast<std::size_t>(-1);
  profile.further_tokens.count = 1000;
  EXPECT(ratio_token_count(profile) == RatioTokens::capacity);
  EXPECT(*ratio_token_id(profile, 63) == 131026);
  EXPECT(ratio_token_id(profile, 64).error() == Errc::ratio_index_out_of_range);
  EXPECT(ratio_index_of(profile, 131027).error() == Errc::not_a_ratio_token);
  EXPECT(!size_token_id(profile, 5) && !base_size_of(profile, 5));
  EXPECT(!token_text(profile, 131027) && !find_token(profile, "<img_ratio_64>"));
  return true;
}
BOTH_TIMES(overfull_lists)

constexpr bool texts_end_in_zero() {
  FixedText<5> text;
  EXPECT(text.c_str()[0] == '\0');
  text.append("abc").append_number(1234);
  EXPECT(text == "abc12" && text.size() == 5);  // what does not fit is cut off
  EXPECT(std::string_view(text.c_str()) == "abc12");
  EXPECT(std::string_view(token_text(profiles::base, tokens::img)->c_str()) == "<img>");
  return true;
}
BOTH_TIMES(texts_end_in_zero)

constexpr bool texts_that_are_no_tokens() {
  const std::string_view texts[] = {"",
                                    "<",
                                    ">",
                                    "5>",
                                    "55>",
                                    "<5>",
                                    "<im5>",
                                    "<img5>",
                                    "<img>5>",
                                    "<img>0>",
                                    "<img_ratio_",
                                    "<img_size_",
                                    "<pos_x_",
                                    "<pos_x_>",
                                    "<|endoftext|>1>",
                                    "img",
                                    "<img",
                                    "<img>>",
                                    " <img>",
                                    "<img> ",
                                    "<IMG>",
                                    "<img_ratio_>",
                                    "<img_ratio_37>",
                                    "<img_ratio_05>",
                                    "<img_ratio_-1>",
                                    "<img_ratio_5",
                                    "<img_ratio_5>>",
                                    "<img_ratio_5 >",
                                    "<img_ratio_4294967296>",
                                    "<img_ratio_99999999999999999999999999>",
                                    "<img_size_>",
                                    "<img_size_1000>",
                                    "<img_size_01024>",
                                    "<img_size_9217>",
                                    "<img_size_1024",
                                    "<img_size_99999999999999999999999999>",
                                    "<pos_x_1000>",
                                    "<pos_y_-0>",
                                    "<relation_10>",
                                    "</relation_10>",
                                    "<timestep_r",
                                    "<guidance>x"};
  for (const std::string_view text : texts) {
    for (const ModelProfile* profile : profiles::all) EXPECT(!find_token(*profile, text));
  }
  EXPECT(*find_token(profiles::instruct, "<img_ratio_0>") == 128044);
  EXPECT(*find_token(profiles::instruct, "<img_ratio_36>") == 130106);
  EXPECT(*find_token(profiles::instruct, "<img_size_8192>") == 128043);
  EXPECT(*find_token(profiles::instruct, "</relation_9>") == 130102);
  EXPECT(find_token(profiles::base, "</relation_9>").error() == Errc::not_a_special_token);
  return true;
}
BOTH_TIMES(texts_that_are_no_tokens)

/// The whole table of the published vocabulary.
std::map<TokenId, std::string> published_table() {
  std::map<TokenId, std::string> table = {{127957, "<|endoftext|>"}, {127958, "<|startoftext|>"}};
  TokenId id = 128000;
  for (const char* name :
       {"<boi>",     "<eoi>",     "<boa>",     "<eoa>",      "<bov>",       "<eov>",        "<img>",
        "<audio>",   "<video>",   "<pad>",     "<cfg>",      "<iw>",        "<ih>",         "<bot>",
        "<eot>",     "<text>",    "<mask>",    "<timestep>", "<recaption>", "</recaption>", "<bof>",
        "<eof>",     "<face>",    "<think>",   "</think>",   "<answer>",    "</answer>",    "<und_boi>",
        "<und_eoi>", "<src_boi>", "<src_eoi>", "<gen_boi>",  "<gen_eoi>",   "<gen_img>"}) {
    table[id++] = name;
  }
  const auto number = [&](const char* prefix, int first, int count) {
    for (int i = first; i < first + count; ++i) table[id++] = prefix + std::to_string(i) + ">";
  };
  for (const int size : {256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192}) number("<img_size_", size, 1);
  number("<img_ratio_", 0, 33);
  for (const char* name : {"<joint_img_sep>", "<ref>", "</ref>", "<quad>", "</quad>"}) table[id++] = name;
  number("<pos_x_", 0, 1000);
  number("<pos_y_", 0, 1000);
  table[id++] = "<guidance>";
  number("<relation_", 0, 10);
  number("</relation_", 0, 10);
  number("<img_ratio_", 33, 4);
  table[id++] = "<timestep_r>";
  return table;
}

/// Its part that a checkpoint's own tokenizer has: the base release's ends at <guidance>.
std::map<TokenId, std::string> table_of(const ModelProfile& profile) {
  std::map<TokenId, std::string> table = published_table();
  if (&profile == &profiles::base) table.erase(table.upper_bound(130082), table.end());
  return table;
}

TEST_CASE("both directions for every id of the vocabulary") {
  CHECK(published_table().size() == 2110);
  CHECK(published_table().rbegin()->first == 130107);
  for (const ModelProfile* profile : profiles::all) {
    const std::map<TokenId, std::string> table = table_of(*profile);
    int wrong = 0;
    for (TokenId id = -5; id < 133125; ++id) {
      const Result<TokenText> text = token_text(*profile, id);
      const auto found = table.find(id);
      const bool is_right = found == table.end() ? text.error() == Errc::not_a_special_token
                                                 : text && *text == std::string_view(found->second);
      if (!is_right || (text && find_token(*profile, *text).value_or(-1) != id)) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(!token_text(*profile, max_side));
    CHECK(!token_text(*profile, -max_side - 1));
  }
}

TEST_CASE("ratio ids in both directions for every id of the vocabulary") {
  for (const ModelProfile* profile : profiles::all) {
    int ratios = 0, wrong = 0;
    for (TokenId id = -5; id < 133120; ++id) {
      const Result<std::size_t> index = ratio_index_of(*profile, id);
      if (!index) continue;
      ++ratios;
      if (ratio_token_id(*profile, *index).value_or(-1) != id) ++wrong;
      const Result<TokenText> text = token_text(*profile, id);
      if (!text || *text != std::string_view("<img_ratio_" + std::to_string(*index) + ">")) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(ratios == (profile == &profiles::base ? 33 : 37));
  }
}

TEST_CASE("a changed text is no token, or another one") {
  Random random(31);
  for (const ModelProfile* profile : profiles::all) {
    for (const auto& [id, text] : table_of(*profile)) {
      std::string changed = text;
      changed[random.place_below(changed.size())] = static_cast<char>(random.below(256));
      const Result<TokenId> found = find_token(*profile, changed);
      CHECK((found ? *token_text(*profile, *found) == std::string_view(changed) : true));
      CHECK(!find_token(*profile, text + '>'));
      CHECK(!find_token(*profile, text.substr(0, text.size() - 1)));
      CHECK(*find_token(*profile, text) == id);
    }
  }
}

constexpr bool splitting_at_special_tokens() {
  const std::string_view text = "a < b <img> <img_ratio_33><boi>, <im<eoi> <imgx> <pos_x_1000> <guidance>";
  const auto is_match = [text](const ModelProfile& profile, std::size_t from, std::string_view token, TokenId id) {
    const Result<SpecialTokenMatch> match = next_special_token(profile, text, from);
    return match && match->id == id && match->begin == text.find(token) && match->end == match->begin + token.size() &&
           text.substr(match->begin, match->end - match->begin) == token;
  };
  EXPECT(is_match(profiles::instruct, 0, "<img>", tokens::img));
  EXPECT(is_match(profiles::instruct, 6, "<img>", tokens::img));
  EXPECT(is_match(profiles::instruct, 7, "<img_ratio_33>", 130103));
  EXPECT(is_match(profiles::base, 7, "<boi>", tokens::boi));  // it has no <img_ratio_33>
  EXPECT(is_match(profiles::instruct, 31, "<eoi>", tokens::eoi));
  EXPECT(is_match(profiles::instruct, 42, "<guidance>", tokens::guidance));
  EXPECT(next_special_token(profiles::instruct, text, text.size() - 9).error() == Errc::not_a_special_token);
  EXPECT(next_special_token(profiles::instruct, text, text.size() - 9).position() == text.size());
  EXPECT(!next_special_token(profiles::instruct, text, text.size()) &&
         !next_special_token(profiles::instruct, text, 999));
  EXPECT(!next_special_token(profiles::instruct, "") && !next_special_token(profiles::instruct, "<<<>>><img"));
  EXPECT(next_special_token(profiles::instruct, "<|endoftext|>")->id == tokens::eos);
  return true;
}
BOTH_TIMES(splitting_at_special_tokens)

// What the splitter relies on: every text is <...>, without another bracket in it.
TEST_CASE("texts split into their tokens again, whatever stands between them") {
  Random random(32);
  const char* pieces[] = {"", " ", "a", "<", "<<", "<img", "\xC3\x97", "< ", "<im ", "</"};
  for (const ModelProfile* profile : profiles::all) {
    const std::map<TokenId, std::string> table = table_of(*profile);
    std::vector<TokenId> ids;
    for (const auto& entry : table) ids.push_back(entry.first);
    for (int i = 0; i < 300; ++i) {
      std::string text;
      std::vector<TokenId> expected;
      for (std::uint64_t k = random.below(20); k != 0; --k) {
        text += pieces[random.below(10)];
        expected.push_back(ids[random.place_below(ids.size())]);
        text += table.at(expected.back());
      }
      std::vector<TokenId> found;
      std::size_t from = 0;
      for (auto match = next_special_token(*profile, text); match; match = next_special_token(*profile, text, from)) {
        found.push_back(match->id);
        from = match->end;
      }
      CHECK(found == expected);
    }
  }
}

}  // namespace
}  // namespace hunyuan_reso_test
