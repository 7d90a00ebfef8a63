// SPDX-License-Identifier: MIT
// Snapping against the plain definition in double, which is compiled with strict floating point. An input names a group
// (a published one, any parameters, or a list of rows) and then sizes: any, or near the middle of two rows, where the
// decision lies, or near a threshold.
#include <hunyuan_reso/model.hpp>
#include <hunyuan_reso/snap_batch.hpp>

#include <map>
#include <memory>

#include "fuzz.hpp"
#include "support/fraction.hpp"
#include "support/plain.hpp"

namespace {

using namespace hunyuan_reso;
using hunyuan_reso_fuzz::Bytes;
namespace plain = hunyuan_reso_test::plain;

using Group = BasicResolutionGroup<128>;

struct Question {
  Group group;
  std::vector<plain::Size> rows;
  plain::Group definition{std::vector<plain::Size>{}};
  SnapTable table{};
  bool has_table = false;
};

Question make_question(const Group& group) {
  Question question;
  question.group = group;
  for (const Resolution row : group) question.rows.push_back({row.height, row.width});
  question.definition = plain::Group(question.rows);
  const Result<SnapTable> table = SnapTable::create(group);
  question.has_table = table.has_value();
  ALWAYS(question.has_table == group.separable());
  if (table) question.table = *table;
  return question;
}

/// What GroupSpec asks for, by the rule written down once more.
void check_rows(const GroupSpec& spec, const Question& question) {
  plain::Parameters parameters;
  parameters.base_size = spec.base_size;
  parameters.step = spec.step;
  parameters.align = spec.align;
  for (std::size_t i = 0; i < spec.extras.count; ++i) {
    parameters.extras.push_back({spec.extras.rows[i].height, spec.extras.rows[i].width});
  }
  ALWAYS(plain::Group(parameters).rows() == question.rows);
}

/// Published groups, made once.
const Question& published(std::size_t profile, std::size_t base_size) {
  static std::map<std::pair<std::size_t, std::size_t>, std::unique_ptr<Question>> made;
  std::unique_ptr<Question>& question = made[{profile, base_size}];
  if (question == nullptr) {
    const ModelProfile& its = *profiles::all[profile];
    const GroupSpec spec = its.group_spec(its.size_tokens.base_sizes[base_size], ExtraScaling::absolute);
    question = std::make_unique<Question>(make_question(*Group::create(spec)));
    check_rows(spec, *question);
  }
  return *question;
}

void check_size(const Question& question, Resolution size) {
  const std::size_t expected = question.definition.nearest_index(size.width, size.height);
  ALWAYS(question.group.snap(size) == expected);
  ALWAYS(question.group.get_base_size_and_ratio_index(size.width, size.height).ratio_index == expected);
  ALWAYS(question.group.get_target_size(size.width, size.height) == question.group[expected]);
  if (question.has_table) ALWAYS(question.table.snap(size) == expected);
}

std::int32_t moved(std::int64_t side) {
  return static_cast<std::int32_t>(side < 1 ? 1 : side > max_side ? max_side : side);
}

void check_sizes(const Question& question, Bytes& bytes) {
  std::vector<std::int32_t> widths;
  std::vector<std::int32_t> heights;
  for (int i = 0; i < 64 && !bytes.empty(); ++i) {
    Resolution size{};
    switch (bytes.below(4)) {
      case 0:
        size.height = bytes.side();
        size.width = bytes.side();
        break;
      case 1:
        size = {moved(bytes.number()), moved(bytes.number())};
        break;
      case 2: {  // around the middle of two rows
        const Resolution a = question.group[bytes.below(question.group.size())];
        const Resolution b = question.group[bytes.below(question.group.size())];
        const double middle = (a.ratio() + b.ratio()) / 2;
        size.width = bytes.side();
        if (middle * size.width > max_side) size.width = moved(static_cast<std::int64_t>(max_side / middle));
        size.height = moved(static_cast<std::int64_t>(middle * size.width) + static_cast<std::int8_t>(bytes.byte()));
        break;
      }
      default: {  // the last size below a threshold, and the next fraction
        if (question.group.threshold_count() == 0) continue;
        const SnapThreshold threshold = question.group.threshold(bytes.below(question.group.threshold_count()));
        const hunyuan_reso_test::Fraction64 next =
            hunyuan_reso_test::next_fraction({threshold.last.height, threshold.last.width});
        size = threshold.last;
        if (question.group.separable() && next.denominator != 0) {
          const Resolution above{static_cast<std::int32_t>(next.numerator),
                                 static_cast<std::int32_t>(next.denominator)};
          ALWAYS(question.group.snap(threshold.last) == threshold.lower);
          ALWAYS(question.group.snap(above) == threshold.upper);
          check_size(question, above);
        }
        break;
      }
    }
    if (!size.is_positive()) continue;
    check_size(question, size);
    widths.push_back(size.width);
    heights.push_back(size.height);
  }
  widths.push_back(0);
  heights.push_back(5);
  std::vector<std::uint8_t> answers(widths.size(), 254);
  snap_batch(question.group, widths.data(), heights.data(), answers.data(), answers.size());
  for (std::size_t i = 0; i + 1 < answers.size(); ++i) {
    ALWAYS(answers[i] == question.group.snap({heights[i], widths[i]}));
  }
  ALWAYS(answers.back() == snap_refused);
}

}  // namespace

FUZZ_TARGET(snapping) {
  Bytes bytes(input);
  const std::size_t kind = bytes.below(8);
  if (kind < 5) {
    const std::size_t profile = bytes.below(sizeof(profiles::all) / sizeof(profiles::all[0]));
    return check_sizes(published(profile, bytes.below(profiles::all[profile]->size_tokens.count)), bytes);
  }
  if (kind == 5) {  // a list of one's own
    std::vector<Resolution> rows;
    for (std::size_t i = bytes.below(20); i > 0; --i) {
      const std::int32_t height = bytes.side();
      rows.push_back({height, bytes.side()});
    }
    const Result<Group> group = Group::from_rows(rows.data(), rows.size());
    ALWAYS(group.has_value() != rows.empty());
    if (group) check_sizes(make_question(*group), bytes);
    return;
  }
  GroupSpec spec;
  spec.align = static_cast<std::int32_t>(1 + bytes.below(64));
  spec.base_size = static_cast<std::int32_t>(1 + bytes.byte()) * spec.align * (bytes.flag() ? 16 : 1);
  spec.step = bytes.flag() ? 0 : static_cast<std::int32_t>(bytes.word() % 65536);
  for (std::size_t i = bytes.below(8); i > 0; --i) {
    const std::int32_t height = bytes.side();
    spec = spec.with_extra({height, bytes.side()});
  }
  if (kind == 7) spec.base_size = bytes.number();
  const Result<Group> group = Group::create(spec);
  if (!group) return ALWAYS(message(group.error())[0] != '\0');
  const Question question = make_question(*group);
  if (spec.base_size < (1 << 20)) check_rows(spec, question);
  check_sizes(question, bytes);
}
