// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_ERROR_HPP
#define HUNYUAN_GENERATE_ERROR_HPP

#include <c10/util/ArrayRef.h>  // IntArrayRef

#include <stdexcept>  // runtime_error
#include <string>     // string, to_string

namespace hunyuan_generate {

/// What every function of this program throws for an input it refuses: one line, written for the user, that names the
/// file, the tensor or the configuration key at fault.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Writes a shape as "[2, 3]".
inline std::string shape_text(c10::IntArrayRef shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_ERROR_HPP
