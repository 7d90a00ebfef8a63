// SPDX-License-Identifier: MIT
#include "json.hpp"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace hunyuan_reso_test {
namespace {

const nlohmann::json& node(const void* pointer) { return *static_cast<const nlohmann::json*>(pointer); }

}  // namespace

bool Json::is_null() const { return node(node_).is_null(); }
bool Json::is_boolean() const { return node(node_).is_boolean(); }
bool Json::is_integer() const {
  const nlohmann::json& json = node(node_);
  return json.is_number_integer() && (!json.is_number_unsigned() || json.get<std::uint64_t>() <= INT64_MAX);
}
bool Json::is_string() const { return node(node_).is_string(); }
bool Json::is_array() const { return node(node_).is_array(); }
bool Json::is_object() const { return node(node_).is_object(); }

std::int64_t Json::integer() const {
  if (!is_integer()) throw std::runtime_error("expected an integer, found " + dump());
  return node(node_).get<std::int64_t>();
}
bool Json::boolean() const { return node(node_).get<bool>(); }
std::string Json::text() const { return node(node_).get<std::string>(); }
double Json::number() const { return is_string() ? std::strtod(text().c_str(), nullptr) : node(node_).get<double>(); }

std::size_t Json::size() const { return node(node_).size(); }
Json Json::operator[](std::size_t i) const { return Json(&node(node_).at(i)); }
Json Json::operator[](const char* key) const { return Json(&node(node_).at(key)); }
bool Json::has(const char* key) const { return is_object() && node(node_).contains(key); }

std::vector<std::pair<std::string, Json>> Json::members() const {
  if (!is_object()) throw std::runtime_error("expected an object, found " + dump());
  std::vector<std::pair<std::string, Json>> result;
  for (const auto& item : node(node_).items()) result.emplace_back(item.key(), Json(&item.value()));
  return result;
}

std::vector<Json> Json::elements() const {
  if (!is_array()) throw std::runtime_error("expected an array, found " + dump());
  std::vector<Json> result;
  for (const nlohmann::json& item : node(node_)) result.push_back(Json(&item));
  return result;
}

std::string Json::dump() const {
  const std::string text = node(node_).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() <= 200 ? text : text.substr(0, 200) + "...";
}

JsonFile::JsonFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot be opened");
  node_ = std::make_shared<const nlohmann::json>(nlohmann::json::parse(stream));
}

}  // namespace hunyuan_reso_test
