// SPDX-License-Identifier: MIT
// What the page has no use for: commands link to these, and the module is smaller without them.
#include "../../cli/bucket_export.hpp"
#include "../../cli/buckets.hpp"
#include "../../cli/failure.hpp"
#include "../../cli/snap_statistics.hpp"
#include "../../cli/tiles_report.hpp"

namespace hunyuan_reso::cli {

bool is_trainer_form(const std::string&) { return false; }

std::string trainer_form(const Selection&, const std::string& format) {
  throw UsageError("--format " + format + " is a form of the tool at a terminal");
}

std::string buckets_svg(const Selection&) { throw UsageError("--format svg is a form of the tool at a terminal"); }

std::string tiles_svg(const Selection&, const TiledCanvas&) {
  throw UsageError("--format svg is a form of the tool at a terminal");
}

/// Without what merging needs: --summary-out is the summary.
Json SnapStatistics::mergeable() const { return json(); }

}  // namespace hunyuan_reso::cli
