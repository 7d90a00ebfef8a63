// SPDX-License-Identifier: MIT
// JSON lines, and an array of objects such as exiftool -j writes: read as it comes, without a document in memory.
#include <iterator>

#include "failure.hpp"
#include "list_formats.hpp"
#include "table_text.hpp"

namespace hunyuan_reso::cli {
namespace {

/// Receives the parser's events. Of each object at `object_depth` it keeps what says something about a picture.
class ObjectHandler : public nlohmann::json_sax<Json> {
 public:
  ObjectHandler(const ListSource& source, ListSink& sink, int object_depth)
      : source_(source), sink_(sink), object_depth_(object_depth) {}

  std::uint64_t line = 0;  ///< where the parser is

  bool null() override { return scalar("", "null"); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false", "true or false"); }
  bool number_integer(number_integer_t value) override { return scalar(std::to_string(value), "a number"); }
  bool number_unsigned(number_unsigned_t value) override { return scalar(std::to_string(value), "a number"); }
  bool number_float(number_float_t, const string_t& text) override { return scalar(text, "a number"); }
  bool string(string_t& text) override { return scalar(text, "a text"); }
  bool binary(binary_t&) override { return scalar("", "bytes"); }

  bool start_object(std::size_t) override {
    if (++depth_ != object_depth_) {
      role_ = none;
      return true;
    }
    begin_line_ = line;
    for (std::size_t role = 0; role < column_roles; ++role) {
      given_[role] = false;
      texts_[role].clear();
    }
    twice_.clear();
    return true;
  }
  bool key(string_t& name) override {
    role_ = none;
    if (depth_ != object_depth_) return true;
    key_ = name;
    for (std::size_t role = 0; role < column_roles; ++role) {
      if (source_.columns.sources[role].name == name && !name.empty()) return take_key(role, 0);
    }
    const RecognizedColumn column = recognize_column(name, takes_image_size(source_));
    if (!column.known || source_.columns.of(column.role).chosen()) return true;
    return take_key(static_cast<std::size_t>(column.role), column.rank);
  }
  bool end_object() override {
    if (depth_-- != object_depth_) return true;
    finish_object();
    return !sink_.stopped();
  }
  bool start_array(std::size_t) override {
    ++depth_;
    role_ = none;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t position, const std::string& token, const Json::exception& error) override {
    error_position = position;
    const std::string text = error.what();
    const std::size_t colon = text.find(": ");
    error_text = colon == std::string::npos ? text : text.substr(colon + 2);
    // What was read last is quoted by the parser: made fit for a terminal, and cut.
    if (const std::size_t last = error_text.find("; last read: "); last != std::string::npos) error_text.erase(last);
    error_text += " at '" + printable(token, 30) + "'";
    return false;
  }

  std::size_t error_position = 0;
  std::string error_text;
  std::uint64_t objects = 0;

 private:
  static constexpr std::size_t none = column_roles;

  bool take_key(std::size_t role, int rank) {
    const bool is_name = role == static_cast<std::size_t>(ColumnRole::name);
    if (given_[role] && !is_name) twice_ = key_;
    if (given_[role] && is_name && rank >= name_rank_) return true;
    if (is_name) name_rank_ = rank;
    given_[role] = true;
    texts_[role].clear();
    role_ = role;
    return true;
  }

  bool scalar(const std::string& text, const char* kind) {
    if (depth_ == object_depth_ && role_ != none) {
      texts_[role_] = text;
      role_ = none;
    } else if (depth_ < object_depth_) {
      sink_.refuse(line, "", std::string("expected an object, but got ") + kind);
    }
    return true;
  }

  void finish_object() {
    ++objects;
    EntryCells cells;
    for (std::size_t role = 0; role < column_roles; ++role) {
      cells.cells[role] = texts_[role];
      cells.given[role] =
          given_[role] && !(texts_[role].empty() && role == static_cast<std::size_t>(ColumnRole::orientation));
    }
    if (!twice_.empty()) {
      return sink_.refuse(
          begin_line_, cells.of(ColumnRole::name),
          "the key '" + printable(twice_) + "' says again what another one says: choose with --columns");
    }
    if (cells.has(ColumnRole::width) && cells.has(ColumnRole::height)) {
      cells.given[static_cast<std::size_t>(ColumnRole::size)] = false;
    }
    hand_over(cells, begin_line_, order_of_sizes(source_), source_.reads_orientation, sink_);
  }

  const ListSource& source_;
  ListSink& sink_;
  int object_depth_;
  int depth_ = 0;
  std::size_t role_ = none;
  std::string key_;
  std::string twice_;
  int name_rank_ = 0;
  std::uint64_t begin_line_ = 0;
  std::array<std::string, column_roles> texts_;
  std::array<bool, column_roles> given_{};
};

std::string key_sentence(const ListSource& source) {
  std::string text = source.format + ", sides from the keys ";
  const auto key = [&](ColumnRole role, const char* usual) {
    const std::string& name = source.columns.of(role).name;
    return name.empty() ? std::string(usual) : "'" + printable(name, 30) + "'";
  };
  return text + key(ColumnRole::width, "width (ImageWidth, w)") + " and " +
         key(ColumnRole::height, "height (ImageHeight, h)");
}

void check_columns(const ListSource& source) {
  for (std::size_t role = 0; role < column_roles; ++role) {
    if (source.columns.sources[role].number == 0) continue;
    throw UsageError("--columns " + std::string(name_of(static_cast<ColumnRole>(role))) +
                     ": JSON has keys and no numbered columns, for example --columns height=original_height");
  }
}

/// The bytes of a list, one at a time.
class ByteSource {
 public:
  ByteSource(const LineReader::Block& first, LineReader& reader, ListSink& sink)
      : block_(first), reader_(reader), sink_(sink) {
    refill();
  }
  [[nodiscard]] bool at_end() const { return block_.at_end; }
  [[nodiscard]] char front() const { return block_.lines[at_]; }
  [[nodiscard]] std::uint64_t line() const { return lines_ + 1; }
  void advance() {
    if (block_.lines[at_++] == '\n') ++lines_;
    refill();
  }

 private:
  void refill() {
    while (!block_.at_end && at_ == block_.lines.size()) {
      sink_.lines_read(lines_, block_.more_waiting);
      block_ = reader_.next_bytes();
      at_ = 0;
    }
  }

  LineReader::Block block_;
  LineReader& reader_;
  ListSink& sink_;
  std::size_t at_ = 0;
  std::uint64_t lines_ = 0;
};

/// The same as an input iterator; tells the handler which line it is in.
class ByteIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  ByteIterator() = default;
  ByteIterator(ByteSource& source, ObjectHandler& handler) : source_(&source), handler_(&handler) {}

  char operator*() const { return source_->front(); }
  ByteIterator& operator++() {
    handler_->line = source_->line();
    source_->advance();
    return *this;
  }
  ByteIterator operator++(int) {
    const ByteIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const ByteIterator& a, const ByteIterator& b) { return a.at_end() == b.at_end(); }
  friend bool operator!=(const ByteIterator& a, const ByteIterator& b) { return !(a == b); }

 private:
  [[nodiscard]] bool at_end() const { return source_ == nullptr || source_->at_end(); }

  ByteSource* source_ = nullptr;
  ObjectHandler* handler_ = nullptr;
};

}  // namespace

void read_json_lines(const ListSource& source, const LineReader::Block& first, LineReader& reader, ListSink& sink) {
  check_columns(source);
  sink.begin(key_sentence(source), true, false, 0);
  for_each_line(first, reader, sink, [&](std::string_view line, std::uint64_t number) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) return;
    ObjectHandler handler(source, sink, 1);
    handler.line = number;
    if (Json::sax_parse(line.begin(), line.end(), &handler) || handler.error_text.empty()) return;
    if (handler.objects > 0) return sink.refuse(number, "", "expected one object a line: " + handler.error_text);
    sink.refuse(number, "",
                "expected a JSON object: byte " + std::to_string(handler.error_position) + ": " + handler.error_text);
  });
}

void read_json_array(const ListSource& source, const LineReader::Block& first, LineReader& reader, ListSink& sink) {
  check_columns(source);
  sink.begin(key_sentence(source), true, false, 0);
  ObjectHandler handler(source, sink, 2);
  handler.line = 1;
  ByteSource bytes(first, reader, sink);
  if (Json::sax_parse(ByteIterator(bytes, handler), ByteIterator(), &handler)) return;
  if (handler.error_text.empty()) return;  // the sink has had enough
  sink.refuse(handler.line, "", "the JSON array ends here, since it is malformed: " + handler.error_text);
}

}  // namespace hunyuan_reso::cli
