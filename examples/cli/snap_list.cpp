// SPDX-License-Identifier: MIT
// A list: read in blocks, snapped, filtered, counted, and written as it goes.
#include <cstring>
#include <hunyuan_reso/snap_batch.hpp>
#include <memory>

#include "failure.hpp"
#include "progress.hpp"
#include "size_list.hpp"
#include "snap.hpp"
#include "snap_writer.hpp"

namespace hunyuan_reso::cli {
namespace {

class ListSnapper final : public ListSink {
 public:
  explicit ListSnapper(SnapTask& task)
      : task_(task),
        options_(task.options),
        output_(options_.output.path),
        writer_(output_, task.buckets, options_.output.format),
        progress_(!options_.quiet && is_terminal(2) && (!options_.output.path.empty() || !is_terminal(1))),
        writes_rows_(!task.writes_summary()),
        filters_(task.limits.any()),
        follows_(task.buckets.follows_requests()),
        width_first_(task.order() == SideOrder::width_height),
        table_(SnapTable::create(task.buckets.group())) {
    for (std::size_t i = 0; i < task.buckets.group().size(); ++i) {
      rows_.push_back(task.buckets.row(i));
      targets_.emplace_back(rows_[i].size);
    }
  }

  int run(const std::string& path) {
    const InputFile file(path);
    LineReader reader(file.descriptor());
    const bool has_columns = !options_.from.empty() && options_.from != "sizes";
    if (has_columns) {
      ListSource source;
      source.format = options_.from;
      if (!options_.columns.empty()) source.columns = ColumnChoice::parse(options_.columns);
      source.order = task_.order();
      source.reads_orientation = !options_.ignore_orientation;
      read_list(source, reader, *this);
    } else {
      read_sizes(reader);
    }
    finish();
    return task_.statistics.refused() == 0 ? exit_success : exit_refused;
  }

  // What the readers of other formats hand over.

  void begin(const std::string& reading, bool has_names, bool has_orientations, std::uint64_t header_lines) override {
    task_.statistics.set_reading(reading, header_lines);
    columns_.names = has_names;
    columns_.orientations = has_orientations && !options_.ignore_orientation;
    columns_.crop = options_.crop;
    columns_.drops = filters_;
    has_plain_rows_ = !columns_.names && !columns_.crop && !columns_.drops;
    if (writes_rows_) writer_.header(columns_);
  }
  void entry(const ListEntry& entry) override {
    const bool turns = entry.orientation >= 5 && !options_.ignore_orientation;
    if (turns) task_.statistics.add_turned();
    SnapRow row;
    row.line = entry.line;
    row.name = entry.name;
    row.orientation = entry.orientation;
    row.requested = ImageSize::of_pixels(turns ? oriented(entry.stored, entry.orientation) : entry.stored);
    if (const Errc error = snap(row); error != Errc::none) refuse(row.line, row.name, task_.buckets.reason(error));
  }
  void refuse(std::uint64_t line, std::string_view name, const std::string& reason) override {
    std::string place = "line " + std::to_string(line);
    if (!name.empty()) place += ", " + printable(name);
    refuse(place + ": " + reason);
  }
  void lines_read(std::uint64_t lines, bool more_waiting) override {
    line_ = lines;
    if (!more_waiting) output_.flush();
    progress_.show(lines);
  }
  [[nodiscard]] bool stopped() const override { return stopped_; }

 private:
  static constexpr std::size_t batch_size = 2048;
  static constexpr std::uint64_t refusals_in_full = 10;

  /// The plain list, a size a line.
  void read_sizes(LineReader& reader) {
    begin(width_first_ ? "sizes, width first" : "sizes, height first", false, false, 0);
    for (LineReader::Block block = reader.next(); !block.at_end && !stopped_; block = reader.next()) {
      if (block.too_long) {
        ++line_;
        refuse(point_at("line " + std::to_string(line_), block.lines, LineReader::longest_line,
                        "expected a line of at most " + std::to_string(LineReader::longest_line) + " bytes"));
      } else {
        snap_lines(block.lines);
      }
      finish_batch();
      if (!stopped_) lines_read(line_, block.more_waiting);
    }
  }

  void snap_lines(std::string_view lines) {
    const char* text = lines.data();
    const char* const end = text + lines.size();
    const bool takes_plain_lines = has_plain_rows_ && !follows_;
    PlainPair pair;
    while (text != end && !stopped_) {
      ++line_;
      if (takes_plain_lines && read_plain_pair(text, pair)) {
        const auto first = static_cast<std::int32_t>(pair.first);
        const auto second = static_cast<std::int32_t>(pair.second);
        heights_[batched_] = width_first_ ? second : first;
        widths_[batched_] = width_first_ ? first : second;
        numbers_[batched_] = line_;
        if (++batched_ == batch_size) finish_batch();
        continue;
      }
      const auto* line_feed = static_cast<const char*>(std::memchr(text, '\n', static_cast<std::size_t>(end - text)));
      finish_batch();
      snap_any({text, static_cast<std::size_t>(line_feed - text)});
      text = line_feed + 1;
    }
  }

  void finish_batch() {
    snap_batch(task_.buckets.group(), widths_, heights_, indices_, batched_);
    for (std::size_t i = 0; i < batched_; ++i) {
      const Resolution size{heights_[i], widths_[i]};
      const std::size_t ratio_index = indices_[i];
      task_.statistics.add(ratio_index, size, targets_[ratio_index].loss(size), numbers_[i], {});
      if (writes_rows_) writer_.write_row(numbers_[i], size, ratio_index);
    }
    batched_ = 0;
  }

  /// Every kind of line of the plain list.
  void snap_any(std::string_view line) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    std::size_t start = 0;
    while (start < line.size() && detail::is_blank(line[start])) ++start;
    if (start == line.size() || line[start] == '#') return;
    const std::string place = "line " + std::to_string(line_);
    SnapRow row;
    row.line = line_;
    const Result<ImageSize> requested = parse_size(line, task_.buckets.selection().profile(), task_.order());
    if (!requested) {
      return refuse(point_at(place, line, requested.position(), size_refusal(line, requested, task_.order())));
    }
    if (const std::string doubt = size_doubt(line, *requested, task_.order()); !doubt.empty() && ++doubts_ == 1) {
      doubt_ = place + ": '" + spelled(line) + "': " + doubt;
    }
    row.requested = *requested;
    if (const Errc error = snap(row); error != Errc::none) {
      refuse(point_at(place, line, start, task_.buckets.reason(error)));
    }
  }

  /// Snaps, filters, counts and writes.
  Errc snap(SnapRow& row) {
    const bool has_pixels = row.requested.kind == ImageSizeKind::pixels;
    const Resolution size = row.requested.size;
    std::size_t bucket = 0;
    Place place;
    if (has_pixels && !follows_) {
      bucket = table_ ? table_->snap(size) : task_.buckets.group().snap(size);
      row.place = &rows_[bucket];
      row.is_row = true;
      row.loss = targets_[bucket].loss(size);
    } else {
      const Result<Place> found = task_.buckets.place(row.requested);
      if (!found) return found.error();
      place = *found;
      row.place = &place;
      bucket = task_.statistics.bucket_of(place);
      if (has_pixels) row.loss = CropTarget(place.size).loss(size);
    }
    std::string reason;
    if (filters_ && has_pixels) row.drop = task_.limits.check(size, row.loss);
    if (row.drop != Drop::none) {
      task_.statistics.add_dropped(row.drop);
      reason = task_.limits.reason(row.drop, size, row.loss);
      row.reason = reason;
      row.place = nullptr;
      row.is_row = false;
    } else if (has_pixels) {
      task_.statistics.add(bucket, size, row.loss, row.line, row.name);
    } else {
      task_.statistics.add(bucket, row.line, row.name);
    }
    if (writes_rows_) writer_.write(row);
    return Errc::none;
  }

  void refuse(const std::string& reason) {
    task_.statistics.add_refused();
    if (task_.statistics.refused() <= refusals_in_full) {
      progress_.clear();
      write_error("hunyuan-reso: " + reason + '\n');
    }
    stopped_ = options_.strict;
  }

  void finish() {
    progress_.clear();
    if (stopped_) return;
    if (task_.statistics.refused() > refusals_in_full) {
      write_error("hunyuan-reso: " + std::to_string(task_.statistics.refused() - refusals_in_full) +
                  " more lines were refused\n");
    }
    if (doubts_ > 0) {
      write_error("hunyuan-reso: " + doubt_ +
                  (doubts_ == 1 ? "\n" : " (and " + std::to_string(doubts_ - 1) + " more such lines)\n"));
    }
    task_.statistics.set_lines(line_);
    if (!writes_rows_) output_.write(task_.summary_text());
    output_.finish();
    task_.write_summary_file();
    if (writes_rows_ && !options_.quiet) write_error(task_.statistics.text());
  }

  SnapTask& task_;
  const SnapOptions& options_;
  Output output_;
  SnapWriter writer_;
  Progress progress_;
  bool writes_rows_;
  bool filters_;
  bool follows_;
  bool width_first_;
  bool stopped_ = false;
  bool has_plain_rows_ = false;
  SnapColumns columns_;
  std::uint64_t line_ = 0;
  std::uint64_t doubts_ = 0;
  std::string doubt_;  // the first one
  std::vector<Place> rows_;
  std::vector<CropTarget> targets_;
  Result<SnapTable> table_;  // none for a list of rows that it does not take

  // Sizes that wait to be snapped.
  std::size_t batched_ = 0;
  std::int32_t heights_[batch_size];
  std::int32_t widths_[batch_size];
  std::uint64_t numbers_[batch_size];
  std::uint8_t indices_[batch_size];
};

}  // namespace

int snap_list(SnapTask& task, const std::string& path) { return std::make_unique<ListSnapper>(task)->run(path); }

}  // namespace hunyuan_reso::cli
