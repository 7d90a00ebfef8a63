// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_DETAIL_PATTERN_MATCHER_HPP
#define HUNYUAN_RESO_TEXT_DETAIL_PATTERN_MATCHER_HPP

#include "pattern_compiler.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {
namespace detail {

/// Runs a program on one text. Holds the memory of its searches: one a thread.
class PatternMatcher {
 public:
  /// `text` is valid UTF-8 and outlives the searches in it.
  void set_text(std::string_view text) noexcept {
    text_ = reinterpret_cast<const unsigned char*>(text.data());
    size_ = text.size();
  }

  /// The first match at or after `start`.
  [[nodiscard]] bool search(const PatternProgram& program, std::size_t start, std::size_t& match_start,
                            std::size_t& match_end) {
    base_ = start;
    steps_ = 0;
    // Notes are made only once the steps back have cost more than the notes' memory does to clear.
    patience_ = 50000 + program.code.size() * (size_ - start) / 64;
    is_noting_ = false;
    for (;;) {
      if (program.first_set != no_set) {
        // Over all characters that no match starts with.
        for (;;) {
          if (start == size_) return false;
          const Character c = character(program, start);
          if ((c.sets >> program.first_set & 1U) != 0) break;
          start += c.length;
        }
      }
      if (match_at(program, start, match_end)) {
        match_start = start;
        return true;
      }
      if (start == size_) return false;
      start += decode_valid(text_ + start).length;
    }
  }

 private:
  struct Character {
    std::uint64_t sets;
    std::uint32_t length;
  };
  struct Choice {
    std::uint32_t instruction;
    std::size_t position;
    std::size_t low;  ///< of a run: it can give back down to here; else one of the two marks
  };
  static constexpr std::size_t plain_choice = ~std::size_t{0};
  static constexpr std::size_t frame_mark = plain_choice - 1;

  [[nodiscard]] Character character(const PatternProgram& program, std::size_t at) const noexcept {
    if (text_[at] < 0x80U) return {program.characters.mask_of_ascii(text_[at]), 1};
    const CodePoint c = decode_valid(text_ + at);
    return {program.characters.mask_of(c.value), c.length};
  }

  [[nodiscard]] bool next_is_in(const PatternProgram& program, std::size_t at, std::uint8_t set) const noexcept {
    return at < size_ && (character(program, at).sets >> set & 1U) != 0;
  }

  [[nodiscard]] bool match_at(const PatternProgram& program, std::size_t at, std::size_t& end) {
    choices_.clear();
    frames_.clear();
    std::uint32_t i = 0;
    for (;;) {
      const PatternInstruction& step = program.code[i];
      bool goes_on = true;
      switch (step.op) {
        case PatternOp::one: {
          if (at == size_) {
            goes_on = false;
            break;
          }
          const Character c = character(program, at);
          goes_on = (c.sets >> step.set & 1U) != 0;
          at += c.length;
          ++i;
          break;
        }
        case PatternOp::run:
          goes_on = run(program, step, i, at);
          ++i;
          break;
        case PatternOp::split:
          if (step.set != no_set && !next_is_in(program, at, step.set)) {
            i = step.y;
          } else {
            choices_.push_back({step.y, at, plain_choice});
            i = step.x;
          }
          break;
        case PatternOp::jump:
          i = step.x;
          break;
        case PatternOp::look:
          goes_on = next_is_in(program, at, step.set) != step.is_negated;
          ++i;
          break;
        case PatternOp::text_end:
          goes_on = at == size_;
          ++i;
          break;
        case PatternOp::line_end:
          goes_on = at == size_ || text_[at] == '\n';
          ++i;
          break;
        case PatternOp::atomic_begin:
          frames_.push_back(choices_.size());
          choices_.push_back({0, 0, frame_mark});
          ++i;
          break;
        case PatternOp::atomic_end:
          choices_.resize(frames_.back());
          frames_.pop_back();
          ++i;
          break;
        case PatternOp::match:
          end = at;
          return true;
      }
      if (!goes_on && !step_back(program, i, at)) return false;
    }
  }

  /// Takes as many characters as there are, and leaves a choice where fewer would do, too.
  [[nodiscard]] bool run(const PatternProgram& program, const PatternInstruction& step, std::uint32_t index,
                         std::size_t& at) {
    std::uint32_t count = 0;
    std::size_t low = at;
    while (count < step.y && at < size_) {
      const Character c = character(program, at);
      if ((c.sets >> step.set & 1U) == 0) break;
      at += c.length;
      if (++count == step.x) low = at;
    }
    if (count < step.x) return false;
    if (!step.is_possessive && at > low) choices_.push_back({index, at, low});
    return true;
  }

  /// To the last choice that is open; false where there is none.
  [[nodiscard]] bool step_back(const PatternProgram& program, std::uint32_t& instruction, std::size_t& at) {
    while (!choices_.empty()) {
      Choice& choice = choices_.back();
      if (++steps_ == patience_) start_noting(program);
      if (choice.low == frame_mark) {
        frames_.pop_back();
        choices_.pop_back();
        continue;
      }
      if (choice.low == plain_choice) {
        instruction = choice.instruction;
        at = choice.position;
        choices_.pop_back();
      } else {
        do {
          --choice.position;
        } while (is_continuation(text_[choice.position]));
        instruction = choice.instruction + 1;
        at = choice.position;
        if (at == choice.low) choices_.pop_back();
      }
      if (!is_noting_ || is_new(instruction, at)) return true;
    }
    return false;
  }

  void start_noting(const PatternProgram& program) {
    is_noting_ = true;
    tried_.assign((program.code.size() * (size_ - base_ + 1) + 63) / 64, 0);
  }

  /// Whether this is the first try of the instruction at this position in this search; what follows from there does not
  /// depend on how it was reached.
  [[nodiscard]] bool is_new(std::uint32_t instruction, std::size_t at) {
    const std::size_t bit = std::size_t{instruction} * (size_ - base_ + 1) + (at - base_);
    std::uint64_t& word = tried_[bit / 64];
    const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
    if ((word & mask) != 0) return false;
    word |= mask;
    return true;
  }

  const unsigned char* text_ = nullptr;
  std::size_t size_ = 0;
  std::size_t base_ = 0;
  std::size_t steps_ = 0;
  std::size_t patience_ = 0;
  bool is_noting_ = false;
  std::vector<Choice> choices_;
  std::vector<std::size_t> frames_;
  std::vector<std::uint64_t> tried_;
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_DETAIL_PATTERN_MATCHER_HPP
