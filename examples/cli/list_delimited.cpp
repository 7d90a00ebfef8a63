// SPDX-License-Identifier: MIT
// CSV and TSV. A line without quotes is cut at its delimiters; a field in quotes, which may hold delimiters, quotes and
// line feeds, is read by libcsv.
#include <csv.h>

#include <cstring>

#include "failure.hpp"
#include "list_formats.hpp"

namespace hunyuan_reso::cli {
namespace {

bool is_padding(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_padding(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_padding(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view without_end(const std::string& line) { return {line.data(), line.size() - 1}; }

/// A record with fields in quotes, fed line by line.
class QuotedRecord {
 public:
  explicit QuotedRecord(char delimiter) : delimiter_(delimiter) { open(); }
  ~QuotedRecord() { csv_free(&parser_); }
  QuotedRecord(const QuotedRecord&) = delete;
  QuotedRecord& operator=(const QuotedRecord&) = delete;

  enum class State { complete, open, broken };
  /// `line` without its line end, whose first byte must follow in memory.
  State feed(std::string_view line) {
    const bool with_end = *(line.data() + line.size()) == '\n';  // else CRLF: a name keeps the line feed alone
    const std::size_t size = line.size() + (with_end ? 1 : 0);
    if (csv_parse(&parser_, line.data(), size, on_field, on_record, this) == size &&
        (with_end || csv_parse(&parser_, "\n", 1, on_field, on_record, this) == 1)) {
      return complete_ ? State::complete : State::open;
    }
    csv_free(&parser_);
    open();
    return State::broken;
  }
  /// Forgets what was fed.
  void restart() {
    csv_free(&parser_);
    open();
  }
  /// The fields of a complete record.
  void take(std::vector<std::string_view>& cells) {
    cells.clear();
    std::size_t start = 0;
    for (const std::size_t end : ends_) {
      cells.emplace_back(text_.data() + start, end - start);
      start = end;
    }
    complete_ = false;
    taken_ = true;
  }

 private:
  void open() {
    if (csv_init(&parser_, CSV_STRICT) != 0) throw Refusal("libcsv could not be started");
    csv_set_delim(&parser_, static_cast<unsigned char>(delimiter_));
    complete_ = false;
    clear();
  }
  void clear() {
    text_.clear();
    ends_.clear();
    taken_ = false;
  }
  static void on_field(void* field, std::size_t size, void* self) {
    auto& record = *static_cast<QuotedRecord*>(self);
    if (record.taken_) record.clear();
    record.text_.append(static_cast<const char*>(field), size);
    record.ends_.push_back(record.text_.size());
  }
  static void on_record(int, void* self) { static_cast<QuotedRecord*>(self)->complete_ = true; }

  csv_parser parser_{};
  char delimiter_;
  bool complete_ = false;
  bool taken_ = false;
  std::string text_;
  std::vector<std::size_t> ends_;
};

class DelimitedReader {
 public:
  DelimitedReader(const ListSource& source, char delimiter, Quotes quotes, ListSink& sink)
      : source_(source), sink_(sink), delimiter_(delimiter), quotes_(quotes), quoted_(delimiter) {}

  /// `line` without its line end, whose first byte follows in memory.
  void line(std::string_view line, std::uint64_t number) {
    if (!pending_.empty()) {
      pending_.push_back(std::string(line) + '\n');
      pending_bytes_ += line.size();
      return go_on();
    }
    if (line.empty()) return;
    if (!begins_with_quote(line)) {
      cut(line);
      return record(number);
    }
    switch (quoted_.feed(line)) {
      case QuotedRecord::State::complete:
        quoted_.take(cells_);
        return record(number);
      case QuotedRecord::State::broken:
        return refuse_quotes(line, number, "a quote inside a field must be doubled, and a field that has one quoted");
      case QuotedRecord::State::open:
        pending_line_ = number;
        pending_.assign(1, std::string(line) + '\n');
        pending_bytes_ = line.size();
    }
  }

  void finish() {
    while (!pending_.empty() && !sink_.stopped()) give_up();
    if (!started_ && !sink_.stopped()) sink_.begin(source_.format, false, false, 0);
  }

 private:
  /// Most bytes and lines of a record, so that a quote that is never closed does not swallow the list.
  static constexpr std::size_t most_pending_bytes = 65536;
  static constexpr std::size_t most_pending_lines = 100;

  /// Whether a field begins with a quote: other quotes stand for themselves.
  [[nodiscard]] bool begins_with_quote(std::string_view line) const {
    if (quotes_ == Quotes::none) return false;
    for (std::size_t at = line.find('"'); at != std::string_view::npos; at = line.find('"', at + 1)) {
      std::size_t before = at;
      while (before > 0 && is_padding(line[before - 1]) && line[before - 1] != delimiter_) --before;
      if (before == 0 || line[before - 1] == delimiter_) return true;
    }
    return false;
  }

  void cut(std::string_view line) {
    cells_.clear();
    // Only the columns that are looked at are needed, once they are known.
    const std::size_t needed = started_ ? last_ + 1 : line.size() + 1;
    while (cells_.size() < needed) {
      const std::size_t end = line.find(delimiter_);
      cells_.push_back(trimmed(line.substr(0, end)));
      if (end == std::string_view::npos) return;
      line.remove_prefix(end + 1);
    }
  }

  /// A record that a quote keeps open has got a further line.
  void go_on() {
    switch (quoted_.feed(without_end(pending_.back()))) {
      case QuotedRecord::State::complete:
        pending_.clear();
        quoted_.take(cells_);
        return record(pending_line_);
      case QuotedRecord::State::broken:
        return give_up();
      case QuotedRecord::State::open:
        if (pending_bytes_ > most_pending_bytes || pending_.size() > most_pending_lines) give_up();
    }
  }

  /// Refuses the line whose quote stays open, and reads those after it again.
  void give_up() {
    const std::vector<std::string> lines = std::move(pending_);
    pending_.clear();
    quoted_.restart();
    std::uint64_t number = pending_line_;
    refuse_quotes(without_end(lines[0]), number, "the quote is not closed");
    for (std::size_t i = 1; i < lines.size() && !sink_.stopped(); ++i) line(without_end(lines[i]), ++number);
  }

  void refuse_quotes(std::string_view line, std::uint64_t number, const char* reason) {
    if (!started_) throw Refusal("line " + std::to_string(number) + ", the header: " + reason);
    const std::size_t quote = line.find('"');
    const std::string_view shown = line.substr(quote + 1, line.find_first_of("\",", quote + 1) - quote - 1);
    sink_.refuse(number, shown, reason);
  }

  void record(std::uint64_t number) {
    if (!started_) {
      places_ = find_columns(cells_, source_.columns, takes_image_size(source_));
      last_ = places_.last();
      started_ = true;
      sink_.begin(source_.format + ", " + places_.sentence() + order_note(), places_.has(ColumnRole::name),
                  places_.has(ColumnRole::orientation), places_.has_header ? number : 0);
      if (places_.has_header) return;
    }
    EntryCells entry;
    for (std::size_t role = 0; role < column_roles; ++role) {
      const std::size_t place = places_.places[role];
      if (place >= cells_.size()) continue;
      entry.cells[role] = cells_[place];
      entry.given[role] = true;
    }
    for (const ColumnRole role : {ColumnRole::width, ColumnRole::height, ColumnRole::size}) {
      if (!places_.has(role) || entry.has(role)) continue;
      return sink_.refuse(number, entry.of(ColumnRole::name),
                          std::to_string(cells_.size()) + (cells_.size() == 1 ? " column" : " columns") + ", but the " +
                              name_of(role) + " is column " + std::to_string(places_.of(role) + 1));
    }
    hand_over(entry, number, order_of_sizes(source_), source_.reads_orientation, sink_);
  }

  [[nodiscard]] std::string order_note() const {
    if (!places_.has(ColumnRole::size)) return "";
    return order_of_sizes(source_) == SideOrder::width_height ? ", width first" : ", height first";
  }

  const ListSource& source_;
  ListSink& sink_;
  char delimiter_;
  Quotes quotes_;
  QuotedRecord quoted_;
  bool started_ = false;
  ColumnPlaces places_;
  std::size_t last_ = 0;
  std::vector<std::string_view> cells_;

  // The lines of a record that a quote keeps open.
  std::vector<std::string> pending_;
  std::size_t pending_bytes_ = 0;
  std::uint64_t pending_line_ = 0;
};

}  // namespace

void read_delimited(const ListSource& source, char delimiter, Quotes quotes, const LineReader::Block& first,
                    LineReader& reader, ListSink& sink) {
  DelimitedReader records(source, delimiter, quotes, sink);
  for_each_line(first, reader, sink, [&](std::string_view line, std::uint64_t number) { records.line(line, number); });
  records.finish();
}

}  // namespace hunyuan_reso::cli
