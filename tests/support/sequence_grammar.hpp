// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_SUPPORT_SEQUENCE_GRAMMAR_HPP
#define HUNYUAN_RESO_TESTS_SUPPORT_SEQUENCE_GRAMMAR_HPP

#include <hunyuan_reso/sequence.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

/// The grammar of a sequence as a regular expression, without a line of the reader.
namespace hunyuan_reso_test {

using namespace hunyuan_reso;

/// A profile whose base size 256 has rows of few tokens: 2x2 for 1:1, 1x4 for the flattest.
inline ModelProfile tiny_profile() {
  ModelProfile profile = profiles::instruct;
  profile.vae_downsample_height = profile.vae_downsample_width = 128;
  profile.vit_slots = 3;
  return profile;
}

/// Single letters stand for tokens: b <boi>, s <img_size_256>, r <img_ratio_16>, t <timestep>, g <guidance>,
/// u <timestep_r>, i <img>, j <joint_img_sep>, e <eoi>, p <pad>, x text. The row has 4 tokens, a ViT run up to 3.
inline const std::string letters = "bsrtguijepx";

inline TokenId id_of(const ModelProfile& profile, char letter) {
  const SpecialTokens& ids = profile.special;
  switch (letter) {
    case 'b':
      return ids.boi;
    case 's':
      return *size_token_id(profile, 256);
    case 'r':
      return *ratio_token_id(profile, 16);
    case 't':
      return ids.timestep;
    case 'g':
      return ids.guidance;
    case 'u':
      return ids.timestep_r;
    case 'i':
      return ids.img;
    case 'j':
      return ids.joint_img_sep;
    case 'e':
      return ids.eoi;
    case 'p':
      return ids.pad;
    default:
      return 5;
  }
}

inline std::vector<TokenId> ids_of(const ModelProfile& profile, const std::string& text) {
  std::vector<TokenId> ids;
  for (const char letter : text) ids.push_back(id_of(profile, letter));
  return ids;
}

/// A small regular expression: letters, (a|b), and ? * + {n} {m,n} behind them. Texts of at most 63 letters.
class Language {
 public:
  explicit Language(std::string pattern) : pattern_(std::move(pattern)) {}

  bool has(const std::string& text) const {
    std::size_t at = 0;
    return (branches(at, 1, text) >> text.size() & 1) != 0;
  }

 private:
  using Places = std::uint64_t;  ///< bit i: what was read so far may end at place i of the text

  Places branches(std::size_t& at, Places from, const std::string& text) const {
    Places all = 0;
    for (;; ++at) {
      Places now = from;
      while (at < pattern_.size() && pattern_[at] != '|' && pattern_[at] != ')') now = item(at, now, text);
      all |= now;
      if (at == pattern_.size() || pattern_[at] == ')') return all;
    }
  }

  Places atom(std::size_t& at, Places from, const std::string& text) const {
    if (pattern_[at] == '(') {
      const Places after = branches(++at, from, text);
      ++at;
      return after;
    }
    const char letter = pattern_[at++];
    Places after = 0;
    for (std::size_t i = 0; from != 0 && i < text.size(); ++i) {
      if ((from >> i & 1) != 0 && text[i] == letter) after |= Places{1} << (i + 1);
    }
    return after;
  }

  Places item(std::size_t& at, Places from, const std::string& text) const {
    const std::size_t start = at;
    Places now = atom(at, from, text);
    const char mark = at < pattern_.size() ? pattern_[at] : '\0';
    std::size_t least = mark == '?' || mark == '*' ? 0 : 1;
    std::size_t most = mark == '*' || mark == '+' ? 63 : 1;
    if (mark == '{') {
      least = most = static_cast<std::size_t>(pattern_[at + 1] - '0');
      if (pattern_[at + 2] == ',') most = static_cast<std::size_t>(pattern_[at + 3] - '0');
      at = pattern_.find('}', at);
    }
    if (mark == '{' || mark == '?' || mark == '*' || mark == '+') ++at;
    Places all = least == 0 ? from : 0;
    for (std::size_t count = 1; count <= most && now != 0; ++count) {
      if (count >= least) all |= now;
      std::size_t again = start;
      if (count < most) now = atom(again, now, text);
    }
    return all;
  }

  std::string pattern_;
};

/// The grammar: text and whole blocks, then perhaps the beginning of one, then padding.
inline Language grammar(bool late_boi) {
  const std::string scalars = "(tg?u?|gu?|u)";
  const auto blocks = [&](const std::string& before, const std::string& after) {
    return before + "srt?g?u?" + after + "i{4}e|" + before + "srt?" + after + "i{4}ji{1,3}e|" + before + scalars +
           after + "i+e|" + before + "t" + after + "i+ji{1,3}e";
  };
  const std::string header = "(s|(sr)?t?g?u?)";
  std::string block = blocks("b", "") + "|bi{1,3}e|bi+ji{1,3}e";
  std::string open = "b" + header;
  if (late_boi) {
    block += "|" + blocks("", "b");
    open += "|" + header + "|(sr)?t?g?u?b";
  }
  return Language("(x|" + block + ")*(" + open + ")?p*");
}

/// Whether some text that begins like this is in the language: what is missing is always one of few endings.
inline bool is_viable(const Language& language, const std::string& prefix) {
  std::vector<std::string> endings{"",      "r", "riiiie", "ie",  "iie",    "iiie",
                                   "iiiie", "e", "jie",    "bie", "biiiie", "rbiiiie"};
  return std::any_of(endings.begin(), endings.end(),
                     [&](const std::string& ending) { return language.has(prefix + ending); });
}

/// The reader's verdict on a text is the grammar's; what it names is the first token that cannot stand there.
inline bool agrees(const ModelProfile& profile, const Language& language, const std::string& text) {
  const std::vector<TokenId> ids = ids_of(profile, text);
  const auto layout = read_sequence(profile, ids.data(), ids.size());
  const bool accepted = language.has(text);
  if (layout.has_value() != accepted) return false;
  if (accepted) return static_cast<std::size_t>(layout->length) == text.size();
  const std::size_t at = layout.position();
  if (at > text.size() || !is_viable(language, text.substr(0, at))) return false;
  if (layout.error() == Errc::image_token_count_mismatch) {  // known when the run ends; it is the run that is at fault
    return text[at] == 'i' && at != 0 && text[at - 1] != 'i';
  }
  return at == text.size() || !is_viable(language, text.substr(0, at + 1));
}

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_SUPPORT_SEQUENCE_GRAMMAR_HPP
