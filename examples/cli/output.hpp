// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_OUTPUT_HPP
#define HUNYUAN_RESO_CLI_OUTPUT_HPP

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace hunyuan_reso::cli {

/// Where a command writes: standard output, or a file that appears whole or not at all (a temporary file next to it
/// is renamed by finish()). Buffered; throws Refusal when writing fails and ReaderGone when a pipe was closed.
class Output {
 public:
  /// An empty path means standard output. A path that is no regular file (a device, a pipe) is written directly.
  explicit Output(std::string path);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view text);
  /// Room for `size` bytes (at most 4096), to be filled and handed over with commit().
  [[nodiscard]] char* reserve(std::size_t size) {
    if (capacity - used_ < size) flush();
    return buffer_.get() + used_;
  }
  void commit(const char* end) { used_ = static_cast<std::size_t>(end - buffer_.get()); }
  void flush();
  /// Writes what is left and puts the file in its place.
  void finish();

 private:
  static constexpr std::size_t capacity = std::size_t{1} << 18;

  void write_fully(const char* data, std::size_t size);
  [[noreturn]] void fail(const char* what, int error) const;

  std::string path_;
  std::string temporary_;
  int descriptor_ = 1;
  std::unique_ptr<char[]> buffer_;
  std::size_t used_ = 0;
};

/// Whether two outputs would be written to one file, so that the later one would replace the earlier one.
[[nodiscard]] bool is_same_output(const std::string& a, const std::string& b);

/// Reads up to `size` bytes from a descriptor; 0 at the end. Throws Refusal.
[[nodiscard]] std::size_t read_some(int descriptor, char* data, std::size_t size);

/// A whole file; "-" is standard input. Throws Refusal.
[[nodiscard]] std::string read_file(const std::string& path);

/// Writes to standard error; failures there cannot be reported and are ignored.
void write_error(std::string_view text) noexcept;

[[nodiscard]] bool is_terminal(int descriptor) noexcept;

/// Makes a closed pipe an error of write() instead of a signal, and removes temporary files on SIGINT and SIGTERM.
void install_signal_handlers() noexcept;

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_OUTPUT_HPP
