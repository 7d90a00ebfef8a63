// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_DETAIL_PATTERN_PARSER_HPP
#define HUNYUAN_RESO_TEXT_DETAIL_PATTERN_PARSER_HPP

#include "pattern_class_parser.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {
namespace detail {

inline constexpr std::uint32_t no_node = 0xFFFFFFFFU;
inline constexpr std::uint32_t unlimited = 0xFFFFFFFFU;

enum class NodeKind : std::uint8_t {
  sequence,   ///< its children one after another; without children it matches nothing
  choice,     ///< the first of its children that fits
  character,  ///< one of `set`
  repeat,     ///< `first_child` at least `low` and at most `high` times
  look,       ///< the next character is (low: is not) one of `set`; at the end of the text only "is not" holds
  text_end,   ///< the end of the text
  line_end,   ///< the end of the text, or before a line feed
};
enum class RepeatMode : std::uint8_t { greedy, lazy, possessive };

struct PatternNode {
  NodeKind kind = NodeKind::sequence;
  RepeatMode mode = RepeatMode::greedy;
  std::uint32_t first_child = no_node;
  std::uint32_t next = no_node;
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  std::uint32_t set = 0;
  std::uint32_t position = 0;
};

struct PatternTree {
  std::vector<PatternNode> nodes;
  std::vector<CodePointSet> sets;
  std::uint32_t root = no_node;
};

/// A pattern's text into a tree. Groups nest at most 32 levels deep, so the recursion is bounded.
class PatternParser {
 public:
  PatternParser(std::string_view pattern, PatternDialect dialect)
      : cursor_{pattern, dialect, 0, {}}, classes_(cursor_) {}

  /// False: `error()` says what stands where.
  [[nodiscard]] bool parse(PatternTree& tree) {
    tree_ = &tree;
    tree.root = parse_choice(0);
    if (ok() && !cursor_.at_end()) return cursor_.fail("a closing ')' without an opening one");
    return ok();
  }
  [[nodiscard]] const TextError& error() const noexcept { return cursor_.error; }

 private:
  static constexpr int max_depth = 32;
  static constexpr std::uint32_t max_count = 1000;

  [[nodiscard]] bool ok() const noexcept { return cursor_.ok(); }

  std::uint32_t add(NodeKind kind) {
    PatternNode node;
    node.kind = kind;
    node.position = static_cast<std::uint32_t>(cursor_.at);
    tree_->nodes.push_back(node);
    return static_cast<std::uint32_t>(tree_->nodes.size() - 1);
  }
  [[nodiscard]] PatternNode& node(std::uint32_t index) { return tree_->nodes[index]; }

  std::uint32_t add_set(NodeKind kind, CodePointSet&& set) {
    const std::uint32_t index = add(kind);
    std::uint32_t k = 0;
    while (k < tree_->sets.size() && !(tree_->sets[k] == set)) ++k;
    if (k == tree_->sets.size()) tree_->sets.push_back(std::move(set));
    node(index).set = k;
    return index;
  }

  void append(std::uint32_t parent, std::uint32_t& last, std::uint32_t child) {
    if (last == no_node) {
      node(parent).first_child = child;
    } else {
      node(last).next = child;
    }
    last = child;
  }

  std::uint32_t parse_choice(int depth) {
    if (depth > max_depth) {
      (void)cursor_.fail("groups nested deeper than 32 levels");
      return no_node;
    }
    const std::uint32_t choice = add(NodeKind::choice);
    std::uint32_t last = no_node;
    for (;;) {
      const std::uint32_t sequence = parse_sequence(depth);
      if (!ok()) return no_node;
      append(choice, last, sequence);
      if (!cursor_.take('|')) return choice;
      previous_fold_ = 0;
    }
  }

  std::uint32_t parse_sequence(int depth) {
    const std::uint32_t sequence = add(NodeKind::sequence);
    std::uint32_t last = no_node;
    while (ok() && !cursor_.at_end() && !cursor_.is('|') && !cursor_.is(')')) {
      const std::uint32_t atom = parse_atom(depth);
      if (!ok()) return no_node;
      const std::uint32_t item = parse_quantifier(atom);
      if (!ok()) return no_node;
      append(sequence, last, item);
    }
    return sequence;
  }

  std::uint32_t parse_atom(int depth) {
    const char c = cursor_.peek();
    if (c == '(') return parse_group(depth);
    const std::uint32_t fold_before = previous_fold_;
    previous_fold_ = 0;
    CodePointSet set;
    if (c == '[') {
      return classes_.parse_class(set, ignore_case_) ? add_set(NodeKind::character, std::move(set)) : no_node;
    }
    if (c == '.') {
      ++cursor_.at;
      set.add('\n', '\n');
      set.negate();
      return add_set(NodeKind::character, std::move(set));
    }
    if (c == '$') {
      ++cursor_.at;
      return add(cursor_.dialect == PatternDialect::oniguruma ? NodeKind::line_end : NodeKind::text_end);
    }
    if (c == '^' || c == '*' || c == '+' || c == '?' || c == '{') {
      (void)cursor_.fail(c == '^' ? "'^' is not supported" : "a quantifier or brace with nothing before it; escape it");
      return no_node;
    }
    const std::size_t start = cursor_.at;
    std::uint32_t literal = 0;
    bool is_literal = false;
    if (!classes_.parse_single(set, literal, is_literal, ignore_case_)) return no_node;
    if (is_literal && !add_literal(set, literal, fold_before)) {
      cursor_.at = start;
      (void)cursor_.fail("a letter under (?i) whose case folding has several characters");
      return no_node;
    }
    // tiktoken's engine folds \p{Lu} under (?i), Oniguruma does not.
    if (!is_literal && ignore_case_ && cursor_.dialect == PatternDialect::fancy) close_under_case(set);
    set.normalize();
    return add_set(NodeKind::character, std::move(set));
  }

  /// A literal under (?i): with all that folds to the same. Oniguruma also knows foldings into several characters
  /// ("ss" fits U+00DF); false where one could take part.
  [[nodiscard]] bool add_literal(CodePointSet& set, std::uint32_t literal, std::uint32_t fold_before) {
    set.add(literal, literal);
    if (!ignore_case_) return true;
    close_under_case(set);
    if (cursor_.dialect != PatternDialect::oniguruma) return true;
    previous_fold_ = fold_case(literal);
    return !folds_to_several(literal) && (fold_before == 0 || !starts_multiple_fold(fold_before, previous_fold_));
  }

  std::uint32_t parse_group(int depth) {
    const std::size_t start = cursor_.at++;
    const bool outer_ignore_case = ignore_case_;
    bool is_look = false;
    bool is_atomic = false;
    bool negated = false;
    if (cursor_.take('?')) {
      if (cursor_.take("i:")) {
        ignore_case_ = true;
      } else if (cursor_.take("-i:")) {
        ignore_case_ = false;
      } else if (cursor_.take('!')) {
        is_look = negated = true;
      } else if (cursor_.take('=')) {
        is_look = true;
      } else if (cursor_.take('>')) {
        is_atomic = true;
      } else if (!cursor_.take(':')) {
        cursor_.at = start;
        (void)cursor_.fail("a group other than (...), (?:...), (?i:...), (?-i:...), (?>...), (?=...) and (?!...)");
        return no_node;
      }
    }
    const std::uint32_t inner = parse_choice(depth + 1);
    ignore_case_ = outer_ignore_case;
    if (!ok()) return no_node;
    if (!cursor_.take(')')) {
      cursor_.at = start;
      (void)cursor_.fail("a group without its closing ')'");
      return no_node;
    }
    if (is_look) return finish_look(inner, negated, start);
    return is_atomic ? wrap(inner, 1, 1, RepeatMode::possessive, start) : inner;
  }

  std::uint32_t finish_look(std::uint32_t inner, bool negated, std::size_t start) {
    const PatternNode& choice = node(inner);
    const std::uint32_t sequence = choice.first_child;
    const std::uint32_t child = node(sequence).next == no_node ? node(sequence).first_child : no_node;
    const bool is_simple = child != no_node && node(child).next == no_node && node(child).kind == NodeKind::character;
    if (!is_simple) {
      cursor_.at = start;
      (void)cursor_.fail("a lookahead at more than one character class");
      return no_node;
    }
    const std::uint32_t set = node(child).set;
    const std::uint32_t look = add(NodeKind::look);
    node(look).set = set;
    node(look).low = negated ? 1 : 0;
    return look;
  }

  std::uint32_t wrap(std::uint32_t child, std::uint32_t low, std::uint32_t high, RepeatMode mode,
                     std::size_t position) {
    const std::uint32_t repeat = add(NodeKind::repeat);
    PatternNode& made = node(repeat);
    made.first_child = child;
    made.low = low;
    made.high = high;
    made.mode = mode;
    made.position = static_cast<std::uint32_t>(position);
    return repeat;
  }

  std::uint32_t parse_quantifier(std::uint32_t atom) {
    const std::size_t start = cursor_.at;
    std::uint32_t low = 0;
    std::uint32_t high = unlimited;
    bool is_braced = false;
    if (cursor_.take('{')) {
      if (!parse_counts(low, high, start)) return no_node;
      is_braced = true;
    } else if (cursor_.take('+')) {
      low = 1;
    } else if (cursor_.take('?')) {
      high = 1;
    } else if (!cursor_.take('*')) {
      return atom;
    }
    previous_fold_ = 0;
    const NodeKind kind = node(atom).kind;
    if (kind != NodeKind::character && kind != NodeKind::choice && kind != NodeKind::repeat) {
      cursor_.at = start;
      (void)cursor_.fail("a quantifier after an assertion");
      return no_node;
    }
    std::uint32_t item = no_node;
    if (is_braced && low == high && cursor_.is('?')) {
      (void)cursor_.fail("'?' after an exact count, which engines read in different ways");
      return no_node;
    }
    if (cursor_.take('?')) {
      item = wrap(atom, low, high, RepeatMode::lazy, start);
    } else if (cursor_.is('+') && is_braced && cursor_.dialect == PatternDialect::oniguruma) {
      // Oniguruma reads {1,3}+ as (?:x{1,3})+, and only ?+ *+ ++ as possessive.
      ++cursor_.at;
      item = wrap(wrap(atom, low, high, RepeatMode::greedy, start), 1, unlimited, RepeatMode::greedy, start);
    } else if (cursor_.take('+')) {
      item = wrap(atom, low, high, RepeatMode::possessive, start);
    } else {
      item = wrap(atom, low, high, RepeatMode::greedy, start);
    }
    if (cursor_.is('+') || cursor_.is('*') || cursor_.is('?') || cursor_.is('{')) {
      (void)cursor_.fail("a quantifier after a quantifier");
      return no_node;
    }
    return item;
  }

  [[nodiscard]] bool parse_counts(std::uint32_t& low, std::uint32_t& high, std::size_t start) {
    bool good = parse_count(low);
    high = low;
    if (good && cursor_.take(',')) {
      high = unlimited;
      if (!cursor_.is('}')) good = parse_count(high);
    }
    if (good && cursor_.take('}') && low <= high) return true;
    cursor_.at = start;
    return cursor_.fail("expected {n}, {n,} or {n,m} with counts of at most 1000; escape a literal '{'");
  }

  [[nodiscard]] bool parse_count(std::uint32_t& count) {
    const std::size_t start = cursor_.at;
    count = 0;
    while (cursor_.peek() >= '0' && cursor_.peek() <= '9' && count <= max_count) {
      count = count * 10 + static_cast<std::uint32_t>(cursor_.peek() - '0');
      ++cursor_.at;
    }
    return cursor_.at != start && count <= max_count;
  }

  PatternCursor cursor_;
  ClassParser classes_;
  PatternTree* tree_ = nullptr;
  bool ignore_case_ = false;
  std::uint32_t previous_fold_ = 0;  ///< of the literal just before, under (?i); 0: none
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_DETAIL_PATTERN_PARSER_HPP
