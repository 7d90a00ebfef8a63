// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_PROGRESS_HPP
#define HUNYUAN_GENERATE_PROGRESS_HPP

#include <unistd.h>  // isatty

#include <algorithm>  // max, min
#include <cstdio>     // fprintf
#include <string>     // string

namespace hunyuan_generate {

/// A line that is written over on a terminal; nothing elsewhere.
class Progress {
 public:
  Progress() : terminal_(::isatty(STDERR_FILENO) != 0) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void loading(std::int64_t done, std::int64_t all) {
    // A line a percent at most.
    const std::int64_t percent = all > 0 ? 100 * done / all : 100;
    if (percent == percent_) return;
    percent_ = percent;
    char text[80];
    std::snprintf(text, sizeof text, "loading, %.2f of %.2f GiB ", static_cast<double>(done) / (1 << 30),
                  static_cast<double>(all) / (1 << 30));
    bar(done, std::max<std::int64_t>(1, all), text);
  }
  void step(std::int64_t index, std::int64_t steps, double seconds) {
    char text[80];
    std::snprintf(text, sizeof text, "step %lld of %lld, %.3f s ", static_cast<long long>(index + 1),
                  static_cast<long long>(steps), seconds);
    bar(index + 1, steps, text);
  }
  void decoding(std::int64_t index) {
    if (terminal_) std::fprintf(stderr, "\rdecoding picture %lld%40s\r", static_cast<long long>(index + 1), "");
  }
  // What is new of a text.
  void text(const std::string& added) {
    if (added.empty()) return;
    std::fwrite(added.data(), 1, added.size(), stderr);
    shown_ = true;
  }
  void clear() {
    if (shown_) std::fprintf(stderr, "\n");
    shown_ = false;
  }

 private:
  void bar(std::int64_t done, std::int64_t all, const char* text) {
    constexpr std::int64_t width = 30;
    if (!terminal_) return;
    const auto full = static_cast<std::size_t>(std::min(width, done * width / all));
    std::fprintf(stderr, "\r[%s%s] %s", std::string(full, '#').c_str(),
                 std::string(static_cast<std::size_t>(width) - full, '.').c_str(), text);
    shown_ = true;
  }

  bool terminal_, shown_ = false;
  std::int64_t percent_ = -1;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_PROGRESS_HPP
