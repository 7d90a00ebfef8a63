// SPDX-License-Identifier: MIT
#include "bucket_export.hpp"

namespace hunyuan_reso::cli {
namespace {

/// Every bucket through `write`, with `between` between them.
template <class Write>
std::string joined(const Selection& selection, const char* between, Write&& write) {
  std::string text;
  for (const Resolution bucket : selection.group()) text += (text.empty() ? "" : between) + write(bucket);
  return text;
}

/// "[[512, 2048], ...]", width first.
std::string pairs(const Selection& selection) {
  return "[" +
         joined(selection, ", ",
                [](Resolution bucket) {
                  return "[" + std::to_string(bucket.width) + ", " + std::to_string(bucket.height) + "]";
                }) +
         "]";
}

}  // namespace

bool is_trainer_form(const std::string& format) {
  return format == "buckets" || format == "ar_buckets" || format == "toml";
}

std::string trainer_form(const Selection& selection, const std::string& format) {
  if (format == "buckets") {
    return joined(
               selection, ";",
               [](Resolution bucket) { return std::to_string(bucket.height) + "," + std::to_string(bucket.width); }) +
           "\n";
  }
  if (format == "ar_buckets") return pairs(selection) + "\n";
  return "# " + selection.title() + ": " + std::to_string(selection.group().size()) +
         " buckets, width before height\nresolutions = [" + std::to_string(selection.group().base_size()) +
         "]\nenable_ar_bucket = true\nar_buckets = " + pairs(selection) + "\n";
}

}  // namespace hunyuan_reso::cli
