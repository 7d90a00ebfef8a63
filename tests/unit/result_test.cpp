// SPDX-License-Identifier: MIT
#include <hunyuan_reso/result.hpp>
#include <hunyuan_reso/version.hpp>

#include <set>
#include <string>
#include <string_view>
#include <type_traits>

#include "support/expect.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

struct Payload {
  int number = 0;
};

constexpr bool result_with_a_value() {
  const Result<Payload> result(Payload{7});
  EXPECT(result.has_value());
  EXPECT(static_cast<bool>(result));
  EXPECT((*result).number == 7);
  EXPECT(result->number == 7);
  EXPECT(result.value_or(Payload{3}).number == 7);
  EXPECT(result.error() == Errc::none);
  EXPECT(result.position() == 0);
  return true;
}
BOTH_TIMES(result_with_a_value)

constexpr bool result_with_an_error() {
  const Result<Payload> result(Errc::expected_number, 4);
  EXPECT(!result.has_value());
  EXPECT(!result);
  EXPECT((*result).number == 0);  // value-initialized: a missing check is wrong, but never undefined
  EXPECT(result->number == 0);
  EXPECT(result.value_or(Payload{3}).number == 3);
  EXPECT(result.error() == Errc::expected_number);
  EXPECT(result.position() == 4);
  EXPECT(Result<int>(Errc::expected_end).position() == 0);
  return true;
}
BOTH_TIMES(result_with_an_error)

constexpr bool implicit_construction() {
  const auto half = [](int number) -> Result<int> {
    if (number % 2 != 0) return Errc::number_not_positive;
    return number / 2;
  };
  EXPECT(*half(8) == 4);
  EXPECT(half(7).error() == Errc::number_not_positive);
  return true;
}
BOTH_TIMES(implicit_construction)

constexpr bool no_error_is_no_success() {
  const Result<int> result(Errc::none);
  EXPECT(!result.has_value() && !result);
  EXPECT(result.error() == Errc::no_value);
  EXPECT(*result == 0 && result.value_or(7) == 7);
  EXPECT(Result<int>(Errc::none, 5).error() == Errc::no_value);
  EXPECT(Result<int>(Errc::none, 5).position() == 5);
  EXPECT(Result<int>(0).has_value());
  return true;
}
BOTH_TIMES(no_error_is_no_success)

constexpr bool a_value_of_a_temporary_is_held() {
  const auto make = [] { return Result<Payload>(Payload{9}); };
  const Payload& held = *make();  // by value: it lives as long as the reference
  EXPECT(held.number == 9);
  return true;
}
BOTH_TIMES(a_value_of_a_temporary_is_held)

static_assert(std::is_same_v<decltype(message(Errc::none)), const char*>);

constexpr bool messages_at_compile_time() {
  EXPECT(std::string_view(message(Errc::none)) == "no error");
  EXPECT(message(Errc::not_a_ratio_token)[0] != '\0');
  EXPECT(std::string_view(message(static_cast<Errc>(255))) == "unknown error");
  return true;
}
BOTH_TIMES(messages_at_compile_time)

TEST_CASE("every Errc has a message of its own") {
  std::set<std::string> seen;
  int count = 0;
  for (; count < 255; ++count) {
    const std::string text(message(static_cast<Errc>(count)));
    if (text == "unknown error") break;
    CHECK_MESSAGE(!text.empty(), "Errc " << count);
    CHECK_MESSAGE(text.back() != '.', text);
    CHECK_MESSAGE(seen.insert(text).second, "Errc " << count << " repeats: " << text);
  }
  // An enumerator without a message would end the loop early; the last ones of each part of the enumeration are known.
  CHECK(count > static_cast<int>(Errc::rows_not_divisible));
  for (int rest = count; rest < 256; ++rest) {
    CHECK(std::string(message(static_cast<Errc>(rest))) == "unknown error");
  }
}

// The inline namespace is made from the version.
#define HUNYUAN_RESO_TEST_TEXT(name) HUNYUAN_RESO_TEST_TEXT_OF(name)
#define HUNYUAN_RESO_TEST_TEXT_OF(name) #name
TEST_CASE("the inline namespace has the version's numbers") {
  const std::string expected =
      "v" + std::to_string(HUNYUAN_RESO_VERSION_MAJOR) + "_" + std::to_string(HUNYUAN_RESO_VERSION_MINOR);
  CHECK(expected == HUNYUAN_RESO_TEST_TEXT(HUNYUAN_RESO_INLINE_NAMESPACE));
}
static_assert(std::is_same_v<Errc, HUNYUAN_RESO_INLINE_NAMESPACE::Errc>);

static_assert(HUNYUAN_RESO_VERSION_MAJOR >= 0 && HUNYUAN_RESO_VERSION_MINOR >= 0 && HUNYUAN_RESO_VERSION_PATCH >= 0,
              "the version is three integers");

}  // namespace
}  // namespace hunyuan_reso_test
