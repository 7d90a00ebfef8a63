// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_ENLARGEMENT_REPORT_HPP
#define HUNYUAN_RESO_CLI_ENLARGEMENT_REPORT_HPP

#include <string>

#include "enlargement.hpp"
#include "plan_report.hpp"

namespace hunyuan_reso::cli {

/// A plan in tiles and what it was made for.
struct PlannedEnlargement {
  Selection selection;
  std::string precision;
  Enlargement enlargement;
};

[[nodiscard]] std::string enlargement_plan_text(const PlannedEnlargement& planned);
[[nodiscard]] Json enlargement_plan_json(const PlannedEnlargement& planned);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_ENLARGEMENT_REPORT_HPP
