// SPDX-License-Identifier: MIT
// override.json: what a base size other than 1024 does to requests; the extra rows stay as they are.
#include <hunyuan_reso/image_info.hpp>

#include "common.hpp"
#include "report.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::ImageInfo;
using hunyuan_reso::Model;
using hunyuan_reso::Resolution;
using hunyuan_reso::Result;

/// [request, width, height, ratio index], from column 1 on.
void check_info(const Result<ImageInfo>& info, const Json& row, Report& report) {
  if (!info) return report.fail("refused");
  report.equal(info->image_width, row[1].integer(), "width");
  report.equal(info->image_height, row[2].integer(), "height");
  report.equal(static_cast<std::int64_t>(info->ratio_index), row[3].integer(), "ratio index");
}

/// Requests are W:H in both lists; the base release reads H:W, so there the two parts trade places.
std::string in_order_of(const std::string& release, const std::string& request) {
  const std::size_t colon = request.find(':');
  if (release == "instruct" || colon == std::string::npos) return request;
  return request.substr(colon + 1) + ":" + request.substr(0, colon);
}

void check_row(const Json& row, Report& report) {
  const std::int32_t base_size = int32(row["base_size"]);
  const std::string where = "base size " + std::to_string(base_size);
  for (const std::string release : {"instruct", "base"}) {
    if (!row.has(release.c_str())) continue;
    const Result<Model> model = Model::create(profile_of(release), base_size);
    if (!model) return report.fail("no group at " + where);
    for (const Json& request : row[release.c_str()].elements()) {
      const std::string text = in_order_of(release, request[std::size_t{0}].text());
      report.begin_case(release + ", " + where + ", " + text);
      check_info(hunyuan_reso::build_gen_image_info(*model, text), request, report);
    }
  }
  const Result<Model> instruct = Model::create(profile_of("instruct"), base_size);
  if (!instruct) return report.fail("no group at " + where);
  if (row.has("pixel_requests")) {
    for (const Json& request : row["pixel_requests"].elements()) {
      const auto size =
          Resolution::from_wh(int32(request[std::size_t{0}][std::size_t{0}]), int32(request[std::size_t{0}][1]));
      report.begin_case(where + ", " + text_of(size));
      check_info(hunyuan_reso::build_gen_image_info(*instruct, size), request, report);
    }
  }
  if (row.has("count")) {
    report.begin_case(where + ", count");
    report.equal(static_cast<std::int64_t>(instruct->group.size()), row["count"].integer(), "count");
  }
  if (row.has("instruct_33_36")) {
    report.begin_case(where + ", extra rows");
    const std::vector<Json> rows = row["instruct_33_36"].elements();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (instruct->group[33 + i] != row_of(rows[i])) report.fail("row " + std::to_string(33 + i));
    }
  }
}

void check_override(const Json& root, Report& report) {
  for (const Json& row : root["rows"].elements()) check_row(row, report);
}

const Registration registration{"override.json", check_override};

}  // namespace
}  // namespace hunyuan_reso_test
