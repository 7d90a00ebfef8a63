// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SIDE_ORDER_HPP
#define HUNYUAN_RESO_CLI_SIDE_ORDER_HPP

namespace hunyuan_reso::cli {

/// Which side of a pair `AxB` comes first, where sizes are read and where they are printed.
enum class SideOrder { height_width, width_height };

/// "hw" or "wh", as --order and JSON have it.
[[nodiscard]] constexpr const char* name_of(SideOrder order) { return order == SideOrder::width_height ? "wh" : "hw"; }
/// "HEIGHTxWIDTH" or "WIDTHxHEIGHT".
[[nodiscard]] constexpr const char* size_form(SideOrder order) {
  return order == SideOrder::width_height ? "WIDTHxHEIGHT" : "HEIGHTxWIDTH";
}
/// "height x width" or "width x height", for headings.
[[nodiscard]] constexpr const char* size_heading(SideOrder order) {
  return order == SideOrder::width_height ? "width x height" : "height x width";
}

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SIDE_ORDER_HPP
