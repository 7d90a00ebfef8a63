// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_GOLDEN_COMMON_HPP
#define HUNYUAN_RESO_TESTS_GOLDEN_COMMON_HPP

#include <hunyuan_reso/model.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "json.hpp"
#include "support/plain.hpp"

namespace hunyuan_reso_test {

/// A group of any number of rows: the least capacity that takes the spec, on the heap.
class AnyGroup {
 public:
  explicit AnyGroup(const hunyuan_reso::GroupSpec& spec);
  ~AnyGroup();

  hunyuan_reso::Errc error() const { return error_; }
  std::int32_t step() const { return step_; }
  const std::vector<hunyuan_reso::Resolution>& rows() const { return rows_; }
  std::size_t snap(hunyuan_reso::Resolution size) const;

 private:
  template <std::size_t Capacity>
  bool fits(const hunyuan_reso::GroupSpec& spec);

  struct Snapper;
  template <class Group>
  struct SnapperOf;
  std::unique_ptr<Snapper> snapper_;
  std::vector<hunyuan_reso::Resolution> rows_{};
  std::int32_t step_ = 0;
  hunyuan_reso::Errc error_ = hunyuan_reso::Errc::none;
};

/// Whether a JSON value is an integer that fits std::int32_t.
bool fits_int32(const Json& value);
std::int32_t int32(const Json& value);

/// "HEIGHTxWIDTH", or [height, width].
hunyuan_reso::Resolution row_of(const Json& value);

/// A parameter set: base_size, step (null: the default), align, extras (null: none).
hunyuan_reso::GroupSpec spec_of(const Json& parameters);

/// The profile of a release, by its name; throws where there is none.
const hunyuan_reso::ModelProfile& profile_of(std::string_view release);

/// The same group in the plain definition.
plain::Group plain_group(const std::vector<hunyuan_reso::Resolution>& rows);
inline plain::Size plain_size(hunyuan_reso::Resolution size) { return {size.height, size.width}; }

/// "HxW".
std::string text_of(hunyuan_reso::Resolution size);

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_GOLDEN_COMMON_HPP
