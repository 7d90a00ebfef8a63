// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_TWO_UNITS_HPP
#define HUNYUAN_RESO_TESTS_TWO_UNITS_HPP

#include <hunyuan_reso/hunyuan_reso.hpp>

/// What one translation unit sees.
struct Unit {
  const hunyuan_reso::ModelProfile* profile = &hunyuan_reso::profiles::instruct;
  const hunyuan_reso::ModelProfile* const* profiles = hunyuan_reso::profiles::all;
  const hunyuan_reso::ResolutionGroup* group = &hunyuan_reso::group_for<hunyuan_reso::profiles::instruct>;
  const hunyuan_reso::Model* model = &hunyuan_reso::model_for<hunyuan_reso::profiles::instruct>;
  const hunyuan_reso::TokenId* boi = &hunyuan_reso::tokens::boi;
  hunyuan_reso::Result<hunyuan_reso::ImageInfo> (*describe)(const hunyuan_reso::Model&, std::string_view,
                                                            hunyuan_reso::GridMode) noexcept =
      &hunyuan_reso::build_gen_image_info;
};

Unit other_unit();

#endif  // HUNYUAN_RESO_TESTS_TWO_UNITS_HPP
