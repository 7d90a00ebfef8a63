// SPDX-License-Identifier: MIT
#include "pipeline/picture.hpp"

#include <fcntl.h>     // open
#include <sys/stat.h>  // stat
#include <unistd.h>    // access, close, fsync, unlink, write

#include <algorithm>  // transform
#include <cerrno>     // errno
#include <csignal>    // sigaction
#include <cstdio>     // rename
#include <cstring>    // memcpy, strerror
#include <mutex>      // mutex

#include "adapter/error.hpp"
#include "model/json_file.hpp"

namespace hunyuan_generate {
namespace {

std::string ending_of(const std::string& path) {
  const std::size_t dot = path.rfind('.'), slash = path.rfind('/');
  if (dot == std::string::npos || (slash != std::string::npos && dot < slash)) return {};
  std::string ending = path.substr(dot + 1);
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == "jpeg" ? "jpg" : ending;
}

// EXIF orientations 1 .. 8: transposed from 5 on, mirrored where the pixel order says so.
at::Tensor oriented_pixels(const at::Tensor& stored, int orientation) {
  if (orientation < 2 || orientation > 8) return stored;
  at::Tensor pixels = orientation >= 5 ? stored.transpose(0, 1) : stored;
  std::vector<std::int64_t> flips;
  if (orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8) flips.push_back(0);
  if (orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7) flips.push_back(1);
  if (!flips.empty()) pixels = pixels.flip(flips);
  return pixels.contiguous();
}

// The file that is being written, for signal handlers.
char part_path[4096];
volatile std::sig_atomic_t part_is_open = 0;
std::mutex part_mutex;

void remove_part(int signal) {
  if (part_is_open != 0) ::unlink(part_path);
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  ::raise(signal);
}

bool write_all(int file, const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(file, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return ::fsync(file) == 0 || errno == EINVAL;
}

void write_in_one_go(const std::string& path, const std::string& bytes) {
  const std::lock_guard<std::mutex> lock(part_mutex);
  const std::string part = path + "." + std::to_string(::getpid()) + ".part";
  if (part.size() >= sizeof part_path) throw Error(path + ": the name is too long");
  std::memcpy(part_path, part.c_str(), part.size() + 1);
  part_is_open = 1;
  const int file = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool good = file >= 0 && write_all(file, bytes);
  if (file >= 0) good = ::close(file) == 0 && good;
  good = good && std::rename(part.c_str(), path.c_str()) == 0;
  const std::string reason = good ? "" : std::strerror(errno);
  if (!good && file >= 0) ::unlink(part.c_str());
  part_is_open = 0;
  if (!good) throw Error(path + ": " + reason);
}

}  // namespace

at::Tensor decode_picture(const std::string& bytes, const std::string& where) {
  const StoredPicture stored = decode_stored(bytes, where);
  return oriented_pixels(stored.rgb, stored.orientation);
}

at::Tensor read_picture(const std::string& path) { return decode_picture(read_file(path), path); }

void require_picture_path(const std::string& path) {
  const std::string ending = ending_of(path);
  if (!can_encode(ending)) {
    throw Error(path + ": the name of the picture must end in one of " + encodable_endings() +
                " (as this program was built)");
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) throw Error(path + ": is a folder");
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (::access(folder.c_str(), W_OK) != 0) throw Error(path + ": " + std::strerror(errno));
}

void write_picture(const std::string& path, const at::Tensor& pixels, const PictureTexts& texts) {
  if (pixels.dim() != 3 || pixels.size(2) != 3 || pixels.scalar_type() != at::kByte || pixels.numel() == 0) {
    throw Error(path + ": pixels are not uint8 [height, width, 3]");
  }
  write_in_one_go(path, encode_stored(ending_of(path), pixels.to(at::kCPU).contiguous(), texts, path));
}

void write_text_file(const std::string& path, const std::string& text) { write_in_one_go(path, text); }

void stop_writing_files() {
  // The lock is kept for good. Where another thread has it, its file is taken away from under it.
  if (!part_mutex.try_lock() && part_is_open != 0) ::unlink(part_path);
}

void clean_up_on_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    action.sa_handler = remove_part;
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace hunyuan_generate
