// SPDX-License-Identifier: MIT
#include "model/json_file.hpp"

#include <fcntl.h>     // open
#include <sys/stat.h>  // fstat
#include <unistd.h>    // read, close

#include <cerrno>   // errno
#include <cmath>    // isfinite
#include <cstring>  // strerror
#include <set>      // set

#include "adapter/error.hpp"

namespace hunyuan_generate {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t max_size = std::int64_t{1} << 20U;

}  // namespace

std::string read_file(const std::filesystem::path& path, std::size_t at_most) {
  // Not blocking: opening a pipe would wait for a writer.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) throw Error(path.string() + ": cannot open: " + std::strerror(errno));
  struct stat status {};
  std::string reason;
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    reason = "not a regular file";
  } else if (static_cast<std::uint64_t>(status.st_size) > at_most) {
    reason = "larger than " + std::to_string(at_most) + " bytes";
  }
  std::string bytes(reason.empty() ? static_cast<std::size_t>(status.st_size) : 0, '\0');
  for (std::size_t done = 0; done < bytes.size() && reason.empty();) {
    const ssize_t count = ::read(file, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) reason = count < 0 ? std::strerror(errno) : "shorter than it was";
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  ::close(file);
  if (!reason.empty()) throw Error(path.string() + ": " + reason);
  return bytes;
}

Json parse_json(std::string_view text, const std::string& where, int max_depth) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    switch (event) {
      case Json::parse_event_t::object_start:
        keys.emplace_back();
        [[fallthrough]];
      case Json::parse_event_t::array_start:
        if (depth >= max_depth) throw Error(where + ": nested too deeply");
        break;
      case Json::parse_event_t::object_end:
        keys.pop_back();
        break;
      case Json::parse_event_t::key:
        if (!keys.back().insert(value.get<std::string>()).second) {
          throw Error(where + ": '" + value.get<std::string>() + "' occurs twice");
        }
        break;
      default:
        break;
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), watch);
  } catch (const Json::exception&) {
    throw Error(where + ": not valid JSON");
  }
}

Json read_json(const std::filesystem::path& path) { return parse_json(read_file(path), path.string()); }

JsonObject::JsonObject(const Json& object, std::string where) : object_(&object), where_(std::move(where)) {
  if (!object.is_object()) throw Error(where_ + " is not a JSON object");
}

void JsonObject::fail(const std::string& key, const std::string& why) const {
  throw Error(where_ + ": '" + key + "' " + why);
}

const Json* JsonObject::find(const std::string& key) const {
  const auto found = object_->find(key);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

JsonObject JsonObject::at(const std::string& key) const {
  const Json* value = find(key);
  if (value == nullptr) fail(key, "is missing");
  return {*value, where_ + ": '" + key + "'"};
}

std::int64_t JsonObject::to_size(const Json& value, const std::string& key, std::int64_t minimum) const {
  const bool good = value.is_number_integer() && value <= max_size && value >= minimum;
  if (!good) {
    fail(key,
         "is " + value.dump() + ", not an integer from " + std::to_string(minimum) + " to " + std::to_string(max_size));
  }
  return value.get<std::int64_t>();
}

std::int64_t JsonObject::size(const std::string& key, std::optional<std::int64_t> fallback,
                              std::int64_t minimum) const {
  const Json* value = find(key);
  if (value != nullptr) return to_size(*value, key, minimum);
  if (!fallback) fail(key, "is missing");
  return *fallback;
}

std::vector<std::int64_t> JsonObject::sizes(const std::string& key, std::size_t at_most) const {
  const Json* value = find(key);
  if (value == nullptr || !value->is_array() || value->empty() || value->size() > at_most) {
    fail(key, "is not a list of 1 to " + std::to_string(at_most) + " sizes");
  }
  std::vector<std::int64_t> list;
  for (const Json& item : *value) list.push_back(to_size(item, key));
  return list;
}

std::vector<std::int64_t> JsonObject::per_layer(const std::string& key, std::int64_t layers,
                                                std::optional<std::int64_t> fallback) const {
  const Json* value = find(key);
  if (value == nullptr || !value->is_array()) {
    return std::vector<std::int64_t>(static_cast<std::size_t>(layers), size(key, fallback));
  }
  if (value->size() != static_cast<std::size_t>(layers)) {
    fail(key, "has " + std::to_string(value->size()) + " entries for " + std::to_string(layers) + " layers");
  }
  std::vector<std::int64_t> list;
  for (const Json& item : *value) list.push_back(item.is_null() && fallback ? *fallback : to_size(item, key));
  return list;
}

double JsonObject::number(const std::string& key, double fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number() || !std::isfinite(value->get<double>())) fail(key, "is " + value->dump() + ", not a number");
  return value->get<double>();
}

double JsonObject::positive(const std::string& key, double fallback) const {
  const double value = number(key, fallback);
  if (!(value > 0)) fail(key, "is not positive");
  return value;
}

bool JsonObject::flag(const std::string& key, bool fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) fail(key, "is " + value->dump() + ", not true or false");
  return value->get<bool>();
}

std::string JsonObject::text(const std::string& key, const std::string& fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) fail(key, "is " + value->dump() + ", not a text");
  return value->get<std::string>();
}

void JsonObject::require(const std::string& key, const Json& only) const {
  const Json* value = find(key);
  if (value != nullptr && *value != only) {
    fail(key, "is " + value->dump() + "; only " + only.dump() + " is supported");
  }
}

void JsonObject::require_multiple(const std::string& key, std::int64_t value, std::int64_t divisor) const {
  if (value % divisor != 0) {
    fail(key, "has the value " + std::to_string(value) + ", which is not a multiple of " + std::to_string(divisor));
  }
}

void JsonObject::require_power_of_two(const std::string& key, std::int64_t value) const {
  if ((value & (value - 1)) != 0) fail(key, "is " + std::to_string(value) + ", not a power of two");
}

}  // namespace hunyuan_generate
