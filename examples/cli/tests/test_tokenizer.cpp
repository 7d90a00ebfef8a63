// SPDX-License-Identifier: MIT
// The commands encode and decode, and --tokenizer of the others, with a small tokenizer.json made here.
#include <doctest/doctest.h>

#include <hunyuan_reso/generation.hpp>
#include <hunyuan_reso/text/tokenizer.hpp>

#include "run_tool.hpp"

using namespace hunyuan_reso;
using nlohmann::json;

namespace {

/// Bytes with their own values as ids, "cat" and " cat", and the profile's special tokens.
json tokenizer_json(const ModelProfile& profile) {
  const json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  json file = {{"normalizer", {{"type", "NFC"}}},
               {"pre_tokenizer", byte_level},
               {"decoder", byte_level},
               {"model", {{"type", "BPE"}, {"merges", json::array({"c a", "ca t", "\u0120 cat"})}}}};
  json& vocab = file["model"]["vocab"];
  for (int byte = 0; byte < 256; ++byte) {
    std::string token;
    text::detail::append_byte_characters(token, std::string(1, static_cast<char>(static_cast<unsigned char>(byte))));
    vocab[token] = byte;
  }
  vocab["ca"] = 256;
  vocab["cat"] = 257;
  vocab["\u0120cat"] = 258;
  for (TokenId id = 0; id < profile.vocabulary_size; ++id) {
    const Result<TokenText> token = token_text(profile, id);
    if (!token) continue;
    const std::string content(token->view());
    vocab[content] = id;
    file["added_tokens"].push_back({{"id", id},
                                    {"content", content},
                                    {"single_word", false},
                                    {"lstrip", false},
                                    {"rstrip", false},
                                    {"normalized", false},
                                    {"special", true}});
  }
  return file;
}

/// Writes it into the scratch folder; returns the option that names it.
std::string tokenizer_option(const json& file, const std::string& name = "tokenizer.json") {
  write_text(scratch() / name, file.dump());
  return " --tokenizer " + name + " ";
}
std::string tokenizer_option() { return tokenizer_option(tokenizer_json(profiles::instruct)); }

text::Tokenizer tokenizer_of(const json& file) {
  const text::TextResult<text::Tokenizer> made = text::Tokenizer::from_json(file.dump());
  REQUIRE(made);
  return *made;
}

}  // namespace

TEST_CASE("encode: arguments, lines and JSON lines") {
  const std::string encode = "encode" + tokenizer_option();
  const Run arguments = run_tool(encode + "'a cat<boi>' '[cat]' ''");
  CHECK(arguments.status == 0);
  CHECK(arguments.out == "[97,258,128000]\n[91,257,93]\n[]\n");
  CHECK(arguments.err.empty());

  CHECK(run_tool(encode + "-", "a cat\r\n\n cat").out == "[97,258]\n[]\n[258]\n");
  const Run lines = run_tool(encode + "--json-lines -", "\"a cat\"\n\"e\\u0301\"\n\"\\n<eoi>\"\n\"\"\n");
  CHECK(lines.status == 0);
  CHECK(lines.out == "[97,258]\n[195,169]\n[10,128001]\n[]\n");
  CHECK(run_tool(encode + "--json-lines '\"a\"'").out == "[97]\n");

  const Run refused = run_tool(encode + "--json-lines -", "\"a\"\ncat\n[1]\n\"a\n\"cat\"");
  CHECK(refused.status == 1);
  CHECK(refused.out == "[97]\nnull\nnull\nnull\n[257]\n");
  CHECK(contains(refused.err, "line 2: expected a JSON string"));
  CHECK(contains(refused.err, "line 3: expected a JSON string, but got '[1]'"));
  const Run many = run_tool(encode + "--json-lines -", std::string(20, '\n') + "\"a\"\n");
  CHECK(many.status == 1);
  CHECK(lines_of(many.out).size() == 21);
  CHECK(contains(many.err, "and 10 more lines were refused"));

  // A line longer than any buffer.
  const std::string letters(3000000, 'b');
  const Run longest = run_tool(encode + "--json-lines -", '"' + letters + "\"\n\"a\"\n");
  CHECK(longest.status == 0);
  REQUIRE(lines_of(longest.out).size() == 2);
  CHECK(parse_json(lines_of(longest.out)[0]).size() == letters.size());
  CHECK(lines_of(longest.out)[1] == "[97]");

  // A program asks, and reads the answer before it asks again.
  const Run asked =
      run_shell("mkfifo answers; (echo '\"a\"'; read line < answers; echo '\"cat\"') | \"$TOOL\" " + encode +
                "--json-lines - | while read answer; do echo $answer; [ -p answers ] && "
                "echo $answer > answers && rm answers; done; true");
  CHECK(asked.out == "[97]\n[257]\n");
}

TEST_CASE("decode: arguments, lines and JSON lines") {
  const std::string decode = "decode" + tokenizer_option();
  CHECK(run_tool(decode + "97 258 128000").out == "a cat<boi>\n");
  CHECK(run_tool(decode + "'[97, 258, 128000]' --skip-special").out == "a cat\n");
  CHECK(run_tool(decode + "-", "97,258\n\n[195 169]\n").out == "a cat\n\n\u00e9\n");
  const Run lines = run_tool(decode + "--json-lines -", "[97,258]\n[10,34,195]\n[]\n");
  CHECK(lines.status == 0);
  CHECK(lines.out == "\"a cat\"\n\"\\n\\\"\ufffd\"\n\"\"\n");
  const Run refused = run_tool(decode + "--json-lines -", "[1.5]\n[-1]\nx\n[97]\n");
  CHECK(refused.status == 1);
  CHECK(refused.out == "null\nnull\nnull\n\"a\"\n");
  CHECK(contains(refused.err, "line 1: expected an id"));
  const Run unknown = run_tool(decode + "97 5000 257");
  CHECK(unknown.status == 0);
  CHECK(unknown.out == "acat\n");
  CHECK(contains(unknown.err, "1 ids that are no token"));
  const Run bad = run_tool(decode + "97 cat");
  CHECK(bad.status == 1);
  CHECK(contains(bad.err, "'cat'"));
}

TEST_CASE("a tokenizer that cannot be used is refused by name") {
  // Another profile's file: its missing tokens are named, and so is the profile that it fits.
  const std::string base = tokenizer_option(tokenizer_json(profiles::base), "base.json");
  for (const std::string& command :
       {"encode a" + base, "decode 1" + base, "plan 1:1 --prompt a" + base, "sequence - " + base}) {
    CAPTURE(command);
    const Run run = run_tool(command, R"({"prompt": "a", "gen": "1:1"})");
    CHECK(run.status == 1);
    CHECK(run.out.empty());
    CHECK(contains(run.err, "'base.json': "));
    CHECK(contains(run.err, "is missing, expected 1"));
    CHECK(contains(run.err, "use --profile base"));
  }
  CHECK(run_tool("encode a --profile base" + base).out == "[97]\n");
  CHECK(run_tool("encode a --any-vocabulary" + base).out == "[97]\n");

  json moved = tokenizer_json(profiles::instruct);
  moved["model"]["vocab"]["<boi>"] = 132000;
  const Run run = run_tool("encode a" + tokenizer_option(moved, "moved.json"));
  CHECK(run.status == 1);
  CHECK(contains(run.err, "<boi> has the id 132000, expected 128000"));
  CHECK(contains(run.err, "<boi> is written with the id 128000 and gets 132000"));

  const auto refused = [](const std::string& content, const std::string& reason) {
    CAPTURE(content);
    write_text(scratch() / "odd.json", content);
    const Run odd = run_tool("encode a --tokenizer odd.json");
    CHECK(odd.status == 1);
    CHECK(contains(odd.err, "'odd.json': "));
    CHECK(contains(odd.err, reason));
  };
  refused("", "byte 1");
  refused("{\"model\": {\"type\": \"Unigram\"}}", "Unigram");
  refused("\xFF\xFE{", "iconv");
  CHECK(contains(run_tool("encode a --tokenizer nowhere.json").err, "cannot read 'nowhere.json'"));
  for (const char* usage :
       {"encode a", "encode --tokenizer odd.json", "decode --tokenizer odd.json", "encode - --tokenizer -",
        "plan 1:1 --tokenizer odd.json", "plan 1:1 --prompt a", "plan 1:1 --system a",
        "plan 1:1 --prompt a --tokenizer odd.json --prompt-tokens 3", "sequence - --tokenizer odd.json --encoder bytes",
        "sequence --ids x --tokenizer odd.json"}) {
    CAPTURE(usage);
    CHECK(run_tool(usage).status == 2);
  }
}

TEST_CASE("plan and sequence with a tokenizer say what the library says") {
  const json file = tokenizer_json(profiles::instruct);
  const text::Tokenizer tokenizer = tokenizer_of(file);
  const std::string option = tokenizer_option(file);
  const Model& model = model_for<profiles::instruct>;
  GenerationRequest request;
  request.prompt = "a cat, a cat";
  request.system = "You paint.";
  request.image_size = "16:9";
  const auto expected = plan_generation(model, request, tokenizer);
  REQUIRE(expected);
  const json plan =
      parse_json(run_tool("plan 16:9 --prompt 'a cat, a cat' --system 'You paint.' --format json" + option).out);
  CHECK(plan["tokens"]["text_is_counted"] == true);
  CHECK(plan["tokens"]["text"] == expected->text_tokens);
  CHECK(plan["tokens"]["sequence_length"] == expected->sequence_length);
  CHECK(plan["tokens"]["image_start"] == expected->image_start);
  CHECK(plan["tokens"]["reusable_unconditional_prefix"] == expected->reusable_unconditional_prefix);

  const auto batch = image_rows(model, request, *expected, expected->image, "", tokenizer);
  REQUIRE(batch);
  const json asked = {{"prompt", "a cat, a cat"}, {"system", "You paint."}, {"gen", "16:9"}, {"cfg_factor", 2}};
  const json sequence = parse_json(run_tool("sequence - --format json" + option, asked.dump()).out);
  CHECK(sequence["encoder"] == "tokenizer");
  REQUIRE(sequence["rows"].size() == 2);
  for (std::size_t row = 0; row < 2; ++row) {
    const json& runs = sequence["rows"][row]["tokens"];
    REQUIRE(runs.size() == batch->rows[row].runs.size());
    for (std::size_t i = 0; i < runs.size(); ++i) {
      CHECK(runs[i] == json::array({batch->rows[row].runs[i].id, batch->rows[row].runs[i].count}));
    }
  }
  CHECK(contains(run_tool("sequence -" + option, asked.dump()).out, "text ids by 'tokenizer.json'"));
}

TEST_CASE("token --verify takes a tokenizer.json with the ids that its tokens get") {
  json file = tokenizer_json(profiles::instruct);
  CHECK(run_tool("token --verify -", file.dump()).status == 0);
  file["model"]["vocab"].erase("<boi>");  // now it counts up from the vocabulary's size, whatever is written
  const Run run = run_tool("token --verify - --format json", file.dump());
  CHECK(run.status == 1);
  const json report = parse_json(run.out);
  CHECK(report["mismatch_count"] == 1);
  CHECK(report["mismatches"][0]["text"] == "<boi>");
  CHECK(report["mismatches"][0]["found_id"] == file["model"]["vocab"].size());
  CHECK(contains(run.err, "<boi> is written with the id 128000 and gets"));
}
