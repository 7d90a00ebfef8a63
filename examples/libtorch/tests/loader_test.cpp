// SPDX-License-Identifier: MIT
// Damaged and hostile files must give an error that names file and tensor, and nothing else.
#include "model/config.hpp"
#include "model/weights.hpp"
#include "tests/test_support.hpp"

namespace hunyuan_generate {
namespace {

const std::string good_header =
    R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[1,2],"data_offsets":[8,12]}})";
const std::string good_data(12, '\1');

class LoaderTest : TestReport {
 public:
  int run() {
    damaged_files();
    hostile_headers();
    unaligned_data();
    checkpoints();
    configurations();
    return finish();
  }

 private:
  // Opening this file must fail with a message that holds `expected` and the name of the file.
  void refuse(const std::string& bytes, const std::string& expected) {
    const std::filesystem::path path = folder_.path() / "model.safetensors";
    write_file(path, bytes);
    refused([&] { SafetensorsFile file(path); }, expected);
    if (expected != "model.safetensors") refused([&] { SafetensorsFile file(path); }, "model.safetensors");
  }

  void refuse_header(const std::string& header, const std::string& expected) {
    refuse(safetensors_bytes(header, good_data), expected);
  }

  // A header with one tensor of 12 bytes, described by `entry`.
  void refuse_entry(const std::string& entry, const std::string& expected) {
    refuse_header("{\"a\":" + entry + "}", expected);
    if (expected.find("JSON") == std::string::npos) refuse_header("{\"a\":" + entry + "}", "tensor 'a'");
  }

  void damaged_files() {
    const std::string good = safetensors_bytes(good_header, good_data);
    write_file(folder_.path() / "good.safetensors", good);
    refused([&] { SafetensorsFile file(folder_.path() / "good.safetensors"); }, "no error");
    // Cut anywhere, the file is refused.
    for (std::size_t length = 0; length < good.size(); ++length) refuse(good.substr(0, length), "model.safetensors");
    refuse(good + "x", "after the last tensor");
    refuse(std::string(8, '\xFF') + good.substr(8), "header length 18446744073709551615");
    refuse(std::string("\x00\x00\x00\x00\x00\x00\x00\x80", 8) + good.substr(8), "header length");
    refused([&] { SafetensorsFile file(folder_.path() / "none.safetensors"); }, "none.safetensors: cannot open");
    refused([&] { SafetensorsFile file(folder_.path()); }, "not a regular file");
  }

  void hostile_headers() {
    refuse_header("", "not valid JSON");
    refuse_header("[1]", "not a JSON object");
    refuse_header("{\"a\":", "not valid JSON");
    refuse_header("{\"\xFF\":1}", "not valid JSON");
    refuse_header(R"({"a":{},"a":{}})", "occurs twice");
    refuse_header(std::string(100000, '['), "nested too deeply");
    refuse_header(R"({"__metadata__":{"a":1}})", "__metadata__");
    refuse_entry("7", "not an object");
    refuse_entry(R"({"shape":[3],"data_offsets":[0,12]})", "'dtype' is missing");
    refuse_entry(R"({"dtype":"F32","data_offsets":[0,12]})", "'shape' is missing");
    refuse_entry(R"({"dtype":"F32","shape":[3]})", "'data_offsets' is missing");
    refuse_entry(R"({"dtype":"F33","shape":[3],"data_offsets":[0,12]})", "unknown dtype 'F33'");
    refuse_entry(R"({"dtype":"F32","shape":[-3],"data_offsets":[0,12]})", "is no size");
    refuse_entry(R"({"dtype":"F32","shape":[3.0],"data_offsets":[0,12]})", "is no size");
    refuse_entry(R"({"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,12]})", "is no size");
    refuse_entry(R"({"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,12]})", "too many elements");
    refuse_entry(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})", "too many elements");
    refuse_entry(R"({"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]})", "too many elements");
    refuse_entry(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,3],"data_offsets":[0,12]})", "at most 8");
    refuse_entry(R"({"dtype":"F32","shape":[4],"data_offsets":[0,16]})", "outside the 12 data bytes");
    refuse_entry(R"({"dtype":"F32","shape":[3],"data_offsets":[12,0]})", "outside");
    refuse_entry(R"({"dtype":"F32","shape":[3],"data_offsets":[-12,0]})", "not a pair of offsets");
    refuse_entry(R"({"dtype":"F32","shape":[3],"data_offsets":[18446744073709551604,18446744073709551615]})",
                 "outside");
    refuse_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,12]})",
                 "offsets span 12 bytes, but shape [2] of F32 needs 8");
    refuse_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[4,12]})", "leaves a gap");
    refuse_header(
        R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[4,12]}})",
        "tensor 'b': its data overlaps");
  }

  // One byte in front shifts every float off its alignment; the values must come out all the same.
  void unaligned_data() {
    const std::string header =
        R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}} )";
    const std::filesystem::path path = folder_.path() / "unaligned.safetensors";
    write_file(path, safetensors_bytes(header, std::string("\x07\x00\x00\x80\x3F", 5)));
    const SafetensorsFile file(path);
    check(file.tensor("b").item<float>() == 1.0F, "unaligned float");
    refused([&] { (void)file.tensor("c"); }, "tensor 'c' is missing");
    at::Tensor kept;
    { kept = SafetensorsFile(folder_.path() / "good.safetensors").tensor("b"); }
    check(kept.sizes().vec() == std::vector<std::int64_t>{1, 2} && kept.sum().item<float>() > 0, "kept mapping");
  }

  void refuse_checkpoint(const std::string& index, const std::string& expected) {
    write_file(folder_.path() / "model.safetensors.index.json", index);
    refused([&] { Checkpoint checkpoint(folder_.path()); }, expected);
  }

  void checkpoints() {
    // Blanks behind the header align the data to 8 bytes, as writers of the format do.
    const std::string blanks((8 - good_header.size() % 8) % 8, ' ');
    write_file(folder_.path() / "model.safetensors", safetensors_bytes(good_header + blanks, good_data));
    {
      const Checkpoint checkpoint(folder_.path());
      const WeightLoader loader(checkpoint, at::kFloat, at::kCPU);
      refused([&] { (void)loader.tensor("c", {4, 5}); }, "tensor 'c' is missing (expected shape [4, 5])");
      refused([&] { (void)loader.tensor("b", {2}); }, "'b' has shape [1, 2], expected [2]");
      check(loader.tensor("a", {2}).data_ptr() == loader.tensor("a", {2}).data_ptr(), "no copy");
      check(loader.tensor("a", {2}).scalar_type() == at::kFloat, "type");
      check(checkpoint.unused() == std::vector<std::string>{"b"}, "a tensor that is not needed");
      (void)loader.tensor("b", {1, 2});
      check(checkpoint.unused().empty(), "everything used");
    }
    {
      write_safetensors(folder_.path() / "model.safetensors", {{"a", at::full({2}, NAN)}, {"b", at::ones({2, 3})}});
      const Checkpoint checkpoint(folder_.path());
      const WeightLoader loader(checkpoint, at::kFloat, at::kCPU);
      refused([&] { (void)loader.tensor("a", {2}); }, "'a' holds values that are not finite");
      check(checkpoint.elements("") == 8 && checkpoint.elements("b") == 6, "elements");
      write_file(folder_.path() / "model.safetensors", safetensors_bytes(good_header + blanks, good_data));
    }
    refuse_checkpoint("{", "not valid JSON");
    refuse_checkpoint(R"({"weight_map":{"a":"x","a":"y"}})", "'a' occurs twice");
    refuse_checkpoint("{}", "no JSON object with a 'weight_map'");
    refuse_checkpoint(R"({"weight_map":{"a":"../model.safetensors"}})", "is not the name of a file");
    refuse_checkpoint(R"({"weight_map":{"a":5}})", "is not the name of a file");
    refuse_checkpoint(R"({"weight_map":{"z":"model.safetensors"}})", "tensor 'z' is not in model.safetensors");
    refuse_checkpoint(R"({"weight_map":{"a":"shard-2.safetensors"}})", "shard-2.safetensors: cannot open");
    write_file(folder_.path() / "model.safetensors.index.json",
               R"({"weight_map":{"a":"model.safetensors","b":"good.safetensors"}})");
    check(Checkpoint(folder_.path()).contains("b"), "shards");
  }

  // `change` is merged into a configuration that is accepted; with an expectation it must be refused by that text.
  void configuration(const nlohmann::json& change, const std::string& expected) {
    nlohmann::json config = nlohmann::json::parse(R"({"vocab_size": 8, "hidden_size": 64, "num_attention_heads": 4,
      "num_hidden_layers": 2, "num_experts": 4, "moe_topk": [2, 1], "moe_intermediate_size": null,
      "intermediate_size": 16, "patch_embed_hidden_dim": 32, "rope_scaling": {"type": "custom"},
      "vae": {"latent_channels": 8, "block_out_channels": [32, 64], "layers_per_block": 1, "ffactor_spatial": 2,
              "ffactor_temporal": 1, "shift_factor": null}})");
    config.merge_patch(change);
    write_file(folder_.path() / "config.json", config.dump());
    refused([&] { (void)read_config(folder_.path()); }, expected);
  }

  void configurations() {
    using Json = nlohmann::json;
    configuration(Json::object(), "no error");
    const ModelConfig config = read_config(folder_.path());
    check(config.head_dim == 16 && config.key_value_heads == 4 && config.layers[1].topk == 1 &&
              config.layers[0].expert_width == 16 && !config.vae.shift_factor && !config.vision,
          "defaults");
    const std::pair<Json, std::string> refusals[] = {
        {{{"hidden_size", nullptr}}, "'hidden_size' is missing"},
        {{{"hidden_size", "64"}}, "'hidden_size' is \"64\", not an integer"},
        {{{"hidden_size", 64.0}}, "'hidden_size' is 64.0"},
        {{{"hidden_size", -64}}, "'hidden_size'"},
        {{{"hidden_size", 18446744073709551615U}}, "'hidden_size'"},
        {{{"num_hidden_layers", 100000}}, "'num_hidden_layers' is above"},
        {{{"moe_topk", {2, 2, 2}}}, "'moe_topk' has 3 entries for 2 layers"},
        {{{"moe_topk", 5}}, "'moe_topk' is larger than 'num_experts'"},
        {{{"num_key_value_heads", 3}}, "not a multiple of 3"},
        {{{"attention_head_dim", 15}}, "'attention_head_dim'"},
        {{{"hidden_act", "gelu"}}, "'hidden_act' is \"gelu\"; only \"silu\""},
        {{{"attention_bias", true}}, "'attention_bias'"},
        {{{"use_qk_norm", false}}, "'use_qk_norm'"},
        {{{"patch_size", 2}}, "'patch_size'"},
        {{{"norm_type", "layer"}}, "'norm_type'"},
        {{{"quantization_config", {{"quant_method", "gptq"}}}}, "'quant_method' is 'gptq'; only compressed-tensors"},
        {{{"quantization_config", {{"quant_method", "compressed-tensors"}, {"format", "pack-quantized"}}}},
         "only \"float-quantized\" is supported"},
        {{{"quantization_config", {{"quant_method", "fp8"}, {"weight_block_size", {128, 128}}}}}, "scales for blocks"},
        {{{"vae_downsample_factor", {16, 16}}}, "'vae_downsample_factor' is not the VAE's"},
        {{{"cond_image_type", 7}}, "'cond_image_type' is 7, not a text"},
        {{{"rope_scaling", {{"type", "linear"}}}}, "'type' is \"linear\""},
        {{{"group_limited_greedy", true}}, "'group_limited_greedy'"},
        {{{"tie_word_embeddings", true}}, "'tie_word_embeddings'"},
        {{{"use_meanflow", true}}, "'use_meanflow' needs 'cfg_distilled'"},
        {{{"rms_norm_eps", 0}}, "'rms_norm_eps' is not positive"},
        {{{"cfg_distilled", 1}}, "'cfg_distilled' is 1, not true or false"},
        {{{"vae", {{"ffactor_spatial", 3}}}}, "not a power of two"},
        {{{"vae", {{"ffactor_spatial", 4}}}}, "cannot scale by 4"},
        {{{"vae", {{"block_out_channels", {32, 33}}}}}, "not a multiple of 32"},
        {{{"vae", 3}}, "'vae' is not a JSON object"},
        {{{"vit", Json::object()}}, "'vit_aligner' is missing"}};
    for (const auto& [change, expected] : refusals) configuration(change, expected);
    write_file(folder_.path() / "config.json", "{");
    refused([&] { (void)read_config(folder_.path()); }, "not valid JSON");
  }

  TemporaryFolder folder_;
};

}  // namespace
}  // namespace hunyuan_generate

int main() {
  return hunyuan_generate::run_test("hunyuan-generate-loader-test",
                                    [] { return hunyuan_generate::LoaderTest().run(); });
}
