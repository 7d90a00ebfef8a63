// SPDX-License-Identifier: MIT
#include "common.hpp"

#include <stdexcept>

namespace hunyuan_reso_test {

using hunyuan_reso::BasicResolutionGroup;
using hunyuan_reso::Errc;
using hunyuan_reso::GroupSpec;
using hunyuan_reso::ModelProfile;
using hunyuan_reso::Resolution;

struct AnyGroup::Snapper {
  virtual ~Snapper() = default;
  virtual std::size_t snap(Resolution size) const = 0;
};
template <class Group>
struct AnyGroup::SnapperOf final : AnyGroup::Snapper {
  explicit SnapperOf(const Group& rows) : group(rows) {}
  std::size_t snap(Resolution size) const override { return group.snap(size); }
  Group group;
};

template <std::size_t Capacity>
bool AnyGroup::fits(const GroupSpec& spec) {
  using Group = BasicResolutionGroup<Capacity>;
  const auto group = std::make_unique<hunyuan_reso::Result<Group>>(Group::create(spec));
  error_ = group->error();
  if (error_ == Errc::capacity_exceeded) return false;
  if (!*group) return true;
  step_ = (*group)->step();
  rows_.assign((*group)->begin(), (*group)->end());
  snapper_ = std::make_unique<SnapperOf<Group>>(**group);
  return true;
}

AnyGroup::AnyGroup(const GroupSpec& spec) {
  if (!fits<64>(spec) && !fits<4096>(spec)) (void)fits<65535>(spec);
}
AnyGroup::~AnyGroup() = default;

std::size_t AnyGroup::snap(Resolution size) const { return snapper_->snap(size); }

bool fits_int32(const Json& value) {
  return value.is_integer() && value.integer() >= INT32_MIN && value.integer() <= INT32_MAX;
}

std::int32_t int32(const Json& value) {
  if (!fits_int32(value)) throw std::runtime_error("expected a 32-bit integer, found " + value.dump());
  return static_cast<std::int32_t>(value.integer());
}

Resolution row_of(const Json& value) {
  if (value.is_array()) return {int32(value[std::size_t{0}]), int32(value[1])};
  const std::string text = value.text();
  const std::size_t x = text.find('x');
  if (x == std::string::npos) throw std::runtime_error("expected HEIGHTxWIDTH, found " + text);
  return {std::stoi(text.substr(0, x)), std::stoi(text.substr(x + 1))};
}

GroupSpec spec_of(const Json& parameters) {
  GroupSpec spec;
  spec.base_size = int32(parameters["base_size"]);
  spec.step = parameters["step"].is_null() ? 0 : int32(parameters["step"]);
  spec.align = int32(parameters["align"]);
  if (!parameters.has("extras") || parameters["extras"].is_null()) return spec;
  for (const Json& extra : parameters["extras"].elements()) spec.extras.append(row_of(extra));
  return spec;
}

const ModelProfile& profile_of(std::string_view release) {
  for (const ModelProfile* profile : hunyuan_reso::profiles::all) {
    if (profile->name == release) return *profile;
  }
  throw std::runtime_error("unknown release " + std::string(release));
}

plain::Group plain_group(const std::vector<Resolution>& rows) {
  std::vector<plain::Size> sizes;
  for (const Resolution row : rows) sizes.push_back(plain_size(row));
  return plain::Group(sizes);
}

std::string text_of(Resolution size) { return std::to_string(size.height) + "x" + std::to_string(size.width); }

}  // namespace hunyuan_reso_test
