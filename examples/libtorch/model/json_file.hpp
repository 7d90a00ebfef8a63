// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_JSON_FILE_HPP
#define HUNYUAN_GENERATE_JSON_FILE_HPP

#include <cstdint>     // int64_t
#include <filesystem>  // path
#include <nlohmann/json.hpp>
#include <optional>     // optional
#include <string>       // string
#include <string_view>  // string_view
#include <vector>       // vector

namespace hunyuan_generate {

/// The bytes of a file. Throws Error naming it when it is no regular file or larger than `at_most` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t at_most = std::size_t{1} << 30U);

/// Reads JSON. Throws Error naming `where`, and the key where one is at fault, when it is not valid, nested more than
/// `max_depth` deep, or holds a key twice.
nlohmann::json parse_json(std::string_view text, const std::string& where, int max_depth = 64);
nlohmann::json read_json(const std::filesystem::path& path);

/// One object of a file together with the name of where it stands. Every refusal throws Error naming both and the key:
/// values of another type, outside their range or not finite. Absent and null are the same.
class JsonObject {
 public:
  /// `object` must outlive this.
  JsonObject(const nlohmann::json& object, std::string where);

  [[noreturn]] void fail(const std::string& key, const std::string& why) const;
  /// The value, or a null pointer when the key is absent or null.
  [[nodiscard]] const nlohmann::json* find(const std::string& key) const;
  /// The object under a key that must be there.
  [[nodiscard]] JsonObject at(const std::string& key) const;

  /// An integer from `minimum` to 2^20, far above every published size; products of three of them do not overflow.
  [[nodiscard]] std::int64_t size(const std::string& key, std::optional<std::int64_t> fallback = std::nullopt,
                                  std::int64_t minimum = 1) const;
  [[nodiscard]] std::vector<std::int64_t> sizes(const std::string& key, std::size_t at_most) const;
  /// A value for every layer, from an int (the same for all) or a list with one entry a layer. Null means `fallback`.
  [[nodiscard]] std::vector<std::int64_t> per_layer(const std::string& key, std::int64_t layers,
                                                    std::optional<std::int64_t> fallback) const;
  [[nodiscard]] double number(const std::string& key, double fallback) const;
  [[nodiscard]] double positive(const std::string& key, double fallback) const;
  [[nodiscard]] bool flag(const std::string& key, bool fallback) const;
  [[nodiscard]] std::string text(const std::string& key, const std::string& fallback) const;

  /// For keys of which only one value is computed here; absent and null count as that value.
  void require(const std::string& key, const nlohmann::json& only) const;
  void require_multiple(const std::string& key, std::int64_t value, std::int64_t divisor) const;
  void require_power_of_two(const std::string& key, std::int64_t value) const;

 private:
  [[nodiscard]] std::int64_t to_size(const nlohmann::json& value, const std::string& key,
                                     std::int64_t minimum = 1) const;

  const nlohmann::json* object_;
  std::string where_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_JSON_FILE_HPP
