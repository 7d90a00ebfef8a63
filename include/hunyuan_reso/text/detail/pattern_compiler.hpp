// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_DETAIL_PATTERN_COMPILER_HPP
#define HUNYUAN_RESO_TEXT_DETAIL_PATTERN_COMPILER_HPP

#include "character_table.hpp"
#include "pattern_parser.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {
namespace detail {

enum class PatternOp : std::uint8_t {
  one,    ///< one character of `set`
  run,    ///< `x` to `y` characters of `set`, as many as there are; gives back unless possessive
  split,  ///< goes on at `x`, on failure at `y`; straight to `y` where the next character is not in `set`
  jump,   ///< goes on at `x`
  look,   ///< the next character is in `set` (`is_negated`: is not, or the text ends)
  text_end,
  line_end,
  atomic_begin,  ///< what lies between the two gives nothing back afterwards
  atomic_end,
  match,
};

inline constexpr std::uint8_t no_set = 0xFF;

struct PatternInstruction {
  PatternOp op = PatternOp::match;
  std::uint8_t set = no_set;
  bool is_possessive = false;
  bool is_negated = false;
  std::uint32_t x = 0;
  std::uint32_t y = 0;
};

struct PatternProgram {
  std::vector<PatternInstruction> code;
  CharacterTable characters;
  std::uint8_t first_set = no_set;  ///< what a match can start with; no_set: anything, or nothing
};

/// A tree into a program, with the tables of its sets.
class PatternCompiler {
 public:
  /// Counted groups are written out, so the size is limited.
  static constexpr std::size_t max_instructions = 1024;

  [[nodiscard]] TextError compile(PatternTree& tree, PatternProgram& program) {
    tree_ = &tree;
    program_ = &program;
    program.code.clear();
    if (tree.sets.size() > CharacterTable::max_sets) fail(0, "more than 64 different character classes");
    emit(tree.root);
    push(PatternOp::match);
    program.first_set = first_set(tree.root);
    if (ok() && !program.characters.build(tree.sets))
      fail(0, "classes that divide the characters into more than 256 kinds");
    if (ok()) drop_needless_giving_back();
    return std::move(error_);
  }

 private:
  [[nodiscard]] bool ok() const noexcept { return error_.code == TextErrc::none; }
  void fail(std::size_t position, const char* what) {
    if (ok()) error_ = TextError{TextErrc::pattern, position, what};
  }

  [[nodiscard]] std::uint32_t here() const { return static_cast<std::uint32_t>(program_->code.size()); }
  std::uint32_t push(PatternOp op, std::uint32_t set = no_set) {
    if (program_->code.size() == max_instructions) {
      fail(0, "the pattern is too long once its counted repeats are written out");
      return 0;
    }
    PatternInstruction instruction;
    instruction.op = op;
    instruction.set = static_cast<std::uint8_t>(set < no_set ? set : no_set);
    program_->code.push_back(instruction);
    return here() - 1;
  }
  [[nodiscard]] PatternInstruction& at(std::uint32_t index) { return program_->code[index]; }

  void emit(std::uint32_t index) {
    if (!ok()) return;
    const PatternNode node = tree_->nodes[index];
    switch (node.kind) {
      case NodeKind::sequence:
        for (std::uint32_t c = node.first_child; c != no_node && ok(); c = tree_->nodes[c].next) emit(c);
        break;
      case NodeKind::choice:
        emit_choice(node);
        break;
      case NodeKind::character:
        push(PatternOp::one, node.set);
        break;
      case NodeKind::repeat:
        emit_repeat(node);
        break;
      case NodeKind::look: {
        const std::uint32_t look = push(PatternOp::look, node.set);
        if (ok()) at(look).is_negated = node.low != 0;
        break;
      }
      case NodeKind::text_end:
        push(PatternOp::text_end);
        break;
      case NodeKind::line_end:
        push(PatternOp::line_end);
        break;
    }
  }

  void emit_choice(const PatternNode& node) {
    std::vector<std::uint32_t> exits;
    for (std::uint32_t c = node.first_child; c != no_node && ok(); c = tree_->nodes[c].next) {
      if (tree_->nodes[c].next == no_node) {
        emit(c);
        break;
      }
      const std::uint32_t split = push(PatternOp::split, first_set(c));
      emit(c);
      exits.push_back(push(PatternOp::jump));
      if (!ok()) return;
      at(split).x = split + 1;
      at(split).y = here();
    }
    for (const std::uint32_t exit : exits) at(exit).x = here();
  }

  void emit_repeat(const PatternNode& node) {
    const PatternNode child = tree_->nodes[node.first_child];
    if (child.kind == NodeKind::character && node.mode != RepeatMode::lazy) {
      const std::uint32_t run = push(PatternOp::run, child.set);
      if (!ok()) return;
      at(run).x = node.low;
      at(run).y = node.high;
      at(run).is_possessive = node.mode == RepeatMode::possessive;
      return;
    }
    if (node.high == unlimited && can_be_empty(node.first_child)) {
      fail(node.position, "an unlimited repeat of what can match nothing");
      return;
    }
    if (node.mode == RepeatMode::possessive) push(PatternOp::atomic_begin);
    for (std::uint32_t i = 0; i < node.low && ok(); ++i) emit(node.first_child);
    const std::uint32_t filter = node.mode == RepeatMode::lazy ? no_set : first_set(node.first_child);
    if (node.high == unlimited) {
      const std::uint32_t split = push(PatternOp::split, filter);
      emit(node.first_child);
      const std::uint32_t jump = push(PatternOp::jump);
      if (!ok()) return;
      at(jump).x = split;
      aim(split, split + 1, here(), node.mode);
    } else {
      std::vector<std::uint32_t> splits;
      for (std::uint32_t i = node.low; i < node.high && ok(); ++i) {
        splits.push_back(push(PatternOp::split, filter));
        emit(node.first_child);
      }
      if (!ok()) return;
      for (const std::uint32_t split : splits) aim(split, split + 1, here(), node.mode);
    }
    if (node.mode == RepeatMode::possessive) push(PatternOp::atomic_end);
  }

  void aim(std::uint32_t split, std::uint32_t body, std::uint32_t after, RepeatMode mode) {
    at(split).x = mode == RepeatMode::lazy ? after : body;
    at(split).y = mode == RepeatMode::lazy ? body : after;
  }

  [[nodiscard]] bool can_be_empty(std::uint32_t index) const {
    const PatternNode& node = tree_->nodes[index];
    switch (node.kind) {
      case NodeKind::character:
        return false;
      case NodeKind::repeat:
        return node.low == 0 || can_be_empty(node.first_child);
      case NodeKind::choice:
        for (std::uint32_t c = node.first_child; c != no_node; c = tree_->nodes[c].next) {
          if (can_be_empty(c)) return true;
        }
        return false;
      case NodeKind::sequence:
        for (std::uint32_t c = node.first_child; c != no_node; c = tree_->nodes[c].next) {
          if (!can_be_empty(c)) return false;
        }
        return true;
      case NodeKind::look:
      case NodeKind::text_end:
      case NodeKind::line_end:
        break;
    }
    return true;
  }

  /// Adds the sets (as bits) that a match of the node can start in, and returns whether it can be empty.
  bool add_first(std::uint32_t index, std::uint64_t& sets) const {
    const PatternNode& node = tree_->nodes[index];
    switch (node.kind) {
      case NodeKind::character:
        sets |= std::uint64_t{1} << node.set;
        return false;
      case NodeKind::repeat:
        return add_first(node.first_child, sets) || node.low == 0;
      case NodeKind::choice: {
        bool is_empty = false;
        for (std::uint32_t c = node.first_child; c != no_node; c = tree_->nodes[c].next) {
          if (add_first(c, sets)) is_empty = true;
        }
        return is_empty;
      }
      case NodeKind::sequence:
        for (std::uint32_t c = node.first_child; c != no_node; c = tree_->nodes[c].next) {
          if (!add_first(c, sets)) return false;
        }
        return true;
      case NodeKind::look:
      case NodeKind::text_end:
      case NodeKind::line_end:
        break;
    }
    return true;
  }

  /// The set that a match of the node must start with, as one of the tree's; no_set where there is none.
  [[nodiscard]] std::uint8_t first_set(std::uint32_t index) {
    std::uint64_t members = 0;
    if (!ok() || add_first(index, members)) return no_set;
    std::vector<CodePointSet>& sets = tree_->sets;
    CodePointSet joined;
    for (std::size_t k = 0; k < sets.size(); ++k) {
      if ((members >> k & 1U) != 0) joined.add(sets[k]);
    }
    joined.normalize();
    std::size_t k = 0;
    while (k < sets.size() && !(sets[k] == joined)) ++k;
    if (k == CharacterTable::max_sets) return no_set;  // only a shortcut is lost
    if (k == sets.size()) sets.push_back(std::move(joined));
    return static_cast<std::uint8_t>(k);
  }

  /// A greedy run has nothing to give back where what follows always fits, or starts with none of its characters.
  void drop_needless_giving_back() {
    for (std::uint32_t i = 0; i < here(); ++i) {
      PatternInstruction& run = at(i);
      if (run.op != PatternOp::run || run.is_possessive) continue;
      std::uint32_t next = i + 1;
      while (at(next).op == PatternOp::jump) next = at(next).x;
      const PatternInstruction& follower = at(next);
      const bool must_consume = follower.op == PatternOp::one || (follower.op == PatternOp::run && follower.x > 0);
      run.is_possessive = always_matches(next) || (must_consume && are_disjoint(run.set, follower.set));
    }
  }

  [[nodiscard]] bool always_matches(std::uint32_t index) {
    for (;;) {
      const PatternInstruction& next = at(index);
      if (next.op == PatternOp::match) return true;
      if (next.op == PatternOp::jump) {
        if (next.x <= index) return false;
        index = next.x;
      } else if (next.op == PatternOp::run && next.x == 0) {
        ++index;
      } else {
        return false;
      }
    }
  }

  [[nodiscard]] bool are_disjoint(std::uint8_t a, std::uint8_t b) const {
    for (const std::uint64_t mask : program_->characters.kinds()) {
      if ((mask >> a & 1U) != 0 && (mask >> b & 1U) != 0) return false;
    }
    return true;
  }

  PatternTree* tree_ = nullptr;
  PatternProgram* program_ = nullptr;
  TextError error_;
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_DETAIL_PATTERN_COMPILER_HPP
