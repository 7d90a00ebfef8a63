// SPDX-License-Identifier: MIT
#include "output.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "failure.hpp"

#if defined(_WIN32)
#include <io.h>
#include <process.h>
#else
#include <poll.h>
#include <unistd.h>
#endif

namespace hunyuan_reso::cli {
namespace {

#if defined(_WIN32)
int open_new(const char* path) { return _open(path, _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY, _S_IREAD | _S_IWRITE); }
int open_existing(const char* path) { return _open(path, _O_WRONLY | _O_BINARY); }
int open_reading(const char* path) { return _open(path, _O_RDONLY | _O_BINARY); }
int close_descriptor(int descriptor) { return _close(descriptor); }
long write_once(int descriptor, const char* data, std::size_t size) {
  return _write(descriptor, data, static_cast<unsigned>(size));
}
long read_once(int descriptor, char* data, std::size_t size) {
  return _read(descriptor, data, static_cast<unsigned>(size));
}
long process_id() { return _getpid(); }
bool wait_until_ready(int, bool) { return false; }
#else
int open_new(const char* path) { return ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }
int open_existing(const char* path) { return ::open(path, O_WRONLY | O_CLOEXEC); }
int open_reading(const char* path) { return ::open(path, O_RDONLY | O_CLOEXEC); }
int close_descriptor(int descriptor) { return ::close(descriptor); }
long write_once(int descriptor, const char* data, std::size_t size) { return ::write(descriptor, data, size); }
long read_once(int descriptor, char* data, std::size_t size) { return ::read(descriptor, data, size); }
long process_id() { return ::getpid(); }
/// For a descriptor that does not block.
bool wait_until_ready(int descriptor, bool writing) {
  pollfd waited{descriptor, static_cast<short>(writing ? POLLOUT : POLLIN), 0};
  return ::poll(&waited, 1, -1) > 0;
}
#endif

/// The temporary file to remove: a signal handler gets nothing but the signal.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
char temporary_to_remove[4096] = "";

extern "C" void remove_temporary_and_stop(int signal_number) {
#if !defined(_WIN32)
  if (temporary_to_remove[0] != '\0') ::unlink(temporary_to_remove);
#endif
  static_cast<void>(std::signal(signal_number, SIG_DFL));
  static_cast<void>(std::raise(signal_number));
}

void set_temporary_to_remove(const std::string& path) {
  if (path.size() >= sizeof temporary_to_remove) return;
  std::memcpy(temporary_to_remove, path.c_str(), path.size() + 1);
}

/// The file behind symbolic links, so that a link stays a link.
std::filesystem::path resolve_links(const std::string& path) {
  std::error_code error;
  const std::filesystem::path resolved = std::filesystem::weakly_canonical(path, error);
  return error ? std::filesystem::path(path) : resolved;
}

}  // namespace

Output::Output(std::string path) : path_(std::move(path)), buffer_(new char[capacity]) {
  if (path_.empty()) return;
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path_, error);
  if (std::filesystem::is_directory(status)) fail("create", EISDIR);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    descriptor_ = open_existing(path_.c_str());
    if (descriptor_ < 0) fail("open", errno);
    return;
  }
  const std::string target = resolve_links(path_).string();
  for (int attempt = 0; attempt < 100; ++attempt) {
    temporary_ = target + ".part-" + std::to_string(process_id()) + "-" + std::to_string(attempt);
    descriptor_ = open_new(temporary_.c_str());
    if (descriptor_ >= 0 || errno != EEXIST) break;
  }
  if (descriptor_ < 0) {
    const int reason = errno;
    temporary_.clear();
    fail("create", reason);
  }
  set_temporary_to_remove(temporary_);
  if (std::filesystem::exists(status)) std::filesystem::permissions(temporary_, status.permissions(), error);
}

Output::~Output() {
  if (path_.empty() || descriptor_ < 0) return;
  close_descriptor(descriptor_);
  if (!temporary_.empty()) static_cast<void>(std::remove(temporary_.c_str()));
  temporary_to_remove[0] = '\0';
}

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

void Output::write_fully(const char* data, std::size_t size) {
  while (size > 0) {
    const long written = write_once(descriptor_, data, size);
    if (written >= 0) {
      data += written;
      size -= static_cast<std::size_t>(written);
    } else if (errno == EPIPE) {
      throw ReaderGone();
    } else if (errno == EAGAIN || errno == EINTR) {
      if (errno == EAGAIN && !wait_until_ready(descriptor_, true)) fail("write", EAGAIN);
    } else {
      fail("write", errno);
    }
  }
}

void Output::finish() {
  flush();
  if (path_.empty()) return;
  const int closed = close_descriptor(descriptor_);
  const int reason = errno;
  descriptor_ = -1;
  if (temporary_.empty()) {
    if (closed != 0) fail("write", reason);
    return;
  }
  std::error_code error;
  if (closed == 0) std::filesystem::rename(temporary_, resolve_links(path_), error);
  temporary_to_remove[0] = '\0';
  if (closed == 0 && !error) return;
  static_cast<void>(std::remove(temporary_.c_str()));
  fail("write", closed != 0 ? reason : error.value());
}

void Output::fail(const char* what, int error) const {
  const std::string name = path_.empty() ? "standard output" : "'" + printable(path_) + "'";
  throw Refusal("cannot " + std::string(what) + " " + name + ": " + std::generic_category().message(error));
}

bool is_same_output(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return false;
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(a, error);
  if (std::filesystem::exists(status)) {
    return std::filesystem::is_regular_file(status) && std::filesystem::equivalent(a, b, error);
  }
  const auto whole = [&](const std::string& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  };
  return whole(a) == whole(b);
}

std::size_t read_some(int descriptor, char* data, std::size_t size) {
  while (true) {
    const long count = read_once(descriptor, data, size);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR || (errno == EAGAIN && wait_until_ready(descriptor, false))) continue;
    throw Refusal("cannot read the input: " + std::generic_category().message(errno));
  }
}

std::string read_file(const std::string& path) {
  const int descriptor = path == "-" ? 0 : open_reading(path.c_str());
  if (descriptor < 0) {
    throw Refusal("cannot read '" + printable(path) + "': " + std::generic_category().message(errno));
  }
  std::string text;
  try {
    std::size_t used = 0;
    std::size_t count = 0;
    do {
      used += count;
      if (text.size() - used < 65536) text.resize(2 * text.size() + 65536);
      count = read_some(descriptor, &text[used], text.size() - used);
    } while (count != 0);
    text.resize(used);
  } catch (const Refusal& refusal) {
    if (descriptor != 0) close_descriptor(descriptor);
    throw Refusal("'" + printable(path) + "': " + refusal.what());
  }
  if (descriptor != 0) close_descriptor(descriptor);
  return text;
}

void write_error(std::string_view text) noexcept {
  while (!text.empty()) {
    const long written = write_once(2, text.data(), text.size());
    if (written > 0)
      text.remove_prefix(static_cast<std::size_t>(written));
    else if (written == 0 || errno != EINTR)
      return;
  }
}

bool is_terminal(int descriptor) noexcept {
#if defined(_WIN32)
  return _isatty(descriptor) != 0;
#else
  return ::isatty(descriptor) == 1;
#endif
}

void install_signal_handlers() noexcept {
#if defined(SIGPIPE)
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
#endif
  if (std::signal(SIGINT, remove_temporary_and_stop) == SIG_IGN) static_cast<void>(std::signal(SIGINT, SIG_IGN));
  static_cast<void>(std::signal(SIGTERM, remove_temporary_and_stop));
}

}  // namespace hunyuan_reso::cli
