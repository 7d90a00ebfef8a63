// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_BUCKET_EXPORT_HPP
#define HUNYUAN_RESO_CLI_BUCKET_EXPORT_HPP

#include <string>

#include "options.hpp"

namespace hunyuan_reso::cli {

/// Whether `table --format` of this name is a form that trainers read.
[[nodiscard]] bool is_trainer_form(const std::string& format);

/// All buckets of a group in such a form. Each form has its own order of sides, whatever --order says.
[[nodiscard]] std::string trainer_form(const Selection& selection, const std::string& format);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_BUCKET_EXPORT_HPP
