// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_CHECKED_JSON_HPP
#define HUNYUAN_RESO_CLI_CHECKED_JSON_HPP

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "table_text.hpp"

namespace hunyuan_reso::cli {

/// Deepest nesting of a document.
inline constexpr int most_json_levels = 64;

/// A document from outside. Throws Refusal that begins with `name` and says where and what is wrong: another encoding,
/// no JSON, nesting too deep, a key twice in one object.
[[nodiscard]] Json parse_json(std::string_view text, const std::string& name);

/// Throws Refusal "WHERE: REASON".
[[noreturn]] void refuse_key(const std::string& where, const std::string& reason);

/// A value as it was written, cut short, for messages.
[[nodiscard]] std::string written(const Json& value);

/// An object whose keys are known; a key whose value is null counts as left out. Every refusal names the key.
class JsonObject {
 public:
  /// `where`: its place in the document, "request.gen". Refuses what is no object, and other keys than the known ones.
  JsonObject(const Json& json, std::string where, const std::vector<const char*>& known);

  [[nodiscard]] bool has(const char* key) const;
  /// The place of a key, "request.gen.kind".
  [[nodiscard]] std::string place(const std::string& key) const { return where_ + "." + key; }
  [[nodiscard]] const std::string& where() const { return where_; }
  /// The value, which must be there.
  [[nodiscard]] const Json& at(const char* key) const { return json_[key]; }

  [[nodiscard]] std::int64_t whole(const char* key, std::int64_t least, std::int64_t most,
                                   std::int64_t otherwise) const;
  [[nodiscard]] bool flag(const char* key, bool otherwise) const;
  [[nodiscard]] std::string text(const char* key, const std::string& otherwise = "") const;
  /// The number of one of these words.
  [[nodiscard]] std::size_t word(const char* key, std::initializer_list<const char*> words,
                                 std::size_t otherwise) const;

 private:
  const Json& json_;
  std::string where_;
};

/// A whole number; throws Refusal.
[[nodiscard]] std::int64_t whole_of(const Json& value, const std::string& where, std::int64_t least, std::int64_t most);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_CHECKED_JSON_HPP
