// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_CUDA_ANSWER_HPP
#define HUNYUAN_RESO_TESTS_CUDA_ANSWER_HPP

#include <cuda_runtime.h>

#include <cstring>

#include <hunyuan_reso/hunyuan_reso.hpp>

namespace hunyuan_reso_test {

namespace hr = hunyuan_reso;

/// What a question answers for one size, as numbers in a row.
class Answer {
 public:
  static constexpr int capacity = 96;

  template <class T>
  HUNYUAN_RESO_HD void add(T value) {
    put(static_cast<std::int64_t>(value));
  }
  HUNYUAN_RESO_HD void add(hr::Resolution size) {
    add(size.height);
    add(size.width);
  }
  HUNYUAN_RESO_HD void add(hr::Slice slice) {
    add(slice.start);
    add(slice.stop);
  }
  HUNYUAN_RESO_HD void add(double value) {
    std::int64_t bits = 0;
    memcpy(&bits, &value, sizeof(bits));
    add(bits);
  }
  HUNYUAN_RESO_HD void add(float value) { add(static_cast<double>(value)); }
  template <class T>
  HUNYUAN_RESO_HD void add_error(const hr::Result<T>& result) {
    add(static_cast<int>(result.error()));
    add(result.position());
  }
  /// The error and the value, also the one that stands in for a value that is not there.
  template <class T>
  HUNYUAN_RESO_HD void add(const hr::Result<T>& result) {
    add_error(result);
    add(*result);
  }

  /// A number made from all numbers: small enough to bring back for every size.
  HUNYUAN_RESO_HD std::uint64_t digest() const { return digest_; }
  int count() const { return count_ < capacity ? count_ : capacity; }
  std::int64_t operator[](int i) const { return values_[i]; }

 private:
  /// Not inline: it is called at hundreds of places, and would be most of what the device compiler has to do.
  HUNYUAN_RESO_HD __noinline__ void put(std::int64_t number) {
    if (count_ < capacity) values_[count_] = number;
    ++count_;
    digest_ = (digest_ ^ static_cast<std::uint64_t>(number)) * 0x9E3779B97F4A7C15u;
    digest_ ^= digest_ >> 29;
  }

  std::int64_t values_[capacity]{};
  std::uint64_t digest_ = 0;
  int count_ = 0;
};

/// Numbers that follow from a size, for what a size alone does not say.
class Draw {
 public:
  HUNYUAN_RESO_HD explicit Draw(hr::Resolution size)
      : state_(static_cast<std::uint64_t>(static_cast<std::uint32_t>(size.height)) << 32 |
               static_cast<std::uint32_t>(size.width)) {}

  /// In 0 .. bound - 1.
  HUNYUAN_RESO_HD std::uint32_t below(std::uint32_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state_ >> 33) % bound;
  }
  HUNYUAN_RESO_HD std::int32_t between(std::int32_t least, std::int32_t most) {
    return least + static_cast<std::int32_t>(below(static_cast<std::uint32_t>(most - least + 1)));
  }

 private:
  std::uint64_t state_;
};

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_CUDA_ANSWER_HPP
