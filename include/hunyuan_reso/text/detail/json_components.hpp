// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_DETAIL_JSON_COMPONENTS_HPP
#define HUNYUAN_RESO_TEXT_DETAIL_JSON_COMPONENTS_HPP

#include "../json.hpp"
#include "tokenizer_model.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {

/// An added token whose written id is not the one it gets.
struct AddedTokenIdDifference {
  std::string content;
  TokenId written = -1;
  TokenId actual = -1;
};

namespace detail {

/// The pattern that ByteLevel has built in (that of GPT-2).
inline constexpr std::string_view byte_level_pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// Where the value of a key stands.
struct JsonKey {
  const char* name = nullptr;
  JsonReader value{};
  bool is_there = false;
};

/// Everything of a tokenizer.json but its model.
class JsonComponents {
 public:
  JsonComponents(std::string_view file, TokenizerModel& model, std::vector<AddedTokenIdDifference>& differences)
      : file_(file), model_(&model), differences_(&differences) {}

  [[nodiscard]] const TextError& error() const noexcept { return error_; }

  [[nodiscard]] bool load_normalizer(JsonReader reader) {
    JsonKey keys[] = {{"type"}, {"normalizers"}};
    std::string type;
    const std::size_t position = reader.position();
    if (!index(reader, keys, "normalizer") || !read_type(keys[0], position, type)) return false;
    if (type == "NFC") {
      if (!model_->normalizer) model_->normalizer = std::make_unique<NfcNormalizer>();
      return true;
    }
    if (type != "Sequence") return refuse(position, "normalizer", type, "NFC or Sequence");
    return for_each(keys[1], position, [&](const JsonReader& item) { return load_normalizer(item); });
  }

  [[nodiscard]] bool load_pre_tokenizer(JsonReader reader) {
    const std::size_t position = reader.position();
    if (!add_pre_tokenizer(std::move(reader))) return false;
    return has_byte_level_ ||
           fail(position, TextErrc::unsupported, "pre_tokenizer: expected ByteLevel as the last step");
  }

  [[nodiscard]] bool check_decoder(JsonReader reader) {
    JsonKey keys[] = {{"type"}};
    std::string type;
    const std::size_t position = reader.position();
    if (!index(reader, keys, "decoder") || !read_type(keys[0], position, type)) return false;
    return type == "ByteLevel" || refuse(position, "decoder", type, "ByteLevel");
  }

  [[nodiscard]] bool load_added_tokens(JsonReader reader) {
    if (!reader.enter('[', "added_tokens")) return fail(reader);
    while (reader.next_element()) {
      if (reader.peek() == 0) break;
      const JsonReader item = reader;
      if (!reader.skip_value()) break;
      if (!add_token(item)) return false;
    }
    return reader.ok() || fail(reader);
  }

 private:
  static constexpr std::size_t max_steps = 16;

  [[nodiscard]] bool fail(std::size_t position, TextErrc code, std::string what) {
    if (error_.code == TextErrc::none) error_ = TextError{code, position, std::move(what)};
    return false;
  }
  [[nodiscard]] bool fail(const JsonReader& reader) {
    if (error_.code == TextErrc::none) error_ = reader.error();
    return false;
  }
  [[nodiscard]] bool refuse(std::size_t position, const char* part, std::string_view type, const char* expected) {
    return fail(position, TextErrc::unsupported,
                std::string(part) + " '" + std::string(type.substr(0, 64)) + "': expected " + expected);
  }

  /// Where the values of the keys are; other keys are passed over, as the reference does.
  template <std::size_t Count>
  [[nodiscard]] bool index(JsonReader& reader, JsonKey (&keys)[Count], const char* what) {
    if (!reader.enter('{', what)) return fail(reader);
    std::string_view name;
    while (reader.next_key(name)) {
      if (reader.peek() == 0) break;
      for (JsonKey& key : keys) {
        if (name != key.name) continue;
        if (key.is_there)
          return fail(reader.position(), TextErrc::duplicate,
                      std::string(what) + ": the key " + key.name + " stands twice");
        key.value = reader;
        key.is_there = true;
      }
      if (!reader.skip_value()) break;
    }
    return reader.ok() || fail(reader);
  }

  [[nodiscard]] bool require(const JsonKey& key, std::size_t position) {
    return key.is_there || fail(position, TextErrc::missing, std::string("expected the key ") + key.name);
  }
  [[nodiscard]] bool read_type(JsonKey& key, std::size_t position, std::string& type) {
    return require(key, position) && read_text(key, type);
  }
  [[nodiscard]] bool read_text(JsonKey& key, std::string& text) {
    std::string_view value;
    if (!key.value.read_string(value, key.name)) return fail(key.value);
    text.assign(value.data(), value.size());
    return true;
  }
  [[nodiscard]] bool read_flag(JsonKey& key, bool& flag) {
    return key.value.read_bool(flag, key.name) || fail(key.value);
  }

  /// Calls visit(reader) at each element of an array.
  template <class Visit>
  [[nodiscard]] bool for_each(JsonKey& key, std::size_t position, Visit&& visit) {
    if (!require(key, position)) return false;
    if (!key.value.enter('[', key.name)) return fail(key.value);
    while (key.value.next_element()) {
      if (key.value.peek() == 0) break;
      if (!visit(key.value)) return false;
      if (!key.value.skip_value()) break;
    }
    return key.value.ok() || fail(key.value);
  }

  [[nodiscard]] bool add_pre_tokenizer(JsonReader reader) {
    JsonKey keys[] = {{"type"},   {"pretokenizers"},    {"pattern"},  {"behavior"},
                      {"invert"}, {"add_prefix_space"}, {"use_regex"}};
    std::string type;
    const std::size_t position = reader.position();
    if (!index(reader, keys, "pre_tokenizer") || !read_type(keys[0], position, type)) return false;
    if (type == "Sequence") {
      return for_each(keys[1], position, [&](const JsonReader& item) { return add_pre_tokenizer(item); });
    }
    if (type != "Split" && type != "ByteLevel")
      return refuse(position, "pre_tokenizer", type, "Split, ByteLevel or Sequence");
    if (has_byte_level_) return fail(position, TextErrc::unsupported, "pre_tokenizer: a step after ByteLevel");
    if (model_->steps.size() == max_steps)
      return fail(position, TextErrc::out_of_range, "pre_tokenizer: more than 16 steps");
    return type == "Split" ? add_split(keys, position) : add_byte_level(keys, position);
  }

  [[nodiscard]] bool add_split(JsonKey (&keys)[7], std::size_t position) {
    std::string behavior;
    bool invert = false;
    if (!require(keys[2], position) || !require(keys[3], position) || !read_text(keys[3], behavior)) return false;
    if (keys[4].is_there && !read_flag(keys[4], invert)) return false;
    if (behavior != "Isolated" && behavior != "Removed") {
      return refuse(position, "the behavior of Split", behavior, "Isolated or Removed");
    }
    SplitStep step;
    if (behavior == "Removed") (invert ? step.keeps_gaps : step.keeps_matches) = false;
    if (!load_pattern(keys[2].value, step.pattern)) return false;
    model_->steps.push_back(std::move(step));
    return true;
  }

  /// {"Regex": "..."} or {"String": "..."}.
  [[nodiscard]] bool load_pattern(JsonReader reader, Pattern& pattern) {
    JsonKey keys[] = {{"Regex"}, {"String"}};
    const std::size_t position = reader.position();
    if (!index(reader, keys, "pattern")) return false;
    if (keys[0].is_there == keys[1].is_there)
      return fail(position, TextErrc::missing, "pattern: expected one key, Regex or String");
    JsonKey& key = keys[keys[0].is_there ? 0 : 1];
    std::string source;
    if (!read_text(key, source)) return false;
    if (keys[1].is_there) {
      std::string escaped;
      for (const char c : source) {
        const bool is_special = c > 0 && std::strchr("\\.+*?()|[]{}^$", c) != nullptr;
        if (is_special) escaped.push_back('\\');
        escaped.push_back(c);
      }
      source = escaped;
    }
    return compile(source, PatternDialect::oniguruma, position, pattern);
  }

  [[nodiscard]] bool compile(std::string_view source, PatternDialect dialect, std::size_t position, Pattern& pattern) {
    TextResult<Pattern> made = Pattern::compile(source, dialect);
    if (made) {
      pattern = *std::move(made);
      return true;
    }
    return fail(position, made.error().code,
                "at byte " + std::to_string(made.error().position) + " of the pattern: " + made.error().what);
  }

  [[nodiscard]] bool add_byte_level(JsonKey (&keys)[7], std::size_t position) {
    bool prefix = false;
    bool use_regex = true;
    if (!require(keys[5], position) || !read_flag(keys[5], prefix)) return false;
    if (keys[6].is_there && !read_flag(keys[6], use_regex)) return false;
    has_byte_level_ = true;
    if (prefix) model_->prefix_step = model_->steps.size();
    if (!use_regex) return true;
    SplitStep step;
    if (!compile(byte_level_pattern, PatternDialect::oniguruma, position, step.pattern)) return false;
    model_->steps.push_back(std::move(step));
    return true;
  }

  [[nodiscard]] bool add_token(JsonReader reader) {
    JsonKey keys[] = {{"id"}, {"content"}, {"single_word"}, {"lstrip"}, {"rstrip"}, {"normalized"}, {"special"}};
    const std::size_t position = reader.position();
    if (!index(reader, keys, "an added token")) return false;
    for (const JsonKey& key : keys) {
      if (!require(key, position)) return false;
    }
    AddedToken token;
    std::uint32_t written = 0;
    if (!keys[0].value.read_number(written, 0x7FFFFFFFU, "id")) return fail(keys[0].value);
    if (!read_text(keys[1], token.content) || !read_flag(keys[2], token.single_word) ||
        !read_flag(keys[3], token.lstrip) || !read_flag(keys[4], token.rstrip) ||
        !read_flag(keys[5], token.normalized) || !read_flag(keys[6], token.special)) {
      return false;
    }
    if (token.content.empty()) return true;  // the reference passes over it, too
    return give_id(std::move(token), static_cast<TokenId>(written), position);
  }

  /// The vocabulary's id, or the vocabulary's size plus the number of tokens that got theirs this way before; the
  /// written id does not count.
  [[nodiscard]] bool give_id(AddedToken token, TokenId written, std::size_t position) {
    if (token.normalized && model_->normalizer) {
      std::string buffer;
      if (model_->normalizer->normalize(token.content, buffer) != token.content) {
        return fail(position, TextErrc::unsupported,
                    "an added token with normalized = true that is not in normal form");
      }
    }
    const Vocabulary& vocabulary = model_->bpe.vocabulary;
    std::string bytes;
    const TokenKind kind = append_token_bytes(bytes, token.content) ? TokenKind::bytes : TokenKind::text;
    const std::string& key = kind == TokenKind::bytes ? bytes : token.content;
    token.id = vocabulary.find(key, kind);
    if (token.id == no_id) {
      const std::size_t next = vocabulary.count() + model_->extra.count();
      if (next > static_cast<std::size_t>(Vocabulary::max_id)) {
        return fail(position, TextErrc::out_of_range,
                    "an added token: its id would be above " + std::to_string(Vocabulary::max_id));
      }
      token.id = static_cast<TokenId>(next);
      if (vocabulary.kind(token.id) != TokenKind::absent) {
        return fail(position, TextErrc::unsupported,
                    "an added token that would get the id " + std::to_string(next) + ", which another token has");
      }
      const std::size_t start = model_->extra.bytes().size();
      model_->extra.bytes().append(key);
      if (model_->extra.add(start, kind, token.id) != Vocabulary::Added::yes) return fail_twice(token, position);
    } else if (!seen(token)) {
      return fail_twice(token, position);
    }
    if (token.id != written) differences_->push_back({token.content, written, token.id});
    model_->added.push_back(std::move(token));
    return true;
  }

  [[nodiscard]] bool fail_twice(const AddedToken& token, std::size_t position) {
    return fail(position, TextErrc::duplicate, "an added token that stands twice: " + token.content.substr(0, 64));
  }

  /// Notes a token of the vocabulary; false where it was noted before.
  [[nodiscard]] bool seen(const AddedToken& token) {
    const std::size_t index = static_cast<std::size_t>(token.id);
    if (index >= seen_.size()) seen_.resize(index + 1, false);
    if (seen_[index]) return false;
    seen_[index] = true;
    return true;
  }

  std::string_view file_;
  TokenizerModel* model_;
  std::vector<AddedTokenIdDifference>* differences_;
  TextError error_;
  bool has_byte_level_ = false;
  std::vector<bool> seen_;
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_DETAIL_JSON_COMPONENTS_HPP
