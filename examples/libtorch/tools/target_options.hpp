// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_TARGET_OPTIONS_HPP
#define HUNYUAN_GENERATE_TARGET_OPTIONS_HPP

#include <nlohmann/json.hpp>
#include <string>  // string

#include "pipeline/generator.hpp"

namespace CLI {
class App;
}

namespace hunyuan_generate {

/// The options of hunyuan-generate for pictures beyond the trained scale.
class TargetOptions {
 public:
  void add(CLI::App& app);
  /// Writes them into a request; throws UsageError where they have no meaning. `has_size`: --size was given.
  void fill(Request& request, const Folder& folder, bool has_size) const;
  /// Whether the VAE encoder is needed.
  [[nodiscard]] bool encodes() const { return !target_.empty() && enlarge_ != "latent"; }

 private:
  std::string target_, enlarge_ = "picture", rope_scaling_;
  Target wanted_;
};

/// An enlargement for reports and for what is written into pictures.
nlohmann::json enlargement_json(const hunyuan_reso::EnlargementPlan& plan);
/// What an enlargement took beside what its plan says; nothing for another outcome.
void print_enlargement_times(const Outcome& outcome);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_TARGET_OPTIONS_HPP
