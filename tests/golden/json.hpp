// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_GOLDEN_JSON_HPP
#define HUNYUAN_RESO_TESTS_GOLDEN_JSON_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace hunyuan_reso_test {

/// A value in a JSON document. A thin front for nlohmann-json, whose header is included in json.cpp alone, since it
/// takes longer to compile than all checks together. Reading a value as what it is not throws std::exception.
class Json {
 public:
  bool is_null() const;
  bool is_boolean() const;
  bool is_integer() const;  ///< and fits 64 bits
  bool is_string() const;
  bool is_array() const;
  bool is_object() const;

  std::int64_t integer() const;
  bool boolean() const;
  std::string text() const;
  /// A number, or a text as strtod reads it (hexadecimal floating point).
  double number() const;

  /// Of an array or object.
  std::size_t size() const;
  Json operator[](std::size_t i) const;
  Json operator[](const char* key) const;
  bool has(const char* key) const;
  std::vector<std::pair<std::string, Json>> members() const;
  std::vector<Json> elements() const;

  /// As JSON text, for messages; cut off after some characters.
  std::string dump() const;

 private:
  friend class JsonFile;
  explicit Json(const void* node) : node_(node) {}
  const void* node_;
};

/// A JSON file in memory; the Json values point into it. The constructor throws std::exception on malformed text.
class JsonFile {
 public:
  explicit JsonFile(const std::string& path);
  Json root() const { return Json(node_.get()); }

 private:
  std::shared_ptr<const void> node_;
};

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_GOLDEN_JSON_HPP
