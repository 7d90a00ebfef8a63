// SPDX-License-Identifier: MIT
// The table of resolution.md, section 3, written down once more, and both directions over the whole vocabulary.
#include <hunyuan_reso/tokens.hpp>

#include <map>
#include <string>

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
  EXPECT(token_text(tokens::eos) == "<|endoftext|>" && token_text(tokens::bos) == "<|startoftext|>");
  EXPECT(token_text(tokens::boi) == "<boi>" && token_text(tokens::eoi) == "<eoi>" &&
         token_text(tokens::img) == "<img>");
  EXPECT(token_text(tokens::pad) == "<pad>" && token_text(tokens::cfg) == "<cfg>");
  EXPECT(token_text(tokens::timestep) == "<timestep>" && token_text(tokens::timestep_r) == "<timestep_r>");
  EXPECT(token_text(tokens::recaption) == "<recaption>" && token_text(tokens::end_recaption) == "</recaption>");
  EXPECT(token_text(tokens::think) == "<think>" && token_text(tokens::end_think) == "</think>");
  EXPECT(token_text(tokens::answer) == "<answer>" && token_text(tokens::end_answer) == "</answer>");
  EXPECT(token_text(tokens::joint_img_sep) == "<joint_img_sep>" && token_text(tokens::guidance) == "<guidance>");
  return true;
}
BOTH_TIMES(named_tokens)

constexpr bool ratio_tokens_are_not_contiguous() {
  EXPECT(*ratio_token_id(profiles::instruct, 0) == 128044);
  EXPECT(*ratio_token_id(profiles::instruct, 32) == 128076);
  EXPECT(*ratio_token_id(profiles::instruct, 33) == 130103);
  EXPECT(*ratio_token_id(profiles::instruct, 36) == 130106);
  EXPECT(!ratio_token_id(profiles::instruct, 37));
  EXPECT(ratio_index_of(profiles::instruct, 130103) == std::size_t{33});
  EXPECT(!ratio_index_of(profiles::instruct, 128077));
  EXPECT(!ratio_index_of(profiles::instruct, 130102));
  EXPECT(!ratio_index_of(profiles::instruct, 130107));
  EXPECT(!ratio_token_id(profiles::base, 33));
  EXPECT(!ratio_index_of(profiles::base, 130103));
  EXPECT(!ratio_token_id(profiles::instruct, static_cast<std::size_t>(-1)));
  EXPECT(ratio_token_id_or_invalid(profiles::base, 33) == invalid_token_id);
  EXPECT(ratio_index_or_invalid(profiles::base, 0) == no_ratio_index);
  EXPECT(ratio_index_or_invalid(profiles::instruct, invalid_token_id) == no_ratio_index);
  EXPECT(ratio_index_or_invalid(profiles::panorama, invalid_token_id) == no_ratio_index);
  return true;
}
BOTH_TIMES(ratio_tokens_are_not_contiguous)

constexpr bool the_panorama_token_needs_an_id() {
  EXPECT(!ratio_token_id(profiles::panorama, 37));
  EXPECT(require_ratio_token_id(profiles::panorama, 37).error() == Errc::ratio_token_id_unknown);
  EXPECT(require_ratio_token_id(profiles::panorama, 38).error() == Errc::ratio_index_out_of_range);
  EXPECT(require_ratio_token_id(profiles::instruct, 37).error() == Errc::ratio_index_out_of_range);
  EXPECT(*require_ratio_token_id(profiles::instruct, 36) == 130106);
  EXPECT(!token_of_compact_index(profiles::panorama, 37));
  const ModelProfile profile = profiles::panorama.with_ratio_token_id(37, 130108);
  EXPECT(*require_ratio_token_id(profile, 37) == 130108);
  EXPECT(*ratio_index_of(profile, 130108) == 37);
  EXPECT(*compact_index_of(profile, 130108) == 37);
  EXPECT(*token_of_compact_index(profile, 37) == 130108);
  return true;
}
BOTH_TIMES(the_panorama_token_needs_an_id)

constexpr bool predicted_ratio() {
  EXPECT(*predicted_ratio_index(profiles::instruct, 130106) == 36);
  EXPECT(*predicted_ratio_index(profiles::base, 128044) == 0);
  EXPECT(predicted_ratio_index(profiles::base, 130106).error() == Errc::not_a_ratio_token);
  EXPECT(predicted_ratio_index(profiles::instruct, tokens::eos).error() == Errc::not_a_ratio_token);
  EXPECT(predicted_ratio_index(profiles::instruct, -1).error() == Errc::not_a_ratio_token);
  EXPECT(predicted_ratio_index(profiles::instruct, 36).error() == Errc::not_a_ratio_token);  // a compact index is no id
  EXPECT(ratio_index_or_square(profiles::base, 130106) == 16);
  EXPECT(ratio_index_or_square(profiles::base, 128076) == 32);
  EXPECT(square_ratio_index == 16);
  return true;
}
BOTH_TIMES(predicted_ratio)

constexpr bool compact_index_equals_ratio_index() {
  for (const ModelProfile* profile : {&profiles::base, &profiles::instruct, &profiles::instruct_distil}) {
    for (std::size_t i = 0; i < profile->ratio_token_count(); ++i) {
      const TokenId id = *ratio_token_id(*profile, i);
      EXPECT(*ratio_index_of(*profile, id) == i);
      EXPECT(*compact_index_of(*profile, id) == i);
      EXPECT(*token_of_compact_index(*profile, i) == id);
    }
    EXPECT(!token_of_compact_index(*profile, profile->ratio_token_count()));
    EXPECT(!compact_index_of(*profile, 128043) && !compact_index_of(*profile, 128077));
    EXPECT(!compact_index_of(*profile, -1) && !compact_index_of(*profile, 16));
  }
  return true;
}
BOTH_TIMES(compact_index_equals_ratio_index)

constexpr bool size_tokens() {
  const std::int32_t sizes[] = {256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192};
  for (TokenId i = 0; i < 10; ++i) {
    EXPECT(*size_token_id(sizes[i]) == 128034 + i);
    EXPECT(*base_size_of(128034 + i) == sizes[i]);
    EXPECT(BaseSizeLadder{}.sizes[i] == sizes[i]);
  }
  EXPECT(size_token_id<1024>() == 128037);
  for (const std::int32_t other : {0, -1, 1, 255, 257, 1000, 1280, 16384, max_side}) EXPECT(!size_token_id(other));
  for (const TokenId other : {0, -1, 128033, 128044, 133119, max_side, -max_side - 1}) EXPECT(!base_size_of(other));
  EXPECT(size_token_id_or_invalid(1000) == invalid_token_id);
  EXPECT(base_size_or_zero(128044) == 0);
  return true;
}
BOTH_TIMES(size_tokens)

constexpr bool texts_end_in_zero() {
  FixedText<5> text;
  EXPECT(text.c_str()[0] == '\0');
  text.append("abc").append_number(1234);
  EXPECT(text == "abc12" && text.size() == 5);  // what does not fit is cut off
  EXPECT(std::string_view(text.c_str()) == "abc12");
  EXPECT(std::string_view(token_text(tokens::img).c_str()) == "<img>");
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
  for (const std::string_view text : texts) EXPECT(!find_token(text));
  EXPECT(*find_token("<img_ratio_0>") == 128044);
  EXPECT(*find_token("<img_ratio_36>") == 130106);
  EXPECT(*find_token("<img_size_8192>") == 128043);
  EXPECT(*find_token("</relation_9>") == 130102);
  return true;
}
BOTH_TIMES(texts_that_are_no_tokens)

/// The whole table from the facts.
std::map<TokenId, std::string> table_of_facts() {
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

TEST_CASE("both directions for every id of the vocabulary") {
  const std::map<TokenId, std::string> table = table_of_facts();
  CHECK(table.size() == 2110);
  CHECK(table.rbegin()->first == 130107);
  CHECK(detail::special_token_count() == table.size());
  int wrong = 0;
  for (TokenId id = -5; id < 133120; ++id) {
    const TokenText text = token_text(id);
    const auto found = table.find(id);
    if (found == table.end() ? !text.empty() : text != std::string_view(found->second)) ++wrong;
    if (!text.empty() && find_token(text) != id) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(token_text(max_side).empty());
  CHECK(token_text(-max_side - 1).empty());
}

TEST_CASE("ratio ids in both directions for every id of the vocabulary") {
  for (const ModelProfile* profile :
       {&profiles::base, &profiles::instruct, &profiles::instruct_distil, &profiles::panorama}) {
    int ratios = 0, wrong = 0;
    for (TokenId id = -5; id < 133120; ++id) {
      const auto index = ratio_index_of(*profile, id);
      const auto compact = compact_index_of(*profile, id);
      if (index != compact) ++wrong;
      if (!index) continue;
      ++ratios;
      if (ratio_token_id(*profile, *index) != id || token_of_compact_index(*profile, *compact) != id) ++wrong;
      if (token_text(id) != std::string_view("<img_ratio_" + std::to_string(*index) + ">")) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(ratios == (profile == &profiles::base ? 33 : 37));
  }
}

TEST_CASE("a changed text is no token, or another one") {
  Random random(31);
  for (const auto& [id, text] : table_of_facts()) {
    std::string changed = text;
    changed[random.place_below(changed.size())] = static_cast<char>(random.below(256));
    const auto found = find_token(changed);
    CHECK((found ? token_text(*found) == std::string_view(changed) : true));
    CHECK(!find_token(text + '>'));
    CHECK(!find_token(text.substr(0, text.size() - 1)));
    CHECK(find_token(text) == id);
  }
}

}  // namespace
}  // namespace hunyuan_reso_test
