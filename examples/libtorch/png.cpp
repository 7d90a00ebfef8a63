// SPDX-License-Identifier: MIT
#include "png.hpp"

#include <sys/stat.h>  // fchmod
#include <unistd.h>    // access, close, fsync, mkstemps, unlink, write

#include <cerrno>   // errno
#include <csignal>  // sigprocmask
#include <cstdio>   // rename
#include <cstring>  // strerror
#include <vector>   // vector

#include "error.hpp"

#if HUNYUAN_GENERATE_LIBPNG
#include <png.h>
#else
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
#endif

namespace hunyuan_generate {
namespace {

#if HUNYUAN_GENERATE_LIBPNG

std::vector<unsigned char> encode(const at::Tensor& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.height = static_cast<png_uint_32>(pixels.size(0));
  image.width = static_cast<png_uint_32>(pixels.size(1));
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  const void* data = pixels.data_ptr();
  std::vector<unsigned char> bytes;
  if (png_image_write_to_memory(&image, nullptr, &size, 0, data, 0, nullptr) != 0) {
    bytes.resize(size);
    if (png_image_write_to_memory(&image, bytes.data(), &size, 0, data, 0, nullptr) != 0) return bytes;
  }
  throw Error(std::string("PNG: ") + image.message);
}

#else

std::vector<unsigned char> encode(const at::Tensor& pixels) {
  std::vector<unsigned char> bytes;
  const auto append = [](void* context, void* data, int size) {
    const auto* start = static_cast<const unsigned char*>(data);
    auto* out = static_cast<std::vector<unsigned char>*>(context);
    out->insert(out->end(), start, start + size);
  };
  const int done = stbi_write_png_to_func(append, &bytes, static_cast<int>(pixels.size(1)),
                                          static_cast<int>(pixels.size(0)), 3, pixels.data_ptr(), 0);
  if (done == 0 || bytes.empty()) throw Error("PNG: the image cannot be encoded");
  return bytes;
}

#endif

// Holds back the signals that would end the program.
class SignalPause {
 public:
  SignalPause() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~SignalPause() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalPause(const SignalPause&) = delete;
  SignalPause& operator=(const SignalPause&) = delete;

 private:
  sigset_t before_{};
};

bool write_all(int file, const std::vector<unsigned char>& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(file, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return ::fsync(file) == 0 || errno == EINVAL;
}

}  // namespace

void require_png_path(const std::string& path) {
  const std::string ending = ".png";
  if (path.size() <= ending.size() || path.compare(path.size() - ending.size(), ending.size(), ending) != 0) {
    throw Error(path + ": the name of the picture must end in .png");
  }
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (::access(folder.c_str(), W_OK) != 0) throw Error(path + ": " + std::strerror(errno));
}

void write_png(const std::string& path, const at::Tensor& pixels) {
  if (pixels.dim() != 3 || pixels.size(2) != 3 || pixels.scalar_type() != at::kByte || pixels.numel() == 0) {
    throw Error("PNG: pixels are not uint8 [height, width, 3]");
  }
  const std::vector<unsigned char> bytes = encode(pixels.to(at::kCPU).contiguous());
  const SignalPause pause;
  std::string part = path + ".XXXXXX.part";
  const int file = ::mkstemps(part.data(), 5);
  if (file < 0) throw Error(path + ": " + std::strerror(errno));
  (void)::fchmod(file, 0644);
  bool good = write_all(file, bytes);
  good = ::close(file) == 0 && good;
  if (good && std::rename(part.c_str(), path.c_str()) == 0) return;
  const std::string reason = std::strerror(errno);
  ::unlink(part.c_str());
  throw Error(path + ": " + reason);
}

#if HUNYUAN_GENERATE_LIBPNG

at::Tensor read_png(const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_file(&image, path.c_str()) == 0) throw Error(path + ": " + image.message);
  image.format = PNG_FORMAT_RGB;
  at::Tensor pixels = at::empty({std::int64_t{image.height}, std::int64_t{image.width}, 3}, at::kByte);
  if (png_image_finish_read(&image, nullptr, pixels.data_ptr(), 0, nullptr) == 0) {
    throw Error(path + ": " + image.message);
  }
  return pixels;
}

#else

at::Tensor read_png(const std::string& path) {
  int width = 0, height = 0, channels = 0;
  unsigned char* data = stbi_load(path.c_str(), &width, &height, &channels, 3);
  if (data == nullptr) throw Error(path + ": " + stbi_failure_reason());
  const at::Tensor pixels = at::from_blob(data, {height, width, 3}, at::kByte).clone();
  stbi_image_free(data);
  return pixels;
}

#endif

}  // namespace hunyuan_generate
