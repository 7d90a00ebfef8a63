// SPDX-License-Identifier: MIT
// hunyuan-generate-pipeline-test DIR: requests from a prompt to a file and back, on the CPU. DIR holds config.json and
// special_tokens.json of a small model; its weights are used where they are there, else random ones.
#include <sys/stat.h>  // mkfifo
#include <sys/wait.h>  // waitpid

#include <cmath>    // ldexp
#include <csignal>  // SIGTERM

#include "adapter/adapter.hpp"
#include "model/attention.hpp"
#include "model/json_file.hpp"
#include "pipeline/conditioning.hpp"
#include "pipeline/generator.hpp"
#include "pipeline/picture.hpp"
#include "pipeline/request_file.hpp"
#include "tests/picture_files.hpp"
#include "tests/test_support.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

class PipelineTest : TestReport {
 public:
  explicit PipelineTest(const std::filesystem::path& path)
      : folder_(read_folder(path)),
        checkpoint_(std::filesystem::exists(path / "model.safetensors") ? Checkpoint(path) : Checkpoint::random()),
        generator_(folder_, *folder_.encoder, checkpoint_, RunOptions{}) {
    std::printf("weights: %s\n", checkpoint_.is_random() ? "random" : "of the folder");
  }

  int run() {
    encoder();
    sampling();
    segments();
#if HUNYUAN_GENERATE_EXIF && HUNYUAN_GENERATE_LIBPNG
    orientation();
#endif
    resizing();
    files();
    broken_files();
    messages();
    const std::string base = std::to_string(folder_.config.image_base_size);
    picture(base + "x" + base);
    picture("auto");
    several_pictures();
    batches();
    latents_without_end();
    reused_cache();
    stored_e4m3();
    return finish();
  }

 private:
  void encoder() {
    const auto ids = folder_.encoder->encode("a <think>b</think> <x \xc3\xa9");
    check(ids.size() == 2 + 1 + 1 + 1 + 6, "special tokens are single ids");
    check(ids[2] == folder_.profile.special.think, "the profile's own");
    write_file(temporary_.path() / "ids.json", R"({"User: ": [101, 102], "cat": [103]})");
    const auto table = open_text_table(temporary_.path() / "ids.json", "", folder_.profile);
    check(table->encode("User: ") == std::vector<hr::TokenId>{101, 102}, "a text with ids");
    refused([&] { (void)table->encode("dog"); }, "no ids for the text \"dog\"");
  }

  void sampling() {
    const at::Tensor logits = at::tensor({0.0F, 3.0F, 1.0F, 2.9F});
    const auto generator = at::detail::getDefaultCPUGenerator();
    check(sample(logits, {true, 0, 1, 1}, generator) == 1, "temperature 0 takes the best");
    check(sample(logits, {false, 1, 0, 1}, generator) == 1, "so does greedy");
    bool inside = true;
    for (int i = 0; i < 50; ++i) {
      const auto id = sample(logits, {true, 1, 2, 1}, generator);
      inside = inside && (id == 1 || id == 3);
    }
    check(inside, "top-k 2 keeps the best two");
    check(sample(logits, {true, 1, 0, 0.1}, generator) == 1, "top-p keeps at least the best");
    check(sample(logits, {true, 1, 0, 0}, generator) == 1, "even with 0");
  }

  // Attention by segments agrees with the mask that the library writes.
  void segments() {
    const hr::Slice full[] = {{3, 5}, {9, 20}};
    const auto layout = require(hr::AttentionLayout::create(full, 2), "layout");
    const at::Tensor q = at::randn({2, 4, 24, 8}), k = at::randn({2, 2, 24, 8}), v = at::randn({2, 2, 24, 8});
    const at::Tensor whole = attention(q, k, v, mask_tensor(layout, {0, 24}, 24));
    const auto in_parts = [&](std::int32_t start, std::int32_t stop) {
      const auto list = attention_segments(layout, {{start, stop}}, 24, at::kCPU);
      std::vector<at::Tensor> queries;
      for (const AttentionSegment& s : list) queries.push_back(q.narrow(2, start + s.start, s.count));
      return at::cat(attention(queries, {k, v}, list), 2);
    };
    near(in_parts(0, 24), whole, 1e-5, "segments of a whole sequence");
    near(in_parts(7, 20), whole.narrow(2, 7, 13), 1e-5, "segments of a later step");
  }

  // Pillow's rule for each orientation: where the pixel at (y, x) is stored.
  void orientation() {
    const at::Tensor pixels = at::arange(18, at::kByte).view({2, 3, 3}) * 13;
    for (const char* name : {"plain.png", "plain.jpg", "plain.webp"}) {
      const std::string path = (temporary_.path() / name).string();
      if (!can_encode(name + 6)) continue;
      write_picture(path, pixels);
      const at::Tensor stored = read_picture(path);
      for (std::size_t i = 0; i <= 9; ++i) {
        const at::Tensor found = decode_picture(with_orientation(read_file(path), pixels, i), name);
        bool good = found.size(0) == (i >= 5 && i <= 8 ? 3 : 2) && found.size(1) == 5 - found.size(0);
        for (std::int64_t y = 0; good && y < found.size(0); ++y) {
          for (std::int64_t x = 0; x < found.size(1); ++x) {
            const std::int64_t places[][2] = {{y, x}, {y, x},     {y, 2 - x},     {1 - y, 2 - x}, {1 - y, x},
                                              {x, y}, {1 - x, y}, {1 - x, 2 - y}, {x, 2 - y},     {y, x}};
            good = good && at::equal(found[y][x], stored[places[i][0]][places[i][1]]);
          }
        }
        check(good, std::string(name) + " with the EXIF orientation " + std::to_string(i));
      }
    }
  }

  void resizing() {
    const at::Tensor flat = at::full({7, 5, 3}, 200, at::kByte);
    for (const ResizeFilter filter : {ResizeFilter::bilinear, ResizeFilter::lanczos}) {
      const at::Tensor resized = resize_picture(flat, 13, 3, filter);
      check(resized.sizes() == at::IntArrayRef({13, 3, 3}) && resized.eq(200).all().item<bool>(), "flat stays flat");
    }
    // Two pixels to one: the mean, halves up.
    const at::Tensor pair = at::tensor({0, 0, 0, 255, 1, 2}, at::kByte).view({1, 2, 3});
    check(at::equal(resize_picture(pair, 1, 1, ResizeFilter::bilinear),
                    at::tensor({128, 1, 1}, at::kByte).view({1, 1, 3})),
          "a mean");
  }

  void files() {
    const at::Tensor pixels = at::randint(0, 256, {9, 11, 3}, at::kByte);
    const auto path = [&](const char* name) { return (temporary_.path() / name).string(); };
    write_picture(path("a.png"), pixels, {{"hunyuan-generate", "{\"prompt\": \"\xc3\xa9\"}"}});
    check(at::equal(read_picture(path("a.png")), pixels), "PNG holds the pixels");
    check(read_file(path("a.png")).find("{\"prompt\": \"\xc3\xa9\"}") != std::string::npos, "and the text");
    for (const char* name : {"a.webp", "a.jpg"}) {
      if (!can_encode(name + 2)) continue;
      write_picture(path(name), pixels);
      const at::Tensor found = read_picture(path(name));
      const double distance = (found.to(at::kFloat) - pixels.to(at::kFloat)).abs().mean().item<double>();
      check(found.sizes() == pixels.sizes() && distance < (name[2] == 'w' ? 1e-9 : 40),
            std::string(name) + " comes back");
    }
    refused([&] { require_picture_path(temporary_.path().string() + ".png/x.png"); }, "No such file");
    refused([&] { require_picture_path(path("a.gif")); }, "must end in");
    interrupted(path("interrupted.png"));
  }

  // A signal while a file is written, in another thread than the writer's, leaves nothing.
  void interrupted(const std::string& path) {
    const pid_t child = ::fork();
    if (child == 0) {
      clean_up_on_signals();
      ::alarm(20);
      // A pipe in place of the file: writing blocks, and the signal comes from outside.
      const std::string part = path + "." + std::to_string(::getpid()) + ".part";
      (void)::mkfifo(part.c_str(), 0600);
      write_picture(path, at::zeros({64, 64, 3}, at::kByte));
      ::_exit(0);
    }
    ::usleep(300000);
    ::kill(child, SIGTERM);
    int status = 0;
    ::waitpid(child, &status, 0);
    const std::string part = path + "." + std::to_string(child) + ".part";
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "the signal ends the program");
    check(!std::filesystem::exists(part) && !std::filesystem::exists(path), "and nothing is left");
  }

  void broken_files() {
    const std::string whole = read_file((temporary_.path() / "a.png").string());
    for (std::size_t length = 0; length + 12 < whole.size(); length += 7) {
      refused([&] { (void)decode_picture(whole.substr(0, length), "cut.png"); }, "cut.png");
    }
    check(decode_picture(whole + "and more", "long.png").size(0) > 0, "bytes behind a PNG's end are no matter");
    // A WebP header that says 16384x16384, without any pixels.
    const std::string huge("RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\xff\xff\x0f\0\0\0\0\0", 30);
    if (can_encode("webp")) {
      refused([&] { (void)decode_picture(huge, "huge.webp"); }, "16384x16384 cannot be read: at most");
    }
    const std::filesystem::path pipe = temporary_.path() / "pipe";
    check(::mkfifo(pipe.c_str(), 0600) == 0, "a pipe");
    refused([&] { (void)read_picture(pipe.string()); }, "not a regular file");
    refused([&] { (void)read_json(pipe); }, "not a regular file");
    refused([&] { SafetensorsFile file(pipe); }, "not a regular file");
    refused([&] { (void)read_picture(temporary_.path().string()); }, "not a regular file");
  }

  void messages() {
    const auto json = parse_json(R"([{"role": "user", "content": "a"}, {"role": "assistant", "content":
      [{"type": "text", "text": "b"}, {"type": "image", "image": "a.png"}]}])",
                                 "messages");
    const auto items = read_messages(json, temporary_.path(), "messages");
    check(items.size() == 3 && items[1].text == "b" && items[2].picture.size(1) == 11, "messages");
    for (const char* bad : {"[]", "{}", R"([{"role": "nobody", "content": "a"}])", R"([{"role": "user"}])",
                            R"([{"role": "user", "content": [{"type": "image"}]}])"}) {
      refused([&] { (void)read_messages(parse_json(bad, "m"), {}, "m"); }, "m");
    }
  }

  void picture(const std::string& size) {
    const Request request = small_request(folder_, size);
    int plans = 0;
    Listener listener;
    listener.planned = [&](const PlannedRequest&) { ++plans; };
    const Outcome outcome = generator_.generate(request, listener);
    check(outcome.text.ratio_index.has_value() == (size == "auto"), size + ": only auto predicts a ratio");
    check(plans == (size == "auto" ? 2 : 1), size + ": planned again where the ratio was predicted");
    const at::Tensor& pixels = outcome.pictures.front();
    const std::int64_t factor = folder_.config.vae.ffactor_spatial;
    check(pixels.size(0) == outcome.plan.latent_shape[2] * factor &&
              pixels.size(1) == outcome.plan.latent_shape[3] * factor,
          size + ": pixels in the planned size");
    check(pixels.min().item<int>() != pixels.max().item<int>(), size + ": pixels differ");
    check(at::equal(pixels, generator_.generate(request).pictures.front()), size + ": repeatable");
    Request wrong = request;
    wrong.size = "0x0";
    refused([&] { (void)generator_.generate(wrong); }, "planned");
    check(at::equal(pixels, generator_.generate(request).pictures.front()), "and leaves the next one as it was");
  }

  // Pictures that share a loop are those of their seeds alone.
  void several_pictures() {
    Request request = small_request(folder_, "1:1");
    request.count = 3;
    const Outcome together = generator_.generate(request);
    check(together.seeds == std::vector<std::uint64_t>{1, 2, 3}, "seeds of three pictures");
    request.count = 1;
    for (std::size_t i = 0; i < 3; ++i) {
      request.seed = together.seeds[i];
      near(generator_.generate(request).pictures.front(), together.pictures[i], 1, "a picture alone and with others");
    }
  }

  // Pictures in loops of two at most.
  void batches() {
    Request request = small_request(folder_, "1:1");
    request.count = 3;
    request.batch = 2;
    std::vector<std::uint64_t> seeds;
    Listener listener;
    listener.picture = [&](const Outcome& so_far) { seeds.push_back(so_far.seeds.back()); };
    const Outcome some = generator_.generate(request, listener);
    check(some.batch == 2 && seeds == std::vector<std::uint64_t>{1, 2, 3}, "two in a loop, heard one by one");
    request.batch = 1;
    const Outcome alone = generator_.generate(request);
    for (std::size_t i = 0; i < 3; ++i)
      near(some.pictures[i], alone.pictures[i], 1, "a picture in loops of one and two");
  }

  // Weights that are finite and whose values are not: the step is named. The last convolution adds 3e38 to every
  // velocity, which is finite still; of latents as large as that the next step's norms are not.
  void latents_without_end() {
    if (checkpoint_.is_random()) return;
    std::map<std::string, at::Tensor> tensors;
    const SafetensorsFile file(folder_.path / "model.safetensors");
    for (const auto& [name, entry] : file.entries()) tensors[name] = file.tensor(name).to(at::kFloat);
    tensors["final_layer.model.1.2.bias"] = at::full({folder_.config.vae.latent_channels}, 3e38F);
    write_safetensors(temporary_.path() / "model.safetensors", tensors);
    const Checkpoint changed(temporary_.path());
    const Generator generator(folder_, *folder_.encoder, changed, RunOptions{});
    refused([&] { (void)generator.generate(small_request(folder_, "1:1")); }, "not finite after step 1 of 0 to 3");
  }

  // Keys and values that the text stage computed, or computed anew: the same picture.
  void reused_cache() {
    Request request = small_request(folder_, "1:1");
    request.task = hr::BotTask::recaption;
    request.max_new_tokens = 12;
    request.sampling.draws = false;
    const Outcome kept = generator_.generate(request);
    request.keep_cache = false;
    const Outcome anew = generator_.generate(request);
    check(kept.reused_tokens > 10 && anew.reused_tokens == 0, "tokens of the text stage are reused");
    near(kept.pictures[0], anew.pictures[0], 1, "the picture is the same");
  }

  using Tensors = std::map<std::string, at::Tensor>;

  // The bytes of e4m3 numbers.
  static at::Tensor e4m3_bytes(const at::Tensor& values) {
    std::map<float, int> codes;
    for (int code = 0; code < 0x7F; ++code) {
      const int exponent = code >> 3, mantissa = code & 7;
      const double size = exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, exponent - 10);
      codes[static_cast<float>(-size)] = code | 0x80;
      codes[static_cast<float>(size)] = code;
    }
    const at::Tensor wide = values.to(at::kFloat).contiguous();
    at::Tensor bytes = at::empty(values.sizes(), at::kByte);
    for (std::int64_t i = 0; i < wide.numel(); ++i)
      bytes.data_ptr<std::uint8_t>()[i] = static_cast<std::uint8_t>(codes.at(wide.data_ptr<float>()[i]));
    return bytes;
  }

  at::Tensor drawn_with(const Tensors& tensors, Precision precision) {
    write_safetensors(temporary_.path() / "model.safetensors", tensors);
    const Checkpoint stored(temporary_.path());
    RunOptions run;
    run.load.precision = precision;
    return Generator(folder_, *folder_.encoder, stored, run).generate(small_request(folder_, "1:1")).pictures.front();
  }

  // Weights that a checkpoint holds in e4m3: the same numbers as those quantised on loading, and as their values.
  void stored_e4m3() {
    if (checkpoint_.is_random()) return;
    Tensors plain, each, one, value_of_each, value_of_one;
    const SafetensorsFile file(folder_.path / "model.safetensors");
    for (const auto& [name, entry] : file.entries()) plain[name] = file.tensor(name).to(at::kFloat);
    each = one = value_of_each = value_of_one = plain;
    std::string some;
    for (const auto& [name, tensor] : plain) {
      if (name.find("_proj.weight") == std::string::npos || name.find("model.layers.") != 0) continue;
      some = name;
      const Small rows = make_small(tensor), whole = make_small(tensor.view({1, -1}));
      each[name] = e4m3_bytes(rows.values), each[name + "_scale"] = rows.scale.unsqueeze(1);
      one[name] = e4m3_bytes(whole.values).view_as(tensor), one[name + "_scale"] = whole.scale;
      value_of_each[name] = value_of(rows), value_of_one[name] = value_of(whole).view_as(tensor);
    }
    const at::Tensor expected = drawn_with(plain, Precision::fp8);
    check(at::equal(expected, drawn_with(each, Precision::fp8)), "stored e4m3, as quantised on loading");
    check(at::equal(drawn_with(value_of_each, Precision::plain), drawn_with(each, Precision::plain)),
          "stored e4m3 as plain numbers");
    check(at::equal(drawn_with(value_of_one, Precision::plain), drawn_with(one, Precision::plain)),
          "one scale for a tensor");
    const auto refused_with = [&](const std::string& name, const at::Tensor& tensor, const std::string& why) {
      Tensors wrong = each;
      wrong[name] = tensor;
      if (!tensor.defined()) wrong.erase(name);
      refused([&] { (void)drawn_with(wrong, Precision::fp8); }, why);
    };
    const std::int64_t outputs = plain[some].size(0);
    refused_with(some + "_scale", {}, "but there is no '" + some + "_scale'");
    refused_with(some + "_scale", at::ones({outputs + 1}), "expected one floating-point number, or one for each of");
    refused_with(some + "_scale", at::zeros({outputs}), "not all of its scales are positive and finite");
    refused_with(some, at::full(plain[some].sizes(), 0xFF, at::kByte), "values that are not finite");
    refused_with("model.ln_f.weight", at::zeros(plain["model.ln_f.weight"].sizes(), at::kByte),
                 "only products take these");
  }

  TemporaryFolder temporary_;
  Folder folder_;
  Checkpoint checkpoint_;
  Generator generator_;
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  return hunyuan_generate::run_on_folder<hunyuan_generate::PipelineTest>("hunyuan-generate-pipeline-test", count,
                                                                         values);
}
