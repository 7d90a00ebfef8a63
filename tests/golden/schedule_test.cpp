// SPDX-License-Identifier: MIT
// schedule.json: noise levels and timesteps of the shifted schedule, the next timesteps of the distilled model, and
// Euler trajectories along them.
#include <hunyuan_reso/schedule.hpp>

#include <cmath>

#include "common.hpp"
#include "report.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::FlowSchedule;

// Upstream's last bits depend on its vector width.
constexpr double sigma_tolerance = 2.5e-7;
constexpr double timestep_tolerance = 2.5e-4;
constexpr double trajectory_tolerance = 1e-5;

constexpr const char* ascending = "a schedule that ascends, which no published pipeline uses";

FlowSchedule schedule_of(const Json& entry, Report& report) {
  const std::int32_t full = entry.has("num_train_timesteps") ? int32(entry["num_train_timesteps"]) : 1000;
  const auto schedule = FlowSchedule::create(int32(entry["steps"]), entry["shift"].number(), full);
  report.is_true(schedule.has_value(), "refused");
  return *schedule;
}

void near(double actual, double expected, double tolerance, const std::string& what, Report& report) {
  if (std::fabs(actual - expected) <= tolerance) return;
  report.fail(what + " is " + std::to_string(actual) + ", expected " + std::to_string(expected));
}

void check_schedules(const Json& entries, Report& report) {
  for (const Json& entry : entries.elements()) {
    if (!entry["reverse"].boolean()) {
      report.not_applicable(ascending);
      continue;
    }
    report.begin_case("schedules " + entry["steps"].dump() + " steps, shift " + entry["shift"].dump());
    const FlowSchedule schedule = schedule_of(entry, report);
    const auto steps = static_cast<std::size_t>(schedule.steps());
    report.equal(static_cast<std::int64_t>(entry["sigmas"].size()), schedule.steps() + 1, "sigmas");
    report.equal(static_cast<std::int64_t>(entry["timesteps"].size()), schedule.steps(), "timesteps");
    for (std::size_t j = 0; j <= steps && j < entry["sigmas"].size(); ++j) {
      const auto step = static_cast<std::int32_t>(j);
      near(schedule.sigma(step), entry["sigmas"][j].number(), sigma_tolerance, "sigma " + std::to_string(j), report);
      near(schedule.timestep(step), entry["timesteps_full"][j].number(), timestep_tolerance,
           "timestep " + std::to_string(j), report);
    }
    for (std::size_t j = 0; j < entry["timesteps"].size(); ++j) {
      near(schedule.timestep(static_cast<std::int32_t>(j)), entry["timesteps"][j].number(), timestep_tolerance,
           "timestep " + std::to_string(j), report);
    }
  }
}

void check_next_timesteps(const Json& entries, Report& report) {
  for (const Json& entry : entries.elements()) {
    if (!entry["reverse"].boolean()) {
      report.not_applicable(ascending);
      continue;
    }
    report.begin_case("timestep_r " + entry["steps"].dump() + " steps");
    const FlowSchedule schedule = schedule_of(entry, report);
    report.equal(static_cast<std::int64_t>(entry["timestep_r"].size()), schedule.steps(), "next timesteps");
    for (std::size_t j = 0; j < entry["timestep_r"].size(); ++j) {
      near(schedule.timestep(static_cast<std::int32_t>(j) + 1), entry["timestep_r"][j].number(), timestep_tolerance,
           "next timestep " + std::to_string(j), report);
    }
  }
}

/// One Euler run with velocity = a x + b sigma, every operation rounded to binary32.
void check_trajectory(const Json& entry, Report& report) {
  const FlowSchedule schedule = schedule_of(entry, report);
  const std::vector<Json> calls = entry["calls"].elements();
  report.equal(static_cast<std::int64_t>(calls.size()), schedule.steps(), "calls");
  std::vector<float> x;
  for (const Json& value : entry["x0"].elements()) x.push_back(static_cast<float>(value.number()));
  const auto a = static_cast<float>(entry["a"].number());
  const auto b = static_cast<float>(entry["b"].number());
  for (std::size_t j = 0; j < calls.size(); ++j) {
    const auto step = static_cast<std::int32_t>(j);
    const auto sigma = static_cast<float>(schedule.sigma(step));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float velocity = a * x[i] + b * sigma;
      x[i] += velocity * static_cast<float>(schedule.step_factor(step));
      const double expected = calls[j]["x"][i].number();
      near(static_cast<double>(x[i]), expected, trajectory_tolerance * (1.0 + std::fabs(expected)),
           "x after step " + std::to_string(j), report);
    }
    report.equal(step + 1, calls[j]["step_index"].integer(), "step index");
  }
}

void check_trajectories(const char* key, const Json& entries, Report& report) {
  for (const Json& entry : entries.elements()) {
    if (entry["solver"].text() != "euler") {
      report.not_applicable("a solver that no published pipeline uses");
    } else if (entry.has("reverse") && !entry["reverse"].boolean()) {
      report.not_applicable(ascending);
    } else {
      report.begin_case(std::string(key) + ' ' + entry["steps"].dump() + " steps, shift " + entry["shift"].dump());
      check_trajectory(entry, report);
    }
  }
}

void check_schedule(const Json& root, Report& report) {
  check_schedules(root["schedules"], report);
  check_next_timesteps(root["timestep_r"], report);
  check_trajectories("trajectories", root["trajectories"], report);
  check_trajectories("upstream_loop", root["upstream_loop"], report);
  for (const auto& [key, entries] : root.members()) {
    const bool is_checked =
        key == "schedules" || key == "timestep_r" || key == "trajectories" || key == "upstream_loop";
    for (std::size_t i = 0; !is_checked && i < entries.size(); ++i) {
      report.not_applicable(key + ": of upstream's scheduler class or of tensors, not of the published schedule");
    }
  }
}

const Registration registration{"schedule.json", check_schedule};

}  // namespace
}  // namespace hunyuan_reso_test
