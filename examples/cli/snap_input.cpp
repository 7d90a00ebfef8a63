// SPDX-License-Identifier: MIT
// The list of sizes on standard input: read in blocks, snapped in batches, written as it goes.
#include <chrono>
#include <hunyuan_reso/snap_batch.hpp>

#include "failure.hpp"
#include "snap.hpp"
#include "snap_writer.hpp"

namespace hunyuan_reso::cli {
namespace {

/// "12.3 M lines, 20.5 M/s" on the last line of a terminal, a few times a second.
class Progress {
 public:
  explicit Progress(bool shown) : shown_(shown) {}

  void show(std::uint64_t lines) {
    if (!shown_) return;
    const Clock::time_point now = Clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds(250);
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double millions = static_cast<double>(lines) / 1e6;
    write_error("\r" + fixed(millions, 1) + " M lines, " + fixed(millions / seconds, 1) + " M/s   ");
    written_ = true;
  }
  void clear() {
    if (written_) write_error("\r" + std::string(50, ' ') + "\r");
    written_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool shown_;
  bool written_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_ + std::chrono::seconds(1);
};

class ListSnapper {
 public:
  ListSnapper(const SnapOptions& options, const Model& model)
      : options_(options),
        model_(model),
        output_(options.output.path),
        writer_(output_, model, options.output.format, options.crop),
        statistics_(model),
        progress_(!options.quiet && is_terminal(2) && (!options.output.path.empty() || !is_terminal(1))),
        takes_plain_lines_(model.grid_mode == GridMode::snap && (options.summary || !options.crop)),
        width_first_(options.side_order() == SideOrder::width_height) {
    for (std::size_t i = 0; i < model.group.size(); ++i) targets_.emplace_back(model.group[i]);
  }

  int run() {
    LineReader reader(0);
    if (!options_.summary) writer_.header();
    for (LineReader::Block block = reader.next(); !block.at_end; block = reader.next()) {
      if (block.too_long) {
        ++line_;
        refuse(block.lines, LineReader::longest_line,
               "expected a line of at most " + std::to_string(LineReader::longest_line) + " bytes");
      } else {
        snap_lines(block.lines);
      }
      finish_batch();
      if (stopped_) return exit_refused;
      if (!block.more_waiting) output_.flush();
      progress_.show(line_);
    }
    progress_.clear();
    if (statistics_.refused() > refusals_in_full) {
      write_error("hunyuan-reso: " + std::to_string(statistics_.refused() - refusals_in_full) +
                  " more lines were refused\n");
    }
    if (options_.summary) output_.write(options_.summary_text(statistics_));
    output_.finish();
    if (!options_.summary && !options_.quiet) write_error(statistics_.text());
    return statistics_.refused() == 0 ? exit_success : exit_refused;
  }

 private:
  static constexpr std::size_t batch_size = 2048;
  static constexpr std::uint64_t refusals_in_full = 10;

  void snap_lines(std::string_view lines) {
    const char* text = lines.data();
    const char* const end = text + lines.size();
    if (line_ == 0 && lines.substr(0, 3) == "\xEF\xBB\xBF") text += 3;  // a byte order mark
    PlainPair pair;
    while (text != end && !stopped_) {
      ++line_;
      if (takes_plain_lines_ && read_plain_pair(text, pair)) {
        const auto first = static_cast<std::int32_t>(pair.first);
        const auto second = static_cast<std::int32_t>(pair.second);
        heights_[batched_] = width_first_ ? second : first;
        widths_[batched_] = width_first_ ? first : second;
        lines_[batched_] = line_;
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
    snap_batch(model_.group, widths_, heights_, indices_, batched_);
    for (std::size_t i = 0; i < batched_; ++i) {
      const Resolution size{heights_[i], widths_[i]};
      const std::size_t ratio_index = indices_[i];
      statistics_.add(ratio_index, size, targets_[ratio_index], lines_[i]);
      if (!options_.summary) writer_.write_row(lines_[i], size, ratio_index);
    }
    batched_ = 0;
  }

  /// Every kind of line.
  void snap_any(std::string_view line) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    std::size_t start = 0;
    while (start < line.size() && detail::is_blank(line[start])) ++start;
    if (start == line.size() || line[start] == '#') return;
    const Result<ImageSize> requested = parse_size(line, model_.profile, options_.side_order());
    if (!requested) return refuse(line, requested.position(), message(requested.error()));
    const Result<ImageInfo> info = build_gen_image_info(*requested, model_.profile, model_.group, model_.grid_mode);
    if (!info) return refuse(line, start, message(info.error()));
    if (requested->kind == ImageSizeKind::pixels) {
      statistics_.add(info->ratio_index, requested->size, CropTarget(info->image_size()), line_);
    } else {
      statistics_.add(info->ratio_index);
    }
    if (!options_.summary) writer_.write(line_, *requested, *info);
  }

  void refuse(std::string_view line, std::size_t position, std::string_view reason) {
    statistics_.add_refused();
    if (statistics_.refused() <= refusals_in_full) {
      progress_.clear();
      write_error("hunyuan-reso: " + point_at("line " + std::to_string(line_), line, position, reason) + '\n');
    }
    stopped_ = options_.strict;
  }

  const SnapOptions& options_;
  const Model& model_;
  Output output_;
  SnapWriter writer_;
  SnapStatistics statistics_;
  Progress progress_;
  bool takes_plain_lines_;
  bool width_first_;
  bool stopped_ = false;
  std::uint64_t line_ = 0;
  std::vector<CropTarget> targets_;

  // Sizes that wait to be snapped.
  std::size_t batched_ = 0;
  std::int32_t heights_[batch_size];
  std::int32_t widths_[batch_size];
  std::uint64_t lines_[batch_size];
  std::uint8_t indices_[batch_size];
};

}  // namespace

int snap_input(const SnapOptions& options, const Model& model) {
  return std::make_unique<ListSnapper>(options, model)->run();
}

}  // namespace hunyuan_reso::cli
