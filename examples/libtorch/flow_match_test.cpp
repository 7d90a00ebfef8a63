// SPDX-License-Identifier: MIT
// Schedules, Euler steps and guidance against golden numbers: hunyuan-generate-flow-match-test schedule.json
// The numbers come from runs of the upstream releases; limits: 2.5e-7 on sigmas, 2.5e-4 on timesteps, 1e-5 relative on
// trajectories, since the last bits of a linear spacing depend on the vector width.
#include "flow_match.hpp"

#include <algorithm>  // max
#include <cmath>      // INFINITY, NAN
#include <cstdlib>    // strtod

#include "error.hpp"
#include "test_support.hpp"

namespace hunyuan_generate {
namespace {

using Json = nlohmann::json;

// A list of numbers, or of C99 hexadecimal floats written as strings.
at::Tensor read_list(const Json& list) {
  std::vector<double> values;
  for (const Json& item : list) {
    values.push_back(item.is_string() ? std::strtod(item.get<std::string>().c_str(), nullptr) : item.get<double>());
  }
  return at::tensor(values, at::kDouble);
}

double read_number(const Json& value) { return read_list(Json::array({value})).item<double>(); }

double largest_difference(const at::Tensor& computed, const at::Tensor& expected) {
  if (computed.sizes() != expected.sizes()) return INFINITY;
  return computed.numel() == 0 ? 0 : (computed.to(at::kDouble) - expected).abs().max().item<double>();
}

class FlowMatchTest {
 public:
  explicit FlowMatchTest(const Json& golden) : golden_(golden) {}

  int run() {
    schedules();
    second_times();
    for (const Json& trajectory : golden_.at("trajectories")) {
      if (trajectory.at("solver") == "euler" && trajectory.at("reverse") == true) follow(trajectory, "sigma");
    }
    for (const Json& trajectory : golden_.at("upstream_loop")) {
      if (trajectory.at("solver") == "euler") follow(trajectory, "t");
    }
    guidance();
    refusals();
    std::printf("largest differences: sigma %.3g, time %.3g, latents (relative) %.3g, guidance %.3g\n", sigma_, time_,
                latents_, guidance_);
    return report_.finish();
  }

 private:
  void compare(const at::Tensor& computed, const Json& expected, double limit, double& worst, const std::string& what) {
    const double difference = largest_difference(computed, read_list(expected));
    worst = std::max(worst, difference);
    report_.check(difference <= limit, what + ": difference " + std::to_string(difference));
  }

  void schedules() {
    for (const Json& entry : golden_.at("schedules")) {
      if (entry.at("reverse") == false || entry.value("num_train_timesteps", 1000) != 1000) continue;
      const FlowMatchSchedule schedule = flow_match_schedule(entry.at("steps"), read_number(entry.at("shift")));
      const std::string what = "steps " + entry.at("steps").dump() + ", shift " + entry.at("shift").dump();
      compare(schedule.sigmas, entry.at("sigmas"), 2.5e-7, sigma_, what);
      compare(schedule.timesteps_full, entry.at("timesteps_full"), 2.5e-4, time_, what);
      compare(schedule.timesteps(), entry.at("timesteps"), 2.5e-4, time_, what);
      report_.check(schedule.sigmas[-1].item<float>() == 0, what + ": the last level is 0");
    }
  }

  void second_times() {
    for (const Json& entry : golden_.at("timestep_r")) {
      if (entry.at("reverse") == false) continue;
      const FlowMatchSchedule schedule = flow_match_schedule(entry.at("steps"), read_number(entry.at("shift")));
      compare(schedule.timesteps_r(), entry.at("timestep_r"), 2.5e-4, time_, "timestep_r");
    }
  }

  // The velocity is a x + b sigma, every operation rounded to float32.
  void follow(const Json& trajectory, const std::string& sigma_key) {
    const FlowMatchSchedule schedule = flow_match_schedule(trajectory.at("steps"), read_number(trajectory.at("shift")));
    const auto a = static_cast<float>(read_number(trajectory.at("a"))),
               b = static_cast<float>(read_number(trajectory.at("b")));
    at::Tensor x = read_list(trajectory.at("x0")).to(at::kFloat);
    std::int64_t step = 0;
    for (const Json& call : trajectory.at("calls")) {
      const double scale = sigma_key == "t" ? 1000 : 1;
      const auto sigma = static_cast<float>(read_number(call.at(sigma_key)) / scale);
      const at::Tensor velocity = x * a + b * sigma;
      x = euler_step(x, velocity, schedule.sigma_steps()[step++]);
      const at::Tensor expected = read_list(call.at("x"));
      const double relative = largest_difference(x, expected) / std::max(1.0, expected.abs().max().item<double>());
      latents_ = std::max(latents_, relative);
      report_.check(relative <= 1e-5, "trajectory: relative difference " + std::to_string(relative));
    }
    report_.check(step == schedule.steps, "every step of the trajectory was taken");
  }

  void guidance() {
    for (const Json& entry : golden_.at("guidance")) {
      if (entry.at("original") == true) continue;
      const at::Tensor guided =
          guide(read_list(entry.at("cond")), read_list(entry.at("uncond")), read_number(entry.at("scale")));
      compare(guided, entry.at("out"), 1e-6, guidance_, "guidance " + entry.at("scale").dump());
    }
    report_.check(guidance_token_value(2.5) == 2496 && guidance_token_value(5.0) == 4992, "guidance token value");
  }

  void refusals() {
    const std::pair<std::int64_t, double> bad[] = {{0, 3}, {-1, 3}, {8, 0}, {8, -1}, {8, NAN}, {8, INFINITY}};
    for (const auto& [steps, shift] : bad) {
      bool refused = false;
      try {
        (void)flow_match_schedule(steps, shift);
      } catch (const Error&) {
        refused = true;
      }
      report_.check(refused, "steps " + std::to_string(steps) + ", shift " + std::to_string(shift) + " refused");
    }
  }

  const Json& golden_;
  TestReport report_;
  double sigma_ = 0, time_ = 0, latents_ = 0, guidance_ = 0;
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  std::ifstream stream(count == 2 ? values[1] : "");
  const auto golden = nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!golden.is_object()) {
    std::fprintf(stderr, "usage: hunyuan-generate-flow-match-test schedule.json\n");
    return 2;
  }
  return hunyuan_generate::FlowMatchTest(golden).run();
}
