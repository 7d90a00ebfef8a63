// SPDX-License-Identifier: MIT
// Special tokens in both directions, with published profiles and with changed ones. The first line of an input is a
// list of changes, the rest is any text: tokens in it are found where a search of all places finds them.
#include <hunyuan_reso/sequence.hpp>

#include "fuzz.hpp"
#include "models.hpp"

namespace {

using namespace hunyuan_reso;
using hunyuan_reso_fuzz::Bytes;

constexpr const char* further_texts[] = {"<style>", "<img_ratio_36>", "<img>",     "<boi>",        "<img_size_1280>",
                                         "<x",      "plain",          "<pos_x_7>", "<a<b>",        "<>",
                                         "<1>",     "<a_007>",        "<ref>",     "<relation_9>", "<audio>",
                                         "</quad>"};

/// A published profile with changes: a small letter chooses one, F R S and M add a further token, a ratio token, a size
/// token, and move a special one.
ModelProfile changed_profile(Bytes changes) {
  ModelProfile profile = profiles::instruct;
  const auto id = [&changes] {
    return TokenId{127950} + static_cast<TokenId>((changes.byte() << 8 | changes.byte()) % 5300);
  };
  while (!changes.empty()) {
    const std::uint8_t change = changes.byte();
    constexpr std::size_t count = sizeof(profiles::all) / sizeof(profiles::all[0]);
    if (change >= 'a' && change <= 'z') profile = *profiles::all[(change - 'a') % count];
    switch (change) {
      case 'F': {
        const char* text = further_texts[changes.below(sizeof(further_texts) / sizeof(further_texts[0]))];
        profile.further_tokens.append(text, id());
        break;
      }
      case 'R':
        profile.ratio_tokens.append(changes.flag() ? id() : TokenId{RatioTokens::unknown});
        break;
      case 'S': {
        const std::int32_t base_size = changes.side();
        profile.size_tokens.append(base_size, id());
        break;
      }
      case 'M':
        profile.special.*detail::named_tokens[changes.below(detail::named_count)].id = id();
        break;
      case 'E':
        profile.special_tokens_end = id();
        break;
      default:
        break;
    }
  }
  return profile;
}

/// Text to id and back, id to text and back.
void check_token(const ModelProfile& profile, std::string_view text, TokenId id) {
  const Result<TokenId> found = find_token(profile, text);
  if (found) {
    const Result<TokenText> own = token_text(profile, *found);
    ALWAYS(own.has_value() && own->view() == text);
    ALWAYS(*found >= 0);
  }
  const Result<TokenText> named = token_text(profile, id);
  if (named) {
    const Result<TokenId> back = find_token(profile, named->view());
    ALWAYS(back.has_value() && *back == id);
    ALWAYS(named->view().front() == '<' && named->view().back() == '>');
  }
  const Result<std::size_t> ratio = ratio_index_of(profile, id);
  if (ratio) ALWAYS(*ratio_token_id(profile, *ratio) == id);
  const Result<std::int32_t> base_size = base_size_of(profile, id);
  if (base_size) ALWAYS(*size_token_id(profile, *base_size) == id);
}

/// The first token of a text by trying every place and every length.
Result<SpecialTokenMatch> plain_search(const ModelProfile& profile, std::string_view text, std::size_t from) {
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    if (text[begin] != '<') continue;
    for (std::size_t size = 1; size <= TokenText::capacity() && begin + size <= text.size(); ++size) {
      const Result<TokenId> id = find_token(profile, text.substr(begin, size));
      if (id) return SpecialTokenMatch{begin, begin + size, *id};
    }
  }
  return Errc::not_a_special_token;
}

/// Bytes stand for themselves; special tokens have far higher ids.
std::vector<TokenId> encode(std::string_view text) {
  std::vector<TokenId> ids;
  for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
  return ids;
}

void check_text(const ModelProfile& profile, std::string_view text) {
  for (std::size_t from = 0;;) {
    const Result<SpecialTokenMatch> match = next_special_token(profile, text, from);
    const Result<SpecialTokenMatch> plain = plain_search(profile, text, from);
    ALWAYS(match.has_value() == plain.has_value());
    if (!match) break;
    ALWAYS(match->begin == plain->begin && match->end == plain->end && match->id == plain->id);
    ALWAYS(match->begin >= from && match->end > match->begin && match->end <= text.size());
    check_token(profile, text.substr(match->begin, match->end - match->begin), match->id);
    from = match->end;
  }
  std::string joined;
  for (const TokenId id : with_special_tokens(profile, encode)(text)) {
    if (id < 256) {
      joined += static_cast<char>(static_cast<unsigned char>(id));
    } else {
      joined += token_text(profile, id)->view();
    }
  }
  ALWAYS(joined == text);
}

/// A tokenizer that agrees is found to agree, and one that does not is named.
void check_verification(const ModelProfile& profile, TokenId wrong) {
  std::size_t asked = 0;
  const auto lookup = [&](std::string_view text) {
    const Result<TokenId> id = find_token(profile, text);
    if (id && *id == wrong) {
      ++asked;
      return TokenId{-1};
    }
    return id.value_or(-1);
  };
  const VocabularyReport report = verify_vocabulary(profile, lookup);
  ALWAYS(report.mismatch_count == asked && report.missing_count == asked);
  ALWAYS(report.ok() == (asked == 0) && report.checked_count >= asked);
  for (const VocabularyMismatch& mismatch : report) ALWAYS(mismatch.expected == wrong && !mismatch.found);
}

}  // namespace

FUZZ_TARGET(tokens) {
  Bytes bytes(input);
  const ModelProfile profile = changed_profile(Bytes(bytes.line()));
  if (profile.check() != Errc::none) {
    (void)find_token(profile, bytes.rest());
    (void)next_special_token(profile, bytes.rest());
    ALWAYS(!Model::create(profile).has_value());
    return;
  }
  const std::string_view text = bytes.rest();
  const TokenId id = TokenId{127950} + static_cast<TokenId>((bytes.byte() << 8 | bytes.byte()) % 5300);
  check_token(profile, text, id);
  check_token(profile, text, bytes.number());
  check_text(profile, text);
  if (bytes.byte() == 'v') check_verification(profile, id);
  if (bytes.byte() != 'a') return;
  detail::for_each_profile_id(profile, [&](TokenId own) {
    const Result<TokenText> named = token_text(profile, own);
    // No text: past the vocabulary's end, or a further token has taken it.
    ALWAYS(named.has_value() || own >= profile.special_tokens_end || profile.further_tokens.count > 0);
    check_token(profile, text, own);
    return true;
  });
}
