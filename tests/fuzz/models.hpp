// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_FUZZ_MODELS_HPP
#define HUNYUAN_RESO_TESTS_FUZZ_MODELS_HPP

#include <hunyuan_reso/model.hpp>

#include <vector>

namespace hunyuan_reso_fuzz {

/// The models of all published profiles at their own base sizes, made once.
inline const std::vector<hunyuan_reso::Model>& published_models() {
  static const std::vector<hunyuan_reso::Model> models = [] {
    std::vector<hunyuan_reso::Model> made;
    for (const hunyuan_reso::ModelProfile* profile : hunyuan_reso::profiles::all) {
      made.push_back(*hunyuan_reso::Model::create(*profile));
    }
    return made;
  }();
  return models;
}

}  // namespace hunyuan_reso_fuzz

#endif  // HUNYUAN_RESO_TESTS_FUZZ_MODELS_HPP
