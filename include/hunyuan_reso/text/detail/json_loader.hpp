// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_DETAIL_JSON_LOADER_HPP
#define HUNYUAN_RESO_TEXT_DETAIL_JSON_LOADER_HPP

#include "json_components.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {

namespace detail {

/// A tokenizer.json into a model. One pass finds where the parts are, so that their order does not matter.
class JsonLoader {
 public:
  JsonLoader(std::string_view file, TokenizerModel& model, std::vector<AddedTokenIdDifference>& differences)
      : file_(file), model_(&model), differences_(&differences) {}

  [[nodiscard]] TextError load() {
    if (file_.size() > max_file) return TextError{TextErrc::out_of_range, max_file, "a file of more than 1 GiB"};
    const std::size_t valid = valid_prefix(file_);
    if (valid != file_.size()) return TextError{TextErrc::invalid_utf8, valid, "expected UTF-8"};
    if (find_parts() && refuse_set("truncation") && refuse_set("padding") && load_model() && load_components()) {
      model_->bpe.finish();
      if (check_unknown_token()) model_->fill_matchers();
    }
    return std::move(error_);
  }

 private:
  static constexpr std::size_t max_file = std::size_t{1} << 30U;

  struct Part {
    const char* name;
    JsonReader reader;
    bool is_there = false;
  };

  [[nodiscard]] bool fail(std::size_t position, TextErrc code, std::string what) {
    if (error_.code == TextErrc::none) error_ = TextError{code, position, std::move(what)};
    return false;
  }
  /// Takes over a reader's error.
  [[nodiscard]] bool fail(const JsonReader& reader) {
    if (error_.code == TextErrc::none) error_ = reader.error();
    return false;
  }

  [[nodiscard]] Part* part(std::string_view name) {
    for (Part& p : parts_) {
      if (name == p.name) return &p;
    }
    return nullptr;
  }

  [[nodiscard]] bool find_parts() {
    JsonReader reader(file_);
    if (!reader.enter('{', "the file")) return fail(reader);
    std::string_view key;
    while (reader.next_key(key)) {
      Part* const found = part(key);
      const bool is_model = key == "model";
      if (found != nullptr && found < model_parts() && !note(*found, reader)) return false;
      if (is_model && reader.peek() == '{') {
        if (!find_model_parts(reader)) return false;
      } else if (!reader.skip_value()) {
        return fail(reader);
      }
    }
    if (!reader.ok() || !reader.expect_end()) return fail(reader);
    return true;
  }

  [[nodiscard]] bool find_model_parts(JsonReader& reader) {
    if (!reader.enter('{', "model")) return fail(reader);
    std::string_view key;
    while (reader.next_key(key)) {
      for (Part* p = model_parts(); p != parts_ + part_count; ++p) {
        if (key == p->name + 6 && !note(*p, reader)) return false;
      }
      // The two long parts are read at once where the file has them in the usual order.
      if (key == "vocab" && reader.peek() == '{') {
        if (!load_vocabulary(reader)) return false;
      } else if (key == "merges" && has_vocabulary_ && reader.peek() == '[') {
        if (!load_merges(reader)) return false;
      } else if (!reader.skip_value()) {
        return fail(reader);
      }
    }
    return reader.ok() || fail(reader);
  }

  [[nodiscard]] bool note(Part& found, JsonReader& reader) {
    if (reader.peek() == 0) return fail(reader);
    if (found.is_there)
      return fail(reader.position(), TextErrc::duplicate, std::string(found.name) + ": the key stands twice");
    found.reader = reader;
    found.is_there = true;
    return true;
  }

  /// Whether the key is there and not null.
  [[nodiscard]] bool is_set(const char* name) {
    Part* const found = part(name);
    return found->is_there && !found->reader.at_null();
  }
  [[nodiscard]] JsonReader reader_of(const char* name) { return part(name)->reader; }

  [[nodiscard]] bool refuse_set(const char* name) {
    return !is_set(name) ||
           fail(part(name)->reader.position(), TextErrc::unsupported, std::string(name) + ": expected null");
  }
  [[nodiscard]] bool refuse_text(const char* name) {
    if (!is_set(name)) return true;
    JsonReader reader = reader_of(name);
    const std::size_t position = reader.position();
    std::string_view value;
    if (!reader.read_string(value, name)) return fail(reader);
    return value.empty() ||
           fail(position, TextErrc::unsupported, std::string(name) + ": expected null or an empty string");
  }
  [[nodiscard]] bool refuse_true(const char* name) {
    if (!is_set(name)) return true;
    JsonReader reader = reader_of(name);
    const std::size_t position = reader.position();
    bool value = false;
    if (!reader.read_bool(value, name)) return fail(reader);
    return !value || fail(position, TextErrc::unsupported, std::string(name) + ": expected false");
  }
  [[nodiscard]] bool require(const char* name) {
    return is_set(name) || fail(file_.size(), TextErrc::missing, std::string("expected the key ") + name);
  }

  [[nodiscard]] bool load_model() {
    if (!require("model")) return false;
    if (is_set("model.type")) {
      JsonReader reader = reader_of("model.type");
      const std::size_t position = reader.position();
      std::string_view type;
      if (!reader.read_string(type, "model.type")) return fail(reader);
      if (type != "BPE") {
        return fail(position, TextErrc::unsupported,
                    "model.type '" + std::string(type.substr(0, 64)) + "': expected BPE");
      }
    }
    if (!require("model.vocab") || !require("model.merges")) return false;
    if (!load_dropout() || !refuse_text("model.continuing_subword_prefix") ||
        !refuse_text("model.end_of_word_suffix") || !refuse_true("model.byte_fallback")) {
      return false;
    }
    if (is_set("model.ignore_merges")) {
      JsonReader reader = reader_of("model.ignore_merges");
      if (!reader.read_bool(model_->bpe.ignore_merges, "model.ignore_merges")) return fail(reader);
    }
    JsonReader vocabulary = reader_of("model.vocab");
    JsonReader merges = reader_of("model.merges");
    return (has_vocabulary_ || load_vocabulary(vocabulary)) && (has_merges_ || load_merges(merges));
  }

  [[nodiscard]] bool load_dropout() {
    if (!is_set("model.dropout")) return true;
    JsonReader reader = reader_of("model.dropout");
    const std::size_t start = reader.position();
    if (reader.peek() != '0') return fail(start, TextErrc::wrong_type, "model.dropout: expected null or a number");
    if (!reader.skip_value()) return fail(reader);
    for (const char c : file_.substr(start, reader.position() - start)) {
      if (c >= '1' && c <= '9') return fail(start, TextErrc::unsupported, "model.dropout: expected null or 0");
      if (c == 'e' || c == 'E') break;
    }
    return true;
  }

  [[nodiscard]] bool load_vocabulary(JsonReader& reader) {
    has_vocabulary_ = true;
    Vocabulary& vocabulary = model_->bpe.vocabulary;
    // A token takes about 20 bytes of a file, and its merge as many.
    vocabulary.reserve((std::min)(file_.size() / 48, std::size_t{1} << 18U), file_.size() / 8);
    if (!reader.enter('{', "model.vocab")) return fail(reader);
    std::string_view key;
    while (reader.next_key(key)) {
      const std::size_t position = reader.position();
      const std::size_t start = vocabulary.bytes().size();
      TokenKind kind = TokenKind::bytes;
      if (!append_token_bytes(vocabulary.bytes(), key)) {
        kind = TokenKind::text;
        vocabulary.bytes().append(key);
      }
      std::uint32_t id = 0;
      if (!reader.read_number(id, static_cast<std::uint32_t>(Vocabulary::max_id), "an id of model.vocab"))
        return fail(reader);
      const Vocabulary::Added added = vocabulary.add(start, kind, static_cast<TokenId>(id));
      if (added == Vocabulary::Added::yes) continue;
      return fail(position, TextErrc::duplicate,
                  added == Vocabulary::Added::id_twice ? "model.vocab: two tokens have the id " + std::to_string(id)
                                                       : "model.vocab: the token stands twice");
    }
    return reader.ok() || fail(reader);
  }

  [[nodiscard]] bool load_merges(JsonReader& reader) {
    has_merges_ = true;
    model_->bpe.merges.reserve(model_->bpe.vocabulary.count());
    if (!reader.enter('[', "model.merges")) return fail(reader);
    std::string left;
    while (reader.next_element()) {
      const char form = reader.peek();
      const std::size_t position = reader.position();
      std::string_view text;
      if (form == '[') {
        if (!reader.enter('[', "a merge") || !reader.next_element() || !reader.read_string(text, "a merge"))
          return fail_pair(reader);
        left.assign(text.data(), text.size());
        if (!reader.next_element() || !reader.read_string(text, "a merge") || reader.next_element())
          return fail_pair(reader);
        if (!reader.ok()) return fail(reader);
        if (!add_merge(left, text, position)) return false;
      } else {
        if (!reader.read_string(text, "a merge")) return fail(reader);
        if (text.substr(0, 8) == "#version") continue;
        const std::size_t space = text.find(' ');
        if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
          return fail(position, TextErrc::syntax, "a merge: expected two tokens with one space between them");
        }
        if (!add_merge(text.substr(0, space), text.substr(space + 1), position)) return false;
      }
    }
    return reader.ok() ? add_pending_merges() : fail(reader);
  }

  [[nodiscard]] bool fail_pair(const JsonReader& reader) {
    return fail(reader) || fail(reader.position(), TextErrc::syntax, "a merge: expected two strings");
  }

  /// A merge whose tokens are looked up later: many at once, so that their memory is fetched at the same time.
  struct PendingMerge {
    std::size_t position;
    std::size_t start;  ///< of its bytes in merge_bytes_
    std::size_t middle;
    std::size_t end;
    TokenKey keys[3];  ///< of the left token, the right one, and both
  };

  [[nodiscard]] bool add_merge(std::string_view left, std::string_view right, std::size_t position) {
    PendingMerge merge{position, merge_bytes_.size(), 0, 0, {}};
    const bool is_left_bytes = append_token_bytes(merge_bytes_, left);
    merge.middle = merge_bytes_.size();
    if (!is_left_bytes || !append_token_bytes(merge_bytes_, right)) {
      merge_bytes_.resize(merge.start);
      if (!add_pending_merges()) return false;
      std::string both(left);
      both.append(right.data(), right.size());
      return add_found(find_any(left), find_any(right), find_any(both), position);
    }
    merge.end = merge_bytes_.size();
    const char* const p = merge_bytes_.data();
    merge.keys[0] = key_of(p + merge.start, merge.middle - merge.start);
    merge.keys[1] = key_of(p + merge.middle, merge.end - merge.middle);
    merge.keys[2] = key_of(p + merge.start, merge.end - merge.start);
    for (const TokenKey& key : merge.keys) model_->bpe.vocabulary.prefetch_slot(key);
    pending_.push_back(merge);
    return pending_.size() < 64 || add_pending_merges();
  }

  [[nodiscard]] bool add_pending_merges() {
    const Vocabulary& vocabulary = model_->bpe.vocabulary;
    const std::string_view bytes = merge_bytes_;
    for (const PendingMerge& merge : pending_) {
      const std::string_view left = bytes.substr(merge.start, merge.middle - merge.start);
      const std::string_view right = bytes.substr(merge.middle, merge.end - merge.middle);
      const std::string_view both = bytes.substr(merge.start, merge.end - merge.start);
      if (!add_found(vocabulary.find(merge.keys[0], left, TokenKind::bytes),
                     vocabulary.find(merge.keys[1], right, TokenKind::bytes),
                     vocabulary.find(merge.keys[2], both, TokenKind::bytes), merge.position)) {
        return false;
      }
    }
    pending_.clear();
    merge_bytes_.clear();
    return true;
  }

  [[nodiscard]] bool add_found(TokenId left, TokenId right, TokenId result, std::size_t position) {
    MergeTable& merges = model_->bpe.merges;
    if (left == no_id || right == no_id || result == no_id) {
      const char* const which = left == no_id ? "its first token" : right == no_id ? "its second token" : "its result";
      return fail(position, TextErrc::unknown_token, std::string("a merge: the vocabulary lacks ") + which);
    }
    if (merges.count() == MergeTable::no_rank - 1) return fail(position, TextErrc::out_of_range, "too many merges");
    merges.add(left, right, result);
    return true;
  }

  /// The id of a token as it is written in the file.
  [[nodiscard]] TokenId find_any(std::string_view token) {
    std::string bytes;
    if (append_token_bytes(bytes, token)) return model_->bpe.vocabulary.find(bytes, TokenKind::bytes);
    return model_->bpe.vocabulary.find(token, TokenKind::text);
  }

  [[nodiscard]] bool load_components() {
    JsonComponents components(file_, *model_, *differences_);
    const bool good = (!is_set("normalizer") || components.load_normalizer(reader_of("normalizer"))) &&
                      require("pre_tokenizer") && components.load_pre_tokenizer(reader_of("pre_tokenizer")) &&
                      require("decoder") && components.check_decoder(reader_of("decoder")) &&
                      (!is_set("added_tokens") || components.load_added_tokens(reader_of("added_tokens")));
    if (!good && error_.code == TextErrc::none) error_ = components.error();
    return good;
  }

  /// A token for what the vocabulary lacks is never needed where it has every byte.
  [[nodiscard]] bool check_unknown_token() {
    if (!is_set("model.unk_token")) return true;
    for (const TokenId id : model_->bpe.byte_ids) {
      if (id == no_id) {
        return fail(part("model.unk_token")->reader.position(), TextErrc::unsupported,
                    "model.unk_token: expected null, since the vocabulary lacks some bytes");
      }
    }
    return true;
  }

  std::string_view file_;
  TokenizerModel* model_;
  std::vector<AddedTokenIdDifference>* differences_;
  TextError error_;
  bool has_vocabulary_ = false;
  bool has_merges_ = false;
  std::string merge_bytes_;
  std::vector<PendingMerge> pending_;

  static constexpr std::size_t part_count = 16;
  static constexpr std::size_t first_model_part = 7;
  [[nodiscard]] Part* model_parts() noexcept { return parts_ + first_model_part; }
  Part parts_[part_count] = {{"truncation", {}, false},
                             {"padding", {}, false},
                             {"added_tokens", {}, false},
                             {"normalizer", {}, false},
                             {"pre_tokenizer", {}, false},
                             {"decoder", {}, false},
                             {"model", {}, false},
                             {"model.type", {}, false},
                             {"model.dropout", {}, false},
                             {"model.unk_token", {}, false},
                             {"model.continuing_subword_prefix", {}, false},
                             {"model.end_of_word_suffix", {}, false},
                             {"model.byte_fallback", {}, false},
                             {"model.ignore_merges", {}, false},
                             {"model.vocab", {}, false},
                             {"model.merges", {}, false}};
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_DETAIL_JSON_LOADER_HPP
