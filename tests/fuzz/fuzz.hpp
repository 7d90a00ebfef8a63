// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_FUZZ_FUZZ_HPP
#define HUNYUAN_RESO_TESTS_FUZZ_FUZZ_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// What holds for every input; else the program prints it and ends, so that the fuzzer keeps the input.
#define ALWAYS(...) \
  ((__VA_ARGS__) ? void() : ::hunyuan_reso_fuzz::never_happens(#__VA_ARGS__, __FILE__, static_cast<int>(__LINE__)))

/// FUZZ_TARGET(name) { .. `input` .. } is one target. A fuzzer has one of them; the program that replays the seeds has
/// all of them.
#if defined(HUNYUAN_RESO_FUZZ_REPLAY)
#define FUZZ_TARGET(name)                                                                                          \
  static void fuzz_##name(std::string_view input);                                                                 \
  static const ::hunyuan_reso_fuzz::Target target_##name(#name, fuzz_##name); /* NOLINT: registered before main */ \
  static void fuzz_##name(std::string_view input)
#else
#define FUZZ_TARGET(name)                                                             \
  static void fuzz_##name(std::string_view input);                                    \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);  \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    fuzz_##name({reinterpret_cast<const char*>(data), size});                         \
    return 0;                                                                         \
  }                                                                                   \
  static void fuzz_##name(std::string_view input)
#endif

namespace hunyuan_reso_fuzz {

[[noreturn]] inline void never_happens(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, expression);
  std::abort();
}

/// A target of the replaying program; they form a list.
struct Target {
  using Function = void (*)(std::string_view);

  Target(const char* its_name, Function its_function) : name(its_name), function(its_function), next(first()) {
    first() = this;
  }
  static Target*& first() {
    static Target* head = nullptr;
    return head;
  }

  const char* name;
  Function function;
  Target* next;
};

/// Takes values from the front of an input; zeros where nothing is left.
class Bytes {
 public:
  explicit Bytes(std::string_view input) : rest_(input) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::size_t size() const { return rest_.size(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  bool flag() { return (byte() & 1U) != 0; }
  /// In 0 .. bound - 1, from one byte.
  std::size_t below(std::size_t bound) { return byte() % bound; }
  /// Four bytes, the lowest first.
  std::uint32_t word() {
    std::uint32_t value = 0;
    for (std::uint32_t i = 0; i < 4; ++i) value |= std::uint32_t{byte()} << (8 * i);
    return value;
  }
  std::int32_t number() { return static_cast<std::int32_t>(word()); }
  /// In 1 .. 2^31 - 1: how many bits, then the bits, so that short numbers are as likely as long ones.
  std::int32_t side() {
    const std::uint32_t bits = 1 + byte() % 31U;
    const std::uint32_t value = word() & ((std::uint32_t{1} << bits) - 1);
    return value == 0 ? 1 : static_cast<std::int32_t>(value);
  }
  /// The text up to a line feed, which is taken too.
  std::string_view line() {
    const std::size_t end = rest_.find('\n');
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return text;
  }

 private:
  std::string_view rest_;
};

}  // namespace hunyuan_reso_fuzz

#endif  // HUNYUAN_RESO_TESTS_FUZZ_FUZZ_HPP
