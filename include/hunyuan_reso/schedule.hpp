// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_SCHEDULE_HPP
#define HUNYUAN_RESO_SCHEDULE_HPP

#include "profile.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

namespace detail {

/// value * count + term. Both partial products are exact for counts up to 2^20, so that a compiler may contract them
/// with the sums or not: the answer is the same on the host, in device code and at compile time. |value| below 2^100.
[[nodiscard]] HUNYUAN_RESO_HD constexpr double multiply_add(double value, std::int32_t count, double term) noexcept {
  const auto high = static_cast<double>(static_cast<float>(value));
  return high * count + term + (value - high) * count;
}

}  // namespace detail

/// The shifted flow-matching schedule of the published pipeline (Euler): steps + 1 noise levels (sigmas) from 1 down to
/// 0, sigma_j = f s / (1 + (f - 1) s) with s = 1 - j / steps and the flow shift f. A step takes the latents x to x +
/// velocity * step_factor(j). Numbers are within one unit in the last place of a binary32 of upstream's, whose own last
/// bits depend on its vector width. Trivially copyable; the same bits at compile time, at run time and in device code
/// (but under flags that rearrange sums, as -ffast-math).
class FlowSchedule {
 public:
  constexpr FlowSchedule() noexcept = default;

  /// `train_timesteps`: the model's time at full noise. Errc::count_out_of_range for steps or a time outside
  /// 1 .. 1000000; Errc::shift_not_positive for a shift that is not in 0 .. 2^100.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<FlowSchedule> create(
      std::int32_t steps, double flow_shift, std::int32_t train_timesteps = 1000) noexcept {
    constexpr double most = 1267650600228229401496703205376.0;  // 2^100
    constexpr std::int32_t most_steps = 1000000;
    if (steps < 1 || steps > most_steps || train_timesteps < 1 || train_timesteps > most_steps) {
      return Errc::count_out_of_range;
    }
    if (!(flow_shift > 0.0 && flow_shift <= most)) return Errc::shift_not_positive;
    FlowSchedule schedule;
    schedule.steps_ = steps;
    schedule.shift_ = flow_shift;
    schedule.train_timesteps_ = train_timesteps;
    return schedule;
  }
  /// With a profile's own steps and shift.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<FlowSchedule> create(const ModelProfile& profile) noexcept {
    return create(profile.steps, profile.flow_shift);
  }

  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t steps() const noexcept { return steps_; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr double flow_shift() const noexcept { return shift_; }

  /// The noise level before step j, 0 .. steps; exactly 1 at 0, and exactly 0 at `steps` and past it.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr double sigma(std::int32_t j) const noexcept {
    if (j <= 0) return 1.0;
    if (j >= steps_) return 0.0;
    const double left = steps_ - j;
    return shift_ * left / detail::multiply_add(shift_ - 1.0, steps_ - j, steps_);
  }
  /// The model's time at step j: sigma(j) times 1000. The distilled model's <timestep_r> at step j is timestep(j + 1).
  [[nodiscard]] HUNYUAN_RESO_HD constexpr double timestep(std::int32_t j) const noexcept {
    return train_timesteps_ * sigma(j);
  }
  /// What step j multiplies the velocity with: sigma(j + 1) - sigma(j), negative.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr double step_factor(std::int32_t j) const noexcept {
    return j < steps_ ? sigma(j + 1) - sigma(j) : 0.0;
  }

  /// The step at which an image-to-image run of `strength` in (0, 1] begins: the first one whose noise level is at most
  /// that of the (1 - strength) quantile of the steps; at least one step is left. The latents there are
  /// (1 - sigma) * x0 + sigma * noise. 0 (pure noise) from strength 1 on; Errc::strength_out_of_range at or below 0.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::int32_t> first_step(double strength) const noexcept {
    if (!(strength > 0.0 && strength <= 1.0)) return Errc::strength_out_of_range;
    // A binary64 strength like 0.3 lies a little off; a millionth of a step decides nothing.
    const double before = detail::multiply_add(1.0 - strength, steps_, -1e-6);
    const auto whole = static_cast<std::int32_t>(before > 0.0 ? before : 0.0);
    const std::int32_t first = before > whole ? whole + 1 : whole;
    return first < steps_ ? first : steps_ - 1;
  }

 private:
  std::int32_t steps_ = 1;
  double shift_ = 1.0;
  std::int32_t train_timesteps_ = 1000;
};

/// The value that a distilled model's <guidance> token is embedded from: 1000 * guidance rounded to bfloat16 (8
/// significant bits, halves to even), as the published pipeline passes it: 2.5 gives 2496. Errc::guidance_not_finite
/// for a guidance outside 0 .. 2^40.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<double> guidance_token_value(double guidance) noexcept {
  if (!(guidance >= 0.0 && guidance <= 1099511627776.0)) return Errc::guidance_not_finite;
  const double value = 1000.0 * guidance;
  if (value == 0.0) return 0.0;
  double unit = 1.0;  // of the last of eight bits
  while (value >= 256.0 * unit) unit *= 2.0;
  while (value < 128.0 * unit) unit *= 0.5;
  const double scaled = value / unit;  // in 128 .. 256
  const auto whole = static_cast<std::int32_t>(scaled);
  const double rest = scaled - whole;
  const bool up = rest > 0.5 || (rest == 0.5 && whole % 2 != 0);
  return (whole + (up ? 1 : 0)) * unit;
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_SCHEDULE_HPP
