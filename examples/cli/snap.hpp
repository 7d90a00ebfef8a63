// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SNAP_HPP
#define HUNYUAN_RESO_CLI_SNAP_HPP

#include <string>
#include <vector>

#include "list_formats.hpp"
#include "options.hpp"
#include "snap_buckets.hpp"
#include "snap_filters.hpp"
#include "snap_statistics.hpp"

namespace hunyuan_reso::cli {

/// The options of `snap`, as given on the command line.
struct SnapOptions {
  ModelOptions model;
  OutputOptions output;
  FilterOptions filters;
  std::vector<std::string> sizes;
  std::string from;  ///< empty: sizes are arguments, or "-"
  std::string columns;
  std::string rows;
  NumberOption batch;
  NumberOption worst;
  std::string summary_path;
  bool ignore_orientation = false;
  bool crop = false;
  bool summary = false;
  bool summary_json = false;
  bool quiet = false;
  bool strict = false;
};

/// What they mean, checked.
struct SnapTask {
  const SnapOptions& options;
  Buckets buckets;
  FilterLimits limits;
  SnapStatistics statistics;

  /// Throws Refusal or UsageError.
  explicit SnapTask(const SnapOptions& given);

  [[nodiscard]] SideOrder order() const { return buckets.selection().order; }
  /// Whether the summary is written in place of the rows.
  [[nodiscard]] bool writes_summary() const { return options.summary || options.summary_json; }
  /// The summary in the chosen form.
  [[nodiscard]] std::string summary_text() const;
  /// Writes --summary-out.
  void write_summary_file() const;
};

/// A list, from a file or from standard input. Returns the exit status.
int snap_list(SnapTask& task, const std::string& path);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SNAP_HPP
