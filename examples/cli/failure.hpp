// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_FAILURE_HPP
#define HUNYUAN_RESO_CLI_FAILURE_HPP

#include <cstddef>
#include <hunyuan_reso/result.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "side_order.hpp"

namespace hunyuan_reso::cli {

/// Exit statuses of the tool.
inline constexpr int exit_success = 0;
inline constexpr int exit_refused = 1;
inline constexpr int exit_usage = 2;

/// An input or a file that cannot be used; ends with exit_refused and this text on standard error.
struct Refusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A command line that makes no sense; ends with exit_usage.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Whoever read standard output has gone (`| head`); not an error.
struct ReaderGone {};

/// A text from outside, made fit for a terminal: control bytes and bytes that are no UTF-8 as \xNN, characters that
/// cannot be seen or look like a blank as <U+00A0>, long texts cut. For file names and other free texts.
[[nodiscard]] std::string printable(std::string_view text, std::size_t longest = 60);
/// The same for texts that the tool reads (sizes, numbers, names of options' values, keys): every character outside
/// ASCII but the sign U+00D7 is shown as a code point, since it may look like one that would be right.
[[nodiscard]] std::string spelled(std::string_view text, std::size_t longest = 60);

/// "GIVEN: byte N: REASON", then the text and a caret under the byte at fault (`position` counts from 0, N from 1),
/// spelled. `place` goes in front, for example "line 7".
[[nodiscard]] std::string point_at(std::string_view place, std::string_view text, std::size_t position,
                                   std::string_view reason);

/// The library's message in the tool's words: options in place of functions, and the order of sides that is in force.
[[nodiscard]] std::string reason_of(Errc error, SideOrder order = SideOrder::height_width);

/// `text` with every `from` replaced.
[[nodiscard]] std::string replaced(std::string text, std::string_view from, std::string_view to);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_FAILURE_HPP
