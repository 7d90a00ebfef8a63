// SPDX-License-Identifier: MIT
// The shifted schedule: numbers worked out by hand; tests/golden has the recorded ones.
#include <hunyuan_reso/schedule.hpp>

#include "support/expect.hpp"

namespace {

using namespace hunyuan_reso;

constexpr bool four_steps_with_shift_three() {
  const auto schedule = FlowSchedule::create(4, 3.0);
  EXPECT(schedule.has_value());
  const double sigmas[] = {1.0, 0.9, 0.75, 0.5, 0.0};
  for (std::int32_t j = 0; j <= 4; ++j) {
    const double difference = schedule->sigma(j) - sigmas[j];
    EXPECT(difference < 1e-15 && difference > -1e-15);
  }
  EXPECT(schedule->timestep(1) > 899.9999 && schedule->timestep(1) < 900.0001);
  EXPECT(schedule->step_factor(3) == -0.5);
  EXPECT(schedule->sigma(-1) == 1.0 && schedule->sigma(0) == 1.0);
  EXPECT(schedule->sigma(4) == 0.0 && schedule->sigma(5) == 0.0);
  return true;
}
BOTH_TIMES(four_steps_with_shift_three)

constexpr bool every_schedule_descends_from_one_to_zero() {
  for (const ModelProfile* profile : profiles::all) {
    const auto schedule = FlowSchedule::create(*profile);
    EXPECT(schedule->steps() == profile->steps);
    for (std::int32_t j = 0; j < schedule->steps(); ++j) EXPECT(schedule->step_factor(j) < 0.0);
  }
  return true;
}
BOTH_TIMES(every_schedule_descends_from_one_to_zero)

constexpr bool an_image_to_image_run_starts_where_its_noise_is() {
  const auto fifty = FlowSchedule::create(50, 3.0);
  EXPECT(*fifty->first_step(1.0) == 0);
  EXPECT(*fifty->first_step(0.5) == 25);
  EXPECT(*fifty->first_step(0.35) == 33);  // 32.5 steps are skipped: the first whole one behind
  EXPECT(*fifty->first_step(0.001) == 49);
  const auto ten = FlowSchedule::create(10, 1.0);
  for (std::int32_t tenth = 1; tenth <= 10; ++tenth) EXPECT(*ten->first_step(tenth / 10.0) == 10 - tenth);
  // The noise level there is at most that of the strength, the one before it is above.
  for (std::int32_t percent = 1; percent <= 100; ++percent) {
    const std::int32_t first = *fifty->first_step(percent / 100.0);
    const double asked = 3.0 * percent / (100.0 + 2.0 * percent);
    EXPECT(fifty->sigma(first) <= asked + 1e-6 || first == 49);
    EXPECT(first == 0 || fifty->sigma(first - 1) > asked - 1e-6);
  }
  EXPECT(fifty->first_step(0.0).error() == Errc::strength_out_of_range);
  EXPECT(fifty->first_step(-0.5).error() == Errc::strength_out_of_range);
  EXPECT(fifty->first_step(1.01).error() == Errc::strength_out_of_range);
  return true;
}
BOTH_TIMES(an_image_to_image_run_starts_where_its_noise_is)

/// Noise levels of schedules whose shifts are no whole numbers. The compiler rounds every operation; at run time an
/// instruction that rounds a product and a sum together must not change a bit.
struct NoiseLevels {
  double of[40 * 21]{};
};
constexpr NoiseLevels noise_levels(double least_shift) {
  NoiseLevels levels;
  for (std::int32_t k = 0; k < 40; ++k) {
    const auto schedule = FlowSchedule::create(10 * (k + 1), least_shift + k / 8.0);
    for (std::int32_t j = 0; j < 20; ++j) levels.of[21 * k + j] = schedule->sigma(j * (k + 1) / 2);
    levels.of[21 * k + 20] = *schedule->first_step(0.025 * (k + 1));
  }
  return levels;
}
TEST_CASE("noise levels are the same at compile time and at run time") {
  static constexpr NoiseLevels expected = noise_levels(0.7);
  const volatile double not_foreseen = 0.7;
  const NoiseLevels actual = noise_levels(not_foreseen);
  for (std::size_t i = 0; i < 40 * 21; ++i) CHECK(actual.of[i] == expected.of[i]);
}

constexpr bool a_schedule_needs_steps_and_a_shift() {
  EXPECT(FlowSchedule::create(0, 3.0).error() == Errc::count_out_of_range);
  EXPECT(FlowSchedule::create(1000001, 3.0).error() == Errc::count_out_of_range);
  EXPECT(FlowSchedule::create(5, 0.0).error() == Errc::shift_not_positive);
  EXPECT(FlowSchedule::create(5, -3.0).error() == Errc::shift_not_positive);
  EXPECT(FlowSchedule::create(5, 1e31).error() == Errc::shift_not_positive);
  EXPECT(FlowSchedule::create(5, 1e30)->sigma(4) > 0.999999);
  EXPECT(FlowSchedule().sigma(0) == 1.0);
  return true;
}
BOTH_TIMES(a_schedule_needs_steps_and_a_shift)

constexpr bool guidance_tokens_hold_bfloat16() {
  EXPECT(*guidance_token_value(2.5) == 2496.0);
  EXPECT(*guidance_token_value(5.0) == 4992.0);
  EXPECT(*guidance_token_value(1.0) == 1000.0);
  EXPECT(*guidance_token_value(0.0) == 0.0);
  EXPECT(*guidance_token_value(2.504) == 2496.0);  // half-way between 2496 and 2512: the even significand, 156
  EXPECT(*guidance_token_value(2.52) == 2528.0);   // half-way between 2512 and 2528: the even one, 158
  EXPECT(*guidance_token_value(2.49) == 2496.0);
  EXPECT(!guidance_token_value(-1.0));
  return true;
}
BOTH_TIMES(guidance_tokens_hold_bfloat16)

}  // namespace
