// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_PROGRESS_HPP
#define HUNYUAN_RESO_CLI_PROGRESS_HPP

#include <chrono>
#include <cstdint>
#include <string>

#include "output.hpp"
#include "table_text.hpp"

namespace hunyuan_reso::cli {

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

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_PROGRESS_HPP
