// SPDX-License-Identifier: MIT
#include <hunyuan_reso/result.hpp>
#include <hunyuan_reso/version.hpp>

#include <set>
#include <string>

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

constexpr bool messages_at_compile_time() {
  EXPECT(message(Errc::none) == "no error");
  EXPECT(!message(Errc::not_a_ratio_token).empty());
  EXPECT(message(static_cast<Errc>(255)) == "unknown error");
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
  CHECK(count > static_cast<int>(Errc::not_a_ratio_token));
  for (int rest = count; rest < 256; ++rest) CHECK(message(static_cast<Errc>(rest)) == "unknown error");
}

static_assert(HUNYUAN_RESO_VERSION_MAJOR >= 0 && HUNYUAN_RESO_VERSION_MINOR >= 0 && HUNYUAN_RESO_VERSION_PATCH >= 0,
              "the version is three integers");

}  // namespace
}  // namespace hunyuan_reso_test
