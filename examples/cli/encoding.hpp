// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_ENCODING_HPP
#define HUNYUAN_RESO_CLI_ENCODING_HPP

#include <string>
#include <string_view>

namespace hunyuan_reso::cli {

/// What is wrong with a text whose bytes are no UTF-8 of an ordinary file (UTF-16, UTF-32, bytes of zero), and the
/// command that converts it; empty where nothing is. Looks at the first 4 KiB.
[[nodiscard]] std::string encoding_fault(std::string_view text);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_ENCODING_HPP
