// SPDX-License-Identifier: MIT
// The tool's output.hpp where there are no files: results, errors, the list and named files go through the host.
#include "../../cli/output.hpp"

#include <cerrno>
#include <cstring>

#include "../../cli/failure.hpp"
#include "host.hpp"

namespace hunyuan_reso::cli {

/// A result that goes to a file at a terminal is one more result here, of whatever name.
Output::Output(std::string path)
    : path_(std::move(path)), descriptor_(path_.empty() ? 1 : 3), buffer_(new char[capacity]) {}

Output::~Output() = default;

void Output::write(std::string_view text) {
  if (text.size() > capacity - used_) {
    flush();
    if (text.size() > capacity) return write_fully(text.data(), text.size());
  }
  std::memcpy(buffer_.get() + used_, text.data(), text.size());
  used_ += text.size();
}

void Output::flush() {
  const std::size_t size = used_;
  used_ = 0;
  write_fully(buffer_.get(), size);
}

void Output::write_fully(const char* data, std::size_t size) { hunyuan_reso_host_write(descriptor_, data, size); }

void Output::finish() { flush(); }

bool is_same_output(const std::string& a, const std::string& b) { return !a.empty() && a == b; }

std::size_t read_some(int, char* data, std::size_t size) {
  const std::int32_t count = hunyuan_reso_host_read(data, size);
  if (count < 0) throw Refusal("cannot read the input: it could not be read");
  return static_cast<std::size_t>(count);
}

std::string read_file(const std::string& path) {
  std::string text;
  if (path == "-") {
    std::size_t used = 0;
    std::size_t count = 0;
    do {
      used += count;
      text.resize(used + 65536);
      count = read_some(0, &text[used], text.size() - used);
    } while (count != 0);
    text.resize(used);
    return text;
  }
  const std::int32_t size = hunyuan_reso_host_file_size(path.data(), path.size());
  if (size < 0) throw Refusal("cannot read '" + printable(path) + "': there is no file of this name");
  text.resize(static_cast<std::size_t>(size));
  hunyuan_reso_host_file_read(path.data(), path.size(), &text[0]);
  return text;
}

void write_error(std::string_view text) noexcept { hunyuan_reso_host_write(2, text.data(), text.size()); }

bool is_terminal(int) noexcept { return false; }

void install_signal_handlers() noexcept {}

}  // namespace hunyuan_reso::cli

// Lists come from read_some: nothing is opened, and no system calls are linked for it.
extern "C" int open(const char*, int, ...) {
  errno = ENOENT;
  return -1;
}
extern "C" int close(int) { return 0; }

/// Of the decimal numbers that the tool and its JSON reader pass, all that is asked: the longest one in front.
extern "C" double strtod(const char* text, char** end) {
  const char* at = text;
  const auto digits = [&] {
    const char* const from = at;
    while (*at >= '0' && *at <= '9') ++at;
    return at != from;
  };
  if (*at == '-' || *at == '+') ++at;
  bool valid = digits();
  if (*at == '.') {
    ++at;
    valid = digits() || valid;
  }
  if (valid && (*at == 'e' || *at == 'E')) {
    const char* const before = at++;
    if (*at == '-' || *at == '+') ++at;
    if (!digits()) at = before;
  }
  if (!valid) at = text;
  if (end != nullptr) *end = const_cast<char*>(at);
  return valid ? hunyuan_reso_host_number(text, static_cast<std::size_t>(at - text)) : 0;
}
// From the same object file of the C library, which would come along with its numbers of 128 bits.
extern "C" float strtof(const char* text, char** end) { return static_cast<float>(strtod(text, end)); }
extern "C" long double strtold(const char* text, char** end) { return strtod(text, end); }
