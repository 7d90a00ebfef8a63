// SPDX-License-Identifier: MIT
// hunyuan-reso sequence: the token runs of a request, and what was recorded while writing them.
#include <hunyuan_reso/refeed.hpp>
#include <hunyuan_reso/result.hpp>
#include <memory>

#include "commands.hpp"
#include "failure.hpp"
#include "options.hpp"
#include "output.hpp"
#include "sequence_request.hpp"

namespace hunyuan_reso::cli {
namespace {

struct SequenceOptionsOfTool {
  ModelOptions model;
  OutputOptions output;
  std::string path = "-";
  std::string encoder = "bytes";
};

Json slices_json(const std::vector<Slice>& slices) {
  Json json = Json::array();
  for (const Slice& slice : slices) json.push_back({slice.start, slice.stop});
  return json;
}

Json row_json(const TokenSequence& row, const ModelProfile& profile) {
  Json runs = Json::array();
  for (const TokenRun& run : row.runs) runs.push_back({run.id, run.count});
  Json images = Json::array();
  for (const ImageRun& run : row.image_runs) {
    constexpr const char* kinds[] = {"generated", "vae", "vit"};
    images.push_back({{"slice", {run.slice.start, run.slice.stop}},
                      {"kind", kinds[static_cast<std::size_t>(run.kind)]},
                      {"in_joint_block", run.in_joint_block},
                      {"token_height", run.token_height},
                      {"token_width", run.token_width}});
  }
  const Result<std::vector<Slice>> refed = refeed_slices(row, profile);
  return {{"tokens", runs},
          {"length", row.length},
          {"real_length", row.real_length()},
          {"text_slices", slices_json(row.text_slices)},
          {"image_runs", images},
          {"joint_slices", slices_json(row.joint_slices())},
          {"gen_timestep_positions", row.gen_timestep_positions},
          {"cond_timestep_positions", row.cond_timestep_positions},
          {"guidance_positions", row.guidance_positions},
          {"timestep_r_positions", row.timestep_r_positions},
          {"refeed_slices", refed ? slices_json(*refed) : Json(nullptr)}};
}

/// Ids of text are shown as a count: their meaning is the encoder's.
std::string row_text(const TokenSequence& row, const ModelProfile& profile) {
  std::string text;
  std::int32_t position = 0;
  std::int32_t plain = 0;
  const auto show_plain = [&] {
    if (plain > 0) text += "    " + std::to_string(position - plain) + ": " + std::to_string(plain) + " text tokens\n";
    plain = 0;
  };
  for (const TokenRun& run : row.runs) {
    const std::string special = token_text_in(profile, run.id);
    if (special.empty()) {
      plain += run.count;
      position += run.count;
      continue;
    }
    show_plain();
    text += "    " + std::to_string(position) + ": " + special;
    if (run.count > 1) text += " x " + std::to_string(run.count);
    text += '\n';
    position += run.count;
  }
  show_plain();
  for (const ImageRun& run : row.image_runs) {
    constexpr const char* kinds[] = {"generated image", "conditioning image (VAE)", "conditioning image (ViT)"};
    text += "    " + std::string(kinds[static_cast<std::size_t>(run.kind)]) + " at " + std::to_string(run.slice.start) +
            " .. " + std::to_string(run.slice.stop - 1) + ", grid " + std::to_string(run.token_height) + " x " +
            std::to_string(run.token_width) + " tokens (height x width)\n";
  }
  return text;
}

int run(const SequenceOptionsOfTool& options) {
  const ModelProfile profile = resolve_profile(options.model);
  const SequenceRequest request = read_sequence_request(read_file(options.path), profile);
  const Result<TokenBatch> batch = encode_chat_batch(request.conversations, profile, request.options, encode_bytes,
                                                     request.cfg_factor - 1, request.max_length);
  if (!batch) {
    const bool too_long = batch.error() == Errc::sequence_too_long;
    throw Refusal(
        "request: " + std::string(message(batch.error())) +
        (too_long ? ": " + std::to_string(batch.position()) + " tokens, limit " + std::to_string(request.max_length)
                  : " (message " + std::to_string(batch.position() + 1) + ")"));
  }
  if (options.output.format == "json") {
    Json rows = Json::array();
    for (const TokenSequence& row : batch->rows) rows.push_back(row_json(row, profile));
    options.output.write(dump({{"profile", profile.name}, {"length", batch->length}, {"rows", rows}}));
    return exit_success;
  }
  std::string text = std::string(profile.name) + ": " + std::to_string(batch->rows.size()) +
                     (batch->rows.size() == 1 ? " row of " : " rows of ") + std::to_string(batch->length) +
                     " tokens; text ids by the stand-in encoder 'bytes'\n";
  for (std::size_t i = 0; i < batch->rows.size(); ++i) {
    const bool unconditional = i >= request.conversations.size();
    text += "  row " + std::to_string(i) + (unconditional ? ", unconditional\n" : ", conditional\n") +
            row_text(batch->rows[i], profile);
  }
  options.output.write(text);
  return exit_success;
}

}  // namespace

Command add_sequence(CLI::App& tool) {
  CLI::App& app =
      add_command(tool, "sequence", "The token sequence of a request, as runs and slices",
                  "  hunyuan-reso sequence request.json --profile instruct-distil --format json\n"
                  "  echo '{\"prompt\": \"a cat\", \"gen\": \"16:9\", \"cfg_factor\": 2}' | hunyuan-reso sequence -");
  const auto options = std::make_shared<SequenceOptionsOfTool>();
  options->model.add_profile(app);
  app.add_option("request", options->path, "JSON file with the request; - is standard input")
      ->required()
      ->type_name("FILE");
  app.add_option("--encoder", options->encoder, "Text encoder: bytes, a stand-in that needs no vocabulary")
      ->check(CLI::IsMember({"bytes"}).description(""))
      ->type_name("NAME");
  options->output.add(app, {"text", "json"});
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
