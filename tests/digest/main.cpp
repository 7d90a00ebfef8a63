// SPDX-License-Identifier: MIT
// Prints one line a section, "name digest". The same lines on every compiler, processor and set of flags: digest.txt.
// Nothing is read, and no floating-point number is printed.
#include "sections.hpp"

#include <cinttypes>
#include <cstdio>
#include <string>
#include <vector>

namespace {

namespace hr = hunyuan_reso;
using namespace hunyuan_reso_digest;

void print(const char* name, std::uint64_t digest) { std::printf("%s %016" PRIx64 "\n", name, digest); }

struct PrintSection {
  template <class Section>
  void section() const {
    std::uint64_t sum = 0;
    for_each_model([&](const hr::Model& model, const hr::SnapTable& table, std::uint32_t number) {
      for (std::uint32_t i = 0; i < Section::count; ++i) sum += answer<Section>(model, table, number, i);
    });
    print(Section::name, sum);
  }
};

void add(Hash& hash, std::string_view text) {
  hash.add(text.size());
  for (const char c : text) hash.add(static_cast<unsigned char>(c));
}

/// Tables, thresholds and a few sizes as the compiler computes them.
constexpr std::uint64_t compile_time_digest(const hr::Model& model) noexcept {
  std::uint64_t sum = 0;
  const hr::SnapTable no_table{};
  for (std::uint32_t i = 0; i < 64; ++i) {
    sum += answer<Tables>(model, no_table, 0, i) + answer<Thresholds>(model, no_table, 0, i);
  }
  for (std::uint32_t i = 0; i < 4; ++i) {
    sum += answer<Images>(model, no_table, 0, i) + answer<Crops>(model, no_table, 0, i);
    sum += answer<Tiles>(model, no_table, 0, i) + answer<Schedule>(model, no_table, 0, i);
  }
  return sum;
}

/// Bits of the schedule as constants: the compiler's arithmetic knows no flags.
template <std::size_t Steps>
struct ScheduleBits {
  std::int64_t scaled[Steps + 1]{};  // the 53 bits of each sigma
  constexpr ScheduleBits() noexcept {
    const auto schedule = hr::FlowSchedule::create(static_cast<std::int32_t>(Steps), 3.0);
    for (std::size_t j = 0; j <= Steps; ++j) {
      double sigma = schedule->sigma(static_cast<std::int32_t>(j));
      for (int k = 0; k < 53; ++k) sigma *= 2.0;
      scaled[j] = static_cast<std::int64_t>(sigma);
    }
  }
};

void print_compile_time() {
  constexpr std::uint64_t instruct = compile_time_digest(hr::model_for<hr::profiles::instruct>);
  constexpr std::uint64_t panorama = compile_time_digest(hr::model_for<hr::profiles::panorama, 512>);
  print("constants", instruct + panorama);
  constexpr ScheduleBits<50> schedule;
  Hash hash(0);
  for (const std::int64_t bits : schedule.scaled) hash.add(bits);
  print("schedule_constants", hash.value());
}

/// Many sizes at once, by every path that snap_batch has.
void print_batches() {
  Hash hash(0);
  for_each_model([&](const hr::Model& model, const hr::SnapTable& table, std::uint32_t) {
    for (const std::uint32_t count : {7u, 300u, 5000u}) {
      std::vector<std::int32_t> widths, heights;
      for (std::uint32_t i = 0; i < count; ++i) {
        const hr::Resolution size = size_of(model, i * 3);
        widths.push_back(size.width);
        heights.push_back(size.height);
      }
      std::vector<std::uint8_t> indices(count);
      hr::snap_batch(model.group, widths.data(), heights.data(), indices.data(), count);
      for (const std::uint8_t index : indices) hash.add(index);
      hr::snap_batch(table, widths.data(), heights.data(), indices.data(), count);
      for (const std::uint8_t index : indices) hash.add(index);
    }
  });
  print("batches", hash.value());
}

void print_parses() {
  static const char* const pieces[] = {"1024",       "768",         "x",  "X", "\xC3\x97", ":",  "16", "9",
                                       "auto",       "<img_ratio_", "36", ">", " ",        "\t", "0",  "-1",
                                       "2147483647", "2147483648",  "a",  "*", "1_0",      ""};
  constexpr std::int32_t piece_count = sizeof(pieces) / sizeof(pieces[0]);
  Hash hash(0);
  for (const hr::ModelProfile* profile : hr::profiles::all) {
    const auto model = hr::Model::create(*profile);
    for (std::uint32_t i = 0; i < 20000; ++i) {
      Draw draw(i);
      std::string text;
      for (std::int32_t k = draw.below(6); k >= 0; --k) text += pieces[draw.below(piece_count)];
      const auto parsed = hr::parse_image_size(text, *profile);
      hash.add_error(parsed);
      hash.add(static_cast<int>(parsed->kind));
      hash.add(parsed->size);
      hash.add(parsed->ratio_index);
      add(hash, hr::format_image_size(*parsed, *profile).view());
      add_image(hash, hr::build_gen_image_info(*model, text));
    }
  }
  print("parses", hash.value());
}

void print_texts() {
  Hash hash(0);
  for (const hr::ModelProfile* profile : hr::profiles::all) {
    for (hr::TokenId id = 127900; id < 130300; ++id) {
      const auto text = hr::token_text(*profile, id);
      hash.add_error(text);
      add(hash, text->view());
      hash.add(hr::find_token(*profile, text->view()));
    }
  }
  print("texts", hash.value());
}

void add_row(Hash& hash, const hr::ModelProfile& profile, const hr::TokenSequence& row) {
  std::vector<hr::TokenId> ids(static_cast<std::size_t>(row.length));
  hash.add(row.expand(ids.data(), ids.size()) == hr::Errc::none);
  for (const hr::TokenId id : ids) hash.add(id);
  for (const hr::ImageRun& run : row.image_runs) hash.add(run.slice);
  for (const hr::Slice slice : row.text_slices) hash.add(slice);
  const auto layout = hr::read_sequence(profile, ids.data(), ids.size());
  hash.add_error(layout);
  for (const hr::ImageRun& run : layout->image_runs) {
    hash.add(run.slice);
    hash.add(run.token_height);
    hash.add(run.token_width);
  }
  const auto positions = hr::RopeLayout::create(profile, row.image_runs.data(), row.image_runs.size(), row.length);
  hash.add_error(positions);
  std::vector<hr::RopePosition> written(static_cast<std::size_t>(row.length));
  hash.add(positions->write(written.data(), written.size()) == hr::Errc::none);
  for (const hr::RopePosition position : written) {
    hash.add(position.y);
    hash.add(position.x);
  }
}

/// Requests with their plans and the rows of every stage.
void print_sequences() {
  Hash hash(0);
  for (const hr::ModelProfile* profile : hr::profiles::all) {
    const auto model = hr::Model::create(*profile);
    const auto bytes = [](std::string_view text) {
      std::vector<hr::TokenId> ids;
      for (const char c : text) ids.push_back(1000 + static_cast<unsigned char>(c));
      return ids;
    };
    const auto encode = hr::with_special_tokens(*profile, bytes);
    for (const char* const size : {"auto", "1024x768", "9:16", "<img_ratio_5>", "2000x100"}) {
      for (int images = 0; images < 4; ++images) {
        hr::GenerationRequest request;
        request.prompt = "a lighthouse at night";
        request.system = images % 2 == 0 ? "" : "You draw.";
        request.image_size = size;
        request.align_output = images == 2;
        for (int i = 0; i < images; ++i)
          hash.add(request.add_conditioning_image({600 + 100 * i, 800}) == hr::Errc::none);
        const auto plan = hr::plan_generation(*model, request, encode);
        hash.add_error(plan);
        if (!plan) continue;
        hash.add(plan->sequence_length);
        hash.add(plan->image_start);
        hash.add(plan->kv_bytes);
        hash.add(plan->weight_bytes);
        for (const hr::Diagnostic& finding : plan->diagnostics) add(hash, hr::name(finding.code));
        const auto text = hr::text_stage_row(*model, request, *plan, encode);
        hash.add_error(text);
        if (text) add_row(hash, *profile, *text);
        const auto batch = hr::image_rows(*model, request, *plan, plan->image, "<think>dark</think>", encode);
        hash.add_error(batch);
        for (const hr::TokenSequence& row : batch->rows) add_row(hash, *profile, row);
      }
    }
  }
  print("sequences", hash.value());
}

}  // namespace

int main() {
  for_each_section(PrintSection{});
  print_compile_time();
  print_batches();
  print_parses();
  print_texts();
  print_sequences();
}
