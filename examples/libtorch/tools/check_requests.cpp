// SPDX-License-Identifier: MIT
#include <c10/util/Exception.h>  // c10::Error

#include <cmath>   // isfinite
#include <cstdio>  // printf
#include <map>     // map

#include "adapter/adapter.hpp"
#include "model/json_file.hpp"
#include "pipeline/generator.hpp"
#include "pipeline/picture.hpp"
#include "pipeline/request_file.hpp"
#include "tools/check.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;
using Json = nlohmann::json;

constexpr double latent_limit = 1e-3, relative_limit = 1e-6, picture_limit = 2, picture_share = 0.001;

bool ends_with(const std::string& text, const std::string& ending) {
  return text.size() >= ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

// One case: what it gave, held against what was recorded of it.
class CaseCheck {
 public:
  CaseCheck(const SafetensorsFile& recorded, std::string name, const Json& expected, bool given_noise)
      : recorded_(recorded), prefix_(std::move(name) + "."), expected_(expected), given_noise_(given_noise) {}

  Listener listener() {
    Listener listener;
    listener.planned = [this](const PlannedRequest& request) {
      if (!stage_) stage_ = std::make_unique<hr::TextStage>(request.plan().text_stage);
    };
    listener.tensors = [this](const std::string& name, const at::Tensor& value) {
      values_[name] = value.to(at::kCPU).clone();
    };
    if (given_noise_) {
      listener.noise = [this](const std::string& name) {
        return recorded_.contains(prefix_ + name) ? recorded_.tensor(prefix_ + name).clone() : at::Tensor();
      };
    }
    return listener;
  }

  void compare(const Outcome& outcome, const TextEncoder& encoder) {
    for (const auto& [name, entry] : recorded_.entries()) {
      if (name.rfind(prefix_, 0) == 0) compare_tensor(name.substr(prefix_.size()), recorded_.tensor(name));
    }
    compare_text("text", encoder);
    compare_text("text2", encoder);
    if (expected_.contains("cot_text")) {
      const Json& thought = expected_["cot_text"];
      equal("cot_text", outcome.text.chain_of_thought, thought.is_array() ? thought.at(0) : Json(""));
    }
    if (expected_.contains("answer_text")) equal("answer_text", decoded("text", encoder), expected_["answer_text"]);
    if (expected_.contains("image")) compare_image(outcome);
  }

  void fail(const std::string& what) {
    ++failures_;
    if (failures_ <= most_printed) std::printf("    %s%s  FAIL\n", prefix_.c_str(), what.c_str());
  }
  [[nodiscard]] int failures() const { return failures_; }
  [[nodiscard]] int compared() const { return compared_; }
  [[nodiscard]] std::string summary() const {
    char text[160];
    std::snprintf(text, sizeof text, "%3d values; latents %.1e, picture %g (%.3f%% above 1)", compared_, latents_,
                  picture_, 100 * share_);
    return text;
  }

 private:
  static constexpr int most_printed = 12;

  void equal(const std::string& what, const Json& computed, const Json& expected) {
    ++compared_;
    if (computed != expected) fail(what + ": " + computed.dump() + ", recorded " + expected.dump());
  }

  [[nodiscard]] at::Tensor computed(const std::string& name) const {
    auto found = values_.find(name);
    // One row has nothing to guide.
    if (found == values_.end() && ends_with(name, ".guided"))
      found = values_.find(name.substr(0, name.size() - 6) + "velocity");
    return found == values_.end() ? at::Tensor() : found->second;
  }

  void compare_tensor(const std::string& name, const at::Tensor& expected) {
    const at::Tensor value = computed(name);
    ++compared_;
    if (!value.defined()) return fail(name + ": not computed");
    if (value.sizes() != expected.sizes()) {
      return fail(name + ": " + shape_text(value.sizes()) + ", recorded " + shape_text(expected.sizes()));
    }
    if (expected.numel() == 0) return;
    const at::Tensor distance = (value.to(at::kDouble) - expected.to(at::kDouble)).abs();
    const double largest = distance.max().item<double>();
    const bool relative = ends_with(name, "sigmas") || name.find("timesteps") != std::string::npos;
    const bool close = ends_with(name, "latents") || ends_with(name, "guided") || ends_with(name, "ratio_scores");
    double limit = 0;
    if (close) limit = latent_limit;
    if (relative) limit = relative_limit * expected.abs().max().item<double>();
    if (ends_with(name, "vae_input") || ends_with(name, "vit_patches")) limit = 1;
    if (name == "picture") {
      limit = picture_limit;
      picture_ = largest;
      share_ = distance.gt(1).to(at::kDouble).mean().item<double>();
      if (!(share_ <= picture_share)) fail(name + ": more than one level off in too many values");
    }
    if (ends_with(name, "latents")) latents_ = std::max(latents_, largest);
    if (largest <= limit && std::isfinite(largest)) return;
    char text[80];
    std::snprintf(text, sizeof text, ": %.3g, limit %.3g", largest, limit);
    fail(name + text);
  }

  [[nodiscard]] std::vector<hr::TokenId> ids(const std::string& name) const {
    const at::Tensor value = computed(name);
    std::vector<hr::TokenId> result;
    for (std::int64_t i = 0; value.defined() && i < value.numel(); ++i) {
      result.push_back(static_cast<hr::TokenId>(value.reshape({-1})[i].item<std::int64_t>()));
    }
    return result;
  }
  [[nodiscard]] std::string decoded(const std::string& pass, const TextEncoder& encoder) const {
    return encoder.decode(ids(pass + ".generated_ids"));
  }
  // A tensor as nested lists, with as many equal rows as recorded.
  [[nodiscard]] Json rows_of(const std::string& name, const Json& like) const {
    const at::Tensor value = computed(name);
    Json row = Json::array();
    for (std::int64_t i = 0; value.defined() && i < value.size(0); ++i) {
      Json item = Json::array();
      for (std::int64_t k = 0; k < value.size(1); ++k) item.push_back(value[i][k].item<std::int64_t>());
      row.push_back(std::move(item));
    }
    return Json(like.size(), row);
  }

  void compare_text(const std::string& pass, const TextEncoder& encoder) {
    if (!expected_.contains(pass)) {
      if (computed(pass + ".prompt_ids").defined()) fail(pass + ": a pass that was not recorded");
      return;
    }
    const Json& expected = expected_[pass];
    const std::vector<hr::TokenId> generated = ids(pass + ".generated_ids");
    equal(pass + ".prompt_length", ids(pass + ".prompt_ids").size(), expected.at("prompt_length"));
    equal(pass + ".generated", generated.size(), expected.at("generated"));
    if (expected.at("decoded").is_null() || !stage_) return;
    equal(pass + ".decoded", decoded(pass, encoder), expected.at("decoded"));
    Json stops = Json::array(), forced = Json::array();
    for (std::size_t i = 0; i < stage_->stop_token_count; ++i) stops.push_back(stage_->stop_tokens[i]);
    Json recorded_stops = expected.at("stop_ids");
    std::sort(stops.begin(), stops.end());
    std::sort(recorded_stops.begin(), recorded_stops.end());
    equal(pass + ".stop_ids", stops, recorded_stops);
    for (std::size_t i = 1; i < generated.size(); ++i) {
      if (hr::forced_token(*stage_, generated.data(), i)) forced.push_back(i);
    }
    equal(pass + ".forced_positions", forced, expected.at("forced_positions"));
    equal(pass + ".positions", rows_of(pass + ".positions", expected.at("positions")), expected.at("positions"));
    equal(pass + ".full_attention", rows_of(pass + ".full_attention", expected.at("full_attention")),
          expected.at("full_attention"));
  }

  void compare_image(const Outcome& outcome) {
    const Json& expected = expected_["image"];
    const hr::GenerationPlan& plan = outcome.plan;
    const hr::ImageInfo& image = plan.image;
    const at::Tensor rows = computed("image.input_ids");
    if (!rows.defined()) return fail("image: no picture was drawn");
    const std::pair<const char*, Json> fields[] = {{"rows", rows.size(0)},
                                                   {"length", rows.size(1)},
                                                   {"height", image.image_height},
                                                   {"width", image.image_width},
                                                   {"token_height", image.token_height},
                                                   {"token_width", image.token_width},
                                                   {"base_size", image.base_size},
                                                   {"ratio_index", image.ratio_index},
                                                   {"add_timestep_token", image.add_timestep_token},
                                                   {"add_guidance_token", image.add_guidance_token},
                                                   {"add_timestep_r_token", image.add_timestep_r_token},
                                                   {"steps", plan.steps},
                                                   {"guidance", plan.guidance},
                                                   {"flow_shift", plan.flow_shift}};
    for (const auto& [key, value] : fields) {
      if (expected.contains(key)) equal(std::string("image.") + key, value, expected.at(key));
    }
    equal("image.sequence_length", plan.sequence_length, expected.at("length"));  // the plan's own count
    for (const char* key : {"positions", "full_attention"}) {
      equal(std::string("image.") + key, rows_of(std::string("image.") + key, expected.at(key)), expected.at(key));
    }
    for (std::size_t i = 0; expected.contains("cond") && i < expected["cond"].size(); ++i) {
      const hr::ImageInfo& info = plan.conditioning_images[i];
      const Json own{{"vit_grid", {info.vit_token_height, info.vit_token_width}},
                     {"vae_size", {info.image_height, info.image_width}},
                     {"ratio_index", info.ratio_index}};
      equal("image.cond" + std::to_string(i), own, expected["cond"][i]);
    }
  }

  const SafetensorsFile& recorded_;
  std::string prefix_;
  const Json& expected_;
  bool given_noise_;
  std::unique_ptr<hr::TextStage> stage_;
  std::map<std::string, at::Tensor> values_;
  int failures_ = 0, compared_ = 0;
  double latents_ = 0, picture_ = 0, share_ = 0;
};

const Json& by_name(const Json& cases, const std::string& name, const std::string& where) {
  for (const Json& item : cases.at("cases")) {
    if (item.at("name") == name) return item;
  }
  throw Error(where + ": there is no case '" + name + "'");
}

}  // namespace

bool check_requests(const std::filesystem::path& path, const LoadOptions& load, bool recorded_noise,
                    const std::string& only) {
  const Folder folder = read_folder(path);
  if (!folder.encoder) throw Error(path.string() + ": there is no tokenizer.json");
  const Json requests = read_json(path / "requests.json"), expected = read_json(path / "expected.json");
  const SafetensorsFile recorded(path / "io.safetensors");
  const Checkpoint checkpoint(path);
  check_tensors(checkpoint, folder.config);
  RunOptions run;
  run.load = load;
  const Generator generator(folder, *folder.encoder, checkpoint, run);

  int good = 0, all = 0, compared = 0;
  for (const Json& item : requests.at("cases")) {
    const std::string name = item.at("name").get<std::string>();
    if (!only.empty() && name != only) continue;
    ++all;
    const Json& wanted = by_name(expected, name, (path / "expected.json").string());
    CaseCheck check(recorded, name, wanted, recorded_noise);
    try {
      Request request = read_request(item, path, folder, name);
      request.sampling.draws = false;  // as recorded
      if (wanted.contains("text") && wanted["text"].contains("drawn_seed")) {
        request.text_seed = wanted["text"]["drawn_seed"].at(0).get<std::uint64_t>();
      }
      request.precision = planned_precision(load);
      check.compare(generator.generate(request, check.listener()), *folder.encoder);
    } catch (const c10::Error& error) {
      check.fail(error.what_without_backtrace());
    } catch (const std::exception& error) {
      check.fail(error.what());
    }
    good += check.failures() == 0 ? 1 : 0;
    compared += check.compared();
    std::printf("%-18s %s  %s\n", name.c_str(), check.summary().c_str(), check.failures() == 0 ? "ok" : "FAIL");
    std::fflush(stdout);
  }
  std::printf("%s: %d of %d requests as recorded, %d values compared: %s\n", path.string().c_str(), good, all, compared,
              good == all && all > 0 ? "PASS" : "FAIL");
  return good == all && all > 0;
}

}  // namespace hunyuan_generate
