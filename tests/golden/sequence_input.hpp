// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_GOLDEN_SEQUENCE_INPUT_HPP
#define HUNYUAN_RESO_TESTS_GOLDEN_SEQUENCE_INPUT_HPP

#include <hunyuan_reso/chat_template.hpp>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json.hpp"

namespace hunyuan_reso_test {

/// Thrown for a recorded case that this library cannot express, before anything of it is checked.
struct NotApplicable {
  std::string reason;
};

/// Throws NotApplicable for a key that no test handles, so that it is never passed over in silence.
void only_known_keys(const Json& object, std::initializer_list<const char*> known, const std::string& what);
/// Present and not null.
bool given(const Json& object, const char* key);
bool flag(const Json& object, const char* key, bool absent);

/// The text encoder that the files were recorded with: special tokens anywhere, longest first; else 1000 + byte.
class StandInTokenizer {
 public:
  explicit StandInTokenizer(const Json& special_tokens);
  std::vector<hunyuan_reso::TokenId> operator()(std::string_view text) const;
  bool has(const std::string& name) const;
  const std::vector<std::pair<std::string, hunyuan_reso::TokenId>>& names() const { return names_; }  ///< longest first

 private:
  std::vector<std::pair<std::string, hunyuan_reso::TokenId>> names_;
};

struct NamedImage {
  hunyuan_reso::SectionKind kind = hunyuan_reso::SectionKind::gen_image;
  hunyuan_reso::ImageBlock block{};
};

/// The tables in front of the cases of sequence.json.
class SequenceTables {
 public:
  explicit SequenceTables(const Json& root);

  const StandInTokenizer& tokenizer() const { return tokenizer_; }
  NamedImage image(const std::string& name) const;
  /// The profile of a release. The base release ran with the same stand-in tokenizer, so it gets its ratio tokens.
  hunyuan_reso::ModelProfile profile(const std::string& release) const;

 private:
  StandInTokenizer tokenizer_;
  std::map<std::string, Json> images_;
};

hunyuan_reso::SectionKind section_kind(const std::string& type);

/// A conversation from a list of messages (role, type, content); Errc::unknown_role.
hunyuan_reso::Result<std::vector<hunyuan_reso::Message>> messages_of(const Json& list, const SequenceTables& tables);

/// What is given to apply_chat_template, in this library's terms.
struct ChatCall {
  std::vector<std::vector<hunyuan_reso::Message>> conversations{};
  hunyuan_reso::ChatOptions options{};
  std::int32_t unconditional_passes = 0;
  std::int32_t max_length = -1;
  hunyuan_reso::Errc refused = hunyuan_reso::Errc::none;  ///< while reading the messages
  std::int32_t image_base_size = -1;                      ///< -1: not given
};

/// `entry`: a case with its input (and inner_messages). What is absent in the input is `absent_template`, gen_text.
ChatCall chat_call_of(const Json& entry, const SequenceTables& tables, hunyuan_reso::ChatTemplate absent_template,
                      const std::string& absent_mode);

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_GOLDEN_SEQUENCE_INPUT_HPP
