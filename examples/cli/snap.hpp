// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SNAP_HPP
#define HUNYUAN_RESO_CLI_SNAP_HPP

#include <string>
#include <vector>

#include "options.hpp"
#include "size_list.hpp"
#include "snap_statistics.hpp"

namespace hunyuan_reso::cli {

struct SnapOptions {
  ModelOptions model;
  OutputOptions output;
  std::vector<std::string> sizes;
  std::string order = "hw";
  bool crop = false;
  bool summary = false;
  bool quiet = false;
  bool strict = false;

  [[nodiscard]] SideOrder side_order() const;
  /// The summary in the chosen form.
  [[nodiscard]] std::string summary_text(const SnapStatistics& statistics) const;
};

/// The list on standard input.
int snap_input(const SnapOptions& options, const Model& model);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SNAP_HPP
