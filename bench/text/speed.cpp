// SPDX-License-Identifier: MIT
// speed json FILE TEXT | speed ranks FILE PATTERN_FILE TEXT: load time, throughput and peak memory as one line of JSON.
#include <hunyuan_reso/text/tokenizer.hpp>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>

namespace {

namespace text = hunyuan_reso::text;

std::string read_file(const char* path) {
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  if (!stream) std::exit(1);
  std::string content(static_cast<std::size_t>(stream.tellg()), '\0');
  stream.seekg(0);
  stream.read(&content[0], static_cast<std::streamsize>(content.size()));
  return content;
}

// Time of the processor, which other programs on the machine change less.
double now_ms() { return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

template <class Work>
double best_ms(int runs, Work&& work) {
  double best = 1e30;
  for (int i = 0; i < runs; ++i) {
    const double start = now_ms();
    work();
    best = (std::min)(best, now_ms() - start);
  }
  return best;
}

// The process's peak, in MiB, where Linux tells it.
double peak_mib() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.compare(0, 6, "VmHWM:") == 0) return std::atof(line.c_str() + 6) / 1024;
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string kind = count > 3 ? arguments[1] : "";
  const bool has_ranks = kind == "ranks";
  if (count != (has_ranks ? 5 : 4)) return 2;
  const std::string pattern = has_ranks ? read_file(arguments[3]) : "";
  const std::string document = read_file(arguments[count - 1]);
  text::Tokenizer tokenizer;
  const auto load = [&] {
    const std::string file = read_file(arguments[2]);
    auto made = has_ranks ? text::Tokenizer::from_tiktoken(file, pattern) : text::Tokenizer::from_json(file);
    if (!made) std::exit(1);
    tokenizer = *std::move(made);
  };
  const double first_load = best_ms(1, load);
  const double loaded_mib = peak_mib();
  const double load_ms = best_ms(5, load);
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < document.size();) {
    const std::size_t end = (std::min)(document.find('\n', at), document.size() - 1) + 1;
    lines.push_back(std::string_view(document).substr(at, end - at));
    at = end;
  }
  std::size_t ids = 0;
  const double cold_ms = best_ms(1, [&] { ids = tokenizer.encode(document).size(); });
  const double whole_ms = best_ms(5, [&] { ids = tokenizer.encode(document).size(); });
  const double lines_ms = best_ms(5, [&] {
    for (const std::string_view line : lines) (void)tokenizer.encode(line);
  });
  const std::vector<hunyuan_reso::TokenId> all = tokenizer.encode(document);
  const double decode_ms = best_ms(3, [&] { (void)tokenizer.decode(all); });
  const double mb = static_cast<double>(document.size()) / 1e6;
  std::printf(
      "{\"first_load_ms\": %.1f, \"load_ms\": %.1f, \"loaded_mib\": %.0f, \"ids\": %zu, \"cold_mb_s\": %.1f, "
      "\"whole_mb_s\": %.1f, \"lines_mb_s\": %.1f, "
      "\"decode_mb_s\": %.0f, \"peak_mib\": %.0f}\n",
      first_load, load_ms, loaded_mib, ids, mb / cold_ms * 1e3, mb / whole_ms * 1e3, mb / lines_ms * 1e3,
      mb / decode_ms * 1e3, peak_mib());
}
