// SPDX-License-Identifier: MIT
#include "checked_json.hpp"

#include <unordered_set>

#include "encoding.hpp"
#include "failure.hpp"

namespace hunyuan_reso::cli {
namespace {

std::string joined(const std::vector<const char*>& words, const char* last) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? last : ", ") + std::string(words[i]);
  }
  return text;
}

const char* type_of(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_string()) return "a text";
  if (value.is_boolean()) return "true or false";
  return value.is_null() ? "null" : "a number";
}

/// Finds where a text stops being JSON, without an exception.
class FaultFinder : public nlohmann::json_sax<Json> {
 public:
  std::size_t byte = 0;
  std::string unreadable;  ///< why, of a text that is JSON; else empty

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string&, const Json::exception& error) override {
    constexpr int number_overflow = 406;
    byte = position;
    if (error.id == number_overflow) unreadable = error.what();
    return false;
  }
};

}  // namespace

std::string written(const Json& value) {
  if (value.is_structured()) return type_of(value);
  return spelled(value.dump(-1, ' ', false, Json::error_handler_t::replace), 40);
}

void refuse_key(const std::string& where, const std::string& reason) { throw Refusal(where + ": " + reason); }

Json parse_json(std::string_view text, const std::string& name) {
  const std::string fault = encoding_fault(text);
  if (!fault.empty()) refuse_key(name, fault);
  std::vector<std::unordered_set<std::string>> keys;  // of the objects that are open
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    const auto level = static_cast<std::size_t>(depth);
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      if (depth >= most_json_levels) {
        refuse_key(name, "the nesting is too deep: expected at most " + std::to_string(most_json_levels) + " levels");
      }
      if (keys.size() < level + 2) keys.resize(level + 2);
      keys[level + 1].clear();
    } else if (event == Json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys[level].insert(key).second) refuse_key(name, "the key '" + spelled(key) + "' is twice in one object");
    }
    return true;
  };
  Json json = Json::parse(text, check, false);
  if (!json.is_discarded()) return json;
  FaultFinder fault_of_text;
  (void)Json::sax_parse(text, &fault_of_text);
  if (!fault_of_text.unreadable.empty()) {
    refuse_key(name, "no JSON that can be read: " + printable(fault_of_text.unreadable, 100));
  }
  refuse_key(name, "no JSON: byte " + std::to_string(fault_of_text.byte) + ": expected well-formed JSON in UTF-8 here");
}

JsonObject::JsonObject(const Json& json, std::string where, const std::vector<const char*>& known)
    : json_(json), where_(std::move(where)) {
  if (!json.is_object()) refuse_key(where_, "expected an object, but got " + written(json));
  for (const auto& item : json.items()) {
    bool is_known = false;
    for (const char* key : known) is_known = is_known || item.key() == key;
    if (!is_known) {
      refuse_key(where_, "unknown key '" + spelled(item.key()) + "'; the keys are " + joined(known, " and "));
    }
  }
}

bool JsonObject::has(const char* key) const {
  const auto found = json_.find(key);
  return found != json_.end() && !found->is_null();
}

std::int64_t whole_of(const Json& value, const std::string& where, std::int64_t least, std::int64_t most) {
  const bool is_small =
      value.is_number_unsigned() ? value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX} : value.is_number_integer();
  if (is_small) {
    const auto number = value.get<std::int64_t>();
    if (number >= least && number <= most) return number;
  }
  refuse_key(where, "expected a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                        ", but got " + written(value));
}

std::int64_t JsonObject::whole(const char* key, std::int64_t least, std::int64_t most, std::int64_t otherwise) const {
  return has(key) ? whole_of(at(key), place(key), least, most) : otherwise;
}

bool JsonObject::flag(const char* key, bool otherwise) const {
  if (!has(key)) return otherwise;
  if (!at(key).is_boolean()) refuse_key(place(key), "expected true or false, but got " + written(at(key)));
  return at(key).get<bool>();
}

std::string JsonObject::text(const char* key, const std::string& otherwise) const {
  if (!has(key)) return otherwise;
  if (!at(key).is_string()) refuse_key(place(key), "expected a text, but got " + written(at(key)));
  return at(key).get<std::string>();
}

std::size_t JsonObject::word(const char* key, std::initializer_list<const char*> words, std::size_t otherwise) const {
  if (!has(key)) return otherwise;
  const std::string given = text(key);
  std::size_t i = 0;
  for (const char* word : words) {
    if (given == word) return i;
    ++i;
  }
  refuse_key(place(key),
             "expected " + joined({words.begin(), words.end()}, " or ") + ", but got '" + spelled(given) + "'");
}

}  // namespace hunyuan_reso::cli
