// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_GOLDEN_SEQUENCE_INPUT_HPP
#define HUNYUAN_RESO_TESTS_GOLDEN_SEQUENCE_INPUT_HPP

#include <hunyuan_reso/chat.hpp>
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

/// Thrown for an input that already the conversion into this library's terms refuses.
struct RefusedInput {
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

/// The tables in front of the cases of sequence.json.
class SequenceTables {
 public:
  explicit SequenceTables(const Json& root);

  const StandInTokenizer& tokenizer() const { return tokenizer_; }
  hunyuan_reso::ImageInfo image(const std::string& name) const;
  /// The profile of a release. The base release ran with the same stand-in tokenizer, so it gets its ratio tokens.
  hunyuan_reso::ModelProfile profile(const std::string& release) const;

 private:
  StandInTokenizer tokenizer_;
  std::map<std::string, Json> images_;
};

/// The kind of an image section or message; Errc::not_a_text stands for "text".
hunyuan_reso::Result<hunyuan_reso::ImageKind> image_kind(const std::string& type);

/// A conversation from a list of messages (role, type, content); Errc::unknown_role.
hunyuan_reso::Result<std::vector<hunyuan_reso::Message>> messages_of(const Json& list, const SequenceTables& tables);

/// What is given to apply_chat_template, in this library's terms.
struct ChatCall {
  std::vector<std::vector<hunyuan_reso::Message>> conversations{};
  hunyuan_reso::ChatOptions options{};
  std::int32_t unconditional_passes = 0;
  hunyuan_reso::Result<std::int32_t> max_length = hunyuan_reso::Errc::not_given;
  hunyuan_reso::Errc refused = hunyuan_reso::Errc::none;  ///< while reading the messages
  hunyuan_reso::Result<std::int32_t> image_base_size = hunyuan_reso::Errc::not_given;

  /// The profile at the call's base size, or at the profile's own.
  hunyuan_reso::Result<hunyuan_reso::Model> model(const hunyuan_reso::ModelProfile& profile) const {
    return hunyuan_reso::Model::create(profile, image_base_size.value_or(profile.trained_base_size));
  }
};

/// `entry`: a case with its input (and inner_messages). `absent_template` and `absent_mode` stand for what the input
/// does not say.
ChatCall chat_call_of(const Json& entry, const SequenceTables& tables, const std::string& absent_template,
                      const std::string& absent_mode);

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_GOLDEN_SEQUENCE_INPUT_HPP
