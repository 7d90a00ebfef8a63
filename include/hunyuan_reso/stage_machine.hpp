// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_STAGE_MACHINE_HPP
#define HUNYUAN_RESO_STAGE_MACHINE_HPP

#include "profile_types.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// "After this token, force those", in token ids.
struct StageTransition {
  static constexpr std::size_t max_forced = 8;

  TokenId stop_token = 0;
  TokenId forced[max_forced]{};
  std::size_t forced_count = 0;

  /// Appends a token to be forced; Errc::too_many_forced_tokens appends nothing.
  HUNYUAN_RESO_HD constexpr Errc force(TokenId token) noexcept {
    if (forced_count >= max_forced) return Errc::too_many_forced_tokens;
    forced[forced_count++] = token;
    return Errc::none;
  }
};

/// The state of one row: which tokens are still to be forced, which transitions have fired. Each fires once.
template <std::size_t Capacity>
class BasicStageMachine {
 public:
  constexpr BasicStageMachine() noexcept = default;
  /// Of transitions with the same stop token the last one counts. Errc::too_many_forced_tokens for more of them than
  /// `Capacity`, or where one claims to force more than 8 tokens (position(): which one).
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<BasicStageMachine> create(const StageTransition* transitions,
                                                                                  std::size_t count) noexcept {
    if (count > Capacity) return {Errc::too_many_forced_tokens, Capacity};
    BasicStageMachine machine;
    for (std::size_t i = 0; i < count; ++i) {
      if (transitions[i].forced_count > StageTransition::max_forced) return {Errc::too_many_forced_tokens, i};
      machine.transitions_[i] = transitions[i];
    }
    machine.count_ = count;
    return machine;
  }

  /// Takes the row's last token (the prompt's at first) and returns the token to force next; Errc::no_forced_token
  /// where the model is free. A sampler that deviates is asked for the same token again.
  HUNYUAN_RESO_HD constexpr Result<TokenId> step(TokenId last) noexcept {
    if (pending_count() != 0 && last == transitions_[active_].forced[done_]) ++done_;
    if (pending_count() == 0) start(last);
    return pending(0);
  }

  /// Tokens still to be forced, the next one first; Errc::no_forced_token past the last.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t pending_count() const noexcept {
    return active_ < count_ ? transitions_[active_].forced_count - done_ : 0;
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Result<TokenId> pending(std::size_t i) const noexcept {
    if (i >= pending_count()) return Errc::no_forced_token;
    return transitions_[active_].forced[done_ + i];
  }
  /// Whether the transition of this stop token has fired.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool has_fired(TokenId stop_token) const noexcept {
    const std::size_t i = find(stop_token);
    return i < count_ && fired_[i];
  }

 private:
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t find(TokenId stop_token) const noexcept {
    for (std::size_t i = count_; i-- > 0;) {
      if (transitions_[i].stop_token == stop_token) return i;
    }
    return count_;
  }

  HUNYUAN_RESO_HD constexpr void start(TokenId last) noexcept {
    active_ = count_;
    done_ = 0;
    const std::size_t i = find(last);
    if (i == count_ || fired_[i]) return;
    fired_[i] = true;
    active_ = i;
  }

  StageTransition transitions_[Capacity]{};
  bool fired_[Capacity]{};
  std::size_t count_ = 0;
  std::size_t active_ = Capacity;
  std::size_t done_ = 0;
};

/// Room for every transition that a profile can hold.
using StageMachine = BasicStageMachine<TextStageRule::max_transitions>;

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_STAGE_MACHINE_HPP
