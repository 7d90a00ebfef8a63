// SPDX-License-Identifier: MIT
#include "line_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "encoding.hpp"
#include "failure.hpp"
#include "output.hpp"

#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

namespace hunyuan_reso::cli {
namespace {

constexpr std::size_t readable_bytes_after = 16;

#if defined(_WIN32)
int open_list(const char* path) { return _open(path, _O_RDONLY | _O_BINARY); }
void close_list(int descriptor) { _close(descriptor); }
#else
int open_list(const char* path) { return ::open(path, O_RDONLY | O_CLOEXEC); }
void close_list(int descriptor) { ::close(descriptor); }
#endif

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// Whether whole lines hold nothing but blanks, a byte order mark aside.
bool are_blank(std::string_view lines) {
  if (lines.substr(0, byte_order_mark.size()) == byte_order_mark) lines.remove_prefix(byte_order_mark.size());
  return lines.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// Refuses what is certainly no list in UTF-8. A stray zero byte is left to the line that it is in. Only the first line
/// decides, since how much of a pipe comes at once is chance.
void check_is_text(std::string_view block) {
  const std::string fault = encoding_fault(block.substr(0, block.find('\n')));
  if (fault.find("iconv") != std::string::npos) throw Refusal("the list: " + fault);
  struct Kind {
    std::string_view mark;
    const char* advice;
  };
  static constexpr Kind kinds[] = {
      {"\x1F\x8B", "compressed by gzip: pipe it through zcat"},
      {"\x28\xB5\x2F\xFD", "compressed by zstd: pipe it through zstdcat"},
      {"PK\x03\x04", "a zip archive or a spreadsheet: export it as CSV"},
      {"PAR1", "a Parquet file: write it as CSV or as JSON lines"},
      {"\x89PNG", "a picture: pass what identify or exiftool says about it"},
      {"\xFF\xD8\xFF", "a picture: pass what identify or exiftool says about it"},
  };
  for (const Kind& kind : kinds) {
    if (block.substr(0, kind.mark.size()) == kind.mark) throw Refusal(std::string("the list is ") + kind.advice);
  }
}

}  // namespace

InputFile::InputFile(const std::string& path) {
  if (path == "-") return;
#if !defined(__wasm__)  // where files come from the host, and there are no folders
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IFMT) == S_IFDIR) {
    throw Refusal("cannot read '" + printable(path) + "': expected a file, but it is a folder");
  }
#endif
  descriptor_ = open_list(path.c_str());
  if (descriptor_ >= 0) return;
  throw Refusal("cannot read '" + printable(path) + "': " + std::generic_category().message(errno));
}

InputFile::~InputFile() {
  if (descriptor_ > 0) close_list(descriptor_);
}

LineReader::LineReader(int descriptor)
    : descriptor_(descriptor), buffer_(new char[capacity + 1 + readable_bytes_after]()) {}

LineReader::Block LineReader::next() {
  Block block = next_block();
  if (started_) return block;
  started_ = true;
  check_is_text(block.lines);
  if (block.lines.substr(0, byte_order_mark.size()) == byte_order_mark) {
    block.lines.remove_prefix(byte_order_mark.size());
  }
  return block;
}

LineReader::Block LineReader::next_bytes() {
  skipping_ = false;
  const std::size_t start = begin_;
  if (start == end_) {
    end_ = ended_ ? 0 : read_some(descriptor_, buffer_.get(), capacity);
    begin_ = end_;
    ended_ = end_ == 0;
    return {{buffer_.get(), end_}, false, ended_, end_ == capacity};
  }
  begin_ = end_;
  return {{buffer_.get() + start, end_ - start}, false, false, false};
}

LineReader::Block LineReader::next_block() {
  if (skipping_ && !skip_rest_of_long_line()) return {{}, false, true, false};
  std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  const auto whole_lines = [this] { return std::string_view(buffer_.get(), end_).rfind('\n') + 1; };  // npos + 1 is 0
  std::size_t whole = whole_lines();
  const auto is_too_little = [&] {  // the first line that is not blank tells the form of a list
    return whole == 0 || (!started_ && are_blank({buffer_.get(), whole}));
  };
  while (is_too_little() && !ended_ && end_ < capacity) {
    const std::size_t count = read_some(descriptor_, buffer_.get() + end_, capacity - end_);
    end_ += count;
    ended_ = count == 0;
    whole = whole_lines();
  }
  const bool filled = end_ == capacity;
  if (whole == 0 && end_ == 0) return {{}, false, true, false};
  if (whole == 0 && filled) {
    begin_ = end_;
    skipping_ = true;
    return {{buffer_.get(), end_}, true, false, true};
  }
  if (ended_ && whole != end_) {  // the last line has no line feed
    buffer_[end_++] = '\n';
    whole = end_;
  }
  begin_ = whole;
  return {{buffer_.get(), whole}, false, false, filled};
}

bool LineReader::skip_rest_of_long_line() {
  while (true) {
    const std::size_t count = read_some(descriptor_, buffer_.get(), capacity);
    if (count == 0) {
      ended_ = true;
      begin_ = end_ = 0;
      return false;
    }
    const std::size_t line_feed = std::string_view(buffer_.get(), count).find('\n');
    if (line_feed == std::string_view::npos) continue;
    begin_ = line_feed + 1;
    end_ = count;
    skipping_ = false;
    return true;
  }
}

}  // namespace hunyuan_reso::cli
