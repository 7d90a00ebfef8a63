// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SVG_HPP
#define HUNYUAN_RESO_CLI_SVG_HPP

#include <string>

#include "table_text.hpp"

namespace hunyuan_reso::cli {

struct Point {
  double x = 0;
  double y = 0;
};

/// A coordinate, to a tenth.
[[nodiscard]] inline std::string number(double value) { return fixed(value, 1); }
/// An attribute; the values that occur need no escapes.
[[nodiscard]] inline std::string quoted(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + value + '"';
}
[[nodiscard]] inline std::string at(Point p) { return quoted("x", number(p.x)) + quoted("y", number(p.y)); }

/// The text of a drawing, element by element.
class Svg {
 public:
  void add(const std::string& element) { text_ += element + '\n'; }
  void text(Point p, const std::string& content, const std::string& attributes = "") {
    add("<text" + at(p) + attributes + ">" + content + "</text>");
  }
  void line(Point a, Point b, const std::string& attributes) {
    add("<line" + quoted("x1", number(a.x)) + quoted("y1", number(a.y)) + quoted("x2", number(b.x)) +
        quoted("y2", number(b.y)) + attributes + "/>");
  }
  void circle(Point p, double radius, const std::string& attributes) {
    add("<circle" + quoted("cx", number(p.x)) + quoted("cy", number(p.y)) + quoted("r", number(radius)) + attributes +
        "/>");
  }
  [[nodiscard]] const std::string& str() const { return text_; }

 private:
  std::string text_;
};

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SVG_HPP
