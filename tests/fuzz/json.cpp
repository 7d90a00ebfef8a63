// SPDX-License-Identifier: MIT
// The tokenizer's JSON reader beside nlohmann-json: the same texts are accepted, and the same keys, texts, words and
// numbers come out.
#include <hunyuan_reso/text/json.hpp>

#include <nlohmann/json.hpp>
#include <vector>

#include "fuzz.hpp"

namespace {

namespace text = hunyuan_reso::text;

/// Values and keys in order, as texts that begin with what they are.
using Events = std::vector<std::string>;

class Peer : public nlohmann::json_sax<nlohmann::json> {
 public:
  Events events;
  int depth = 0;
  int deepest = 0;
  bool is_overflow = false;  ///< a number that a double cannot hold: no error of grammar

  bool null() override { return add("null"); }
  bool boolean(bool value) override { return add(value ? "true" : "false"); }
  bool number_integer(number_integer_t) override { return add("number"); }
  bool number_unsigned(number_unsigned_t value) override {
    return add(value <= 1000000 ? "number " + std::to_string(value) : "number");
  }
  bool number_float(number_float_t, const string_t&) override { return add("number"); }
  bool string(string_t& value) override { return add("text " + value); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open("{"); }
  bool key(string_t& name) override { return add("key " + name); }
  bool end_object() override { return close("}"); }
  bool start_array(std::size_t) override { return open("["); }
  bool end_array() override { return close("]"); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
    is_overflow = error.id == 406;
    return false;
  }

 private:
  bool add(std::string event) {
    events.push_back(std::move(event));
    return true;
  }
  bool open(const char* event) {
    if (++depth > deepest) deepest = depth;
    return add(event);
  }
  bool close(const char* event) {
    --depth;
    return add(event);
  }
};

/// The same through the reader's typed calls.
bool walk(text::detail::JsonReader& reader, Events& events, int depth) {
  if (depth > text::detail::JsonReader::max_depth) return false;
  const char kind = reader.peek();
  std::string_view value;
  switch (kind) {
    case '{':
      events.emplace_back("{");
      if (!reader.enter('{', "an object")) return false;
      while (reader.next_key(value)) {
        events.push_back("key " + std::string(value));
        if (!walk(reader, events, depth + 1)) return false;
      }
      events.emplace_back("}");
      return reader.ok();
    case '[':
      events.emplace_back("[");
      if (!reader.enter('[', "an array")) return false;
      while (reader.next_element()) {
        if (!walk(reader, events, depth + 1)) return false;
      }
      events.emplace_back("]");
      return reader.ok();
    case '"':
      if (!reader.read_string(value, "a text")) return false;
      events.push_back("text " + std::string(value));
      return true;
    case '0': {
      text::detail::JsonReader ahead = reader;
      std::uint32_t number = 0;
      const bool is_small = ahead.read_number(number, 1000000, "a number");
      events.push_back(is_small ? "number " + std::to_string(number) : "number");
      return reader.skip_value();
    }
    case 't':
    case 'f': {
      bool word = false;
      if (!reader.read_bool(word, "a word")) return false;
      events.emplace_back(word ? "true" : "false");
      return true;
    }
    case 'n':
      events.emplace_back("null");
      return reader.skip_value();
    default:
      return false;
  }
}

}  // namespace

FUZZ_TARGET(json) {
  if (text::detail::valid_prefix(input) != input.size()) return;  // the loader has refused it
  // The peer passes over a byte order mark, and ends at a zero byte.
  if (input.substr(0, 3) == "\xEF\xBB\xBF" || input.find('\0') != std::string_view::npos) return;
  Peer peer;
  const bool is_good = nlohmann::json::sax_parse(input.begin(), input.end(), &peer);

  text::detail::JsonReader skipping(input);
  const bool is_skipped = skipping.skip_value() && skipping.expect_end();
  ALWAYS(is_skipped == skipping.ok() && skipping.error().position <= input.size());
  ALWAYS(is_skipped || !skipping.error().what.empty());

  text::detail::JsonReader reader(input);
  Events events;
  const bool is_walked = walk(reader, events, 1) && reader.expect_end();
  ALWAYS(is_walked == is_skipped);
  if (peer.is_overflow) return;
  if (peer.deepest > text::detail::JsonReader::max_depth) return ALWAYS(!is_skipped);
  ALWAYS(is_skipped == is_good);
  if (is_good) ALWAYS(events == peer.events);
}
