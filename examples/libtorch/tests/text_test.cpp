// SPDX-License-Identifier: MIT
// hunyuan-generate-text-test DIR: text as it is generated, with the recorded checkpoint of DIR and its tokenizer.json.

#include "pipeline/generator.hpp"
#include "tests/test_support.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

// Whether a text is whole UTF-8: no character is cut at either end, and no byte is out of place.
bool is_whole(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

// Counts what is asked of another encoder.
class CountingEncoder : public TextEncoder {
 public:
  explicit CountingEncoder(const TextEncoder& encoder) : encoder_(encoder) {}
  [[nodiscard]] std::vector<hr::TokenId> encode(std::string_view text) const override { return encoder_.encode(text); }
  [[nodiscard]] std::string decode(const std::vector<hr::TokenId>& ids) const override {
    decoded += ids.size();
    return encoder_.decode(ids);
  }
  [[nodiscard]] TextStream stream() const override { return encoder_.stream(); }

  mutable std::size_t decoded = 0;  ///< ids

 private:
  const TextEncoder& encoder_;
};

class TextTest : TestReport {
 public:
  explicit TextTest(const std::filesystem::path& path) : path_(path), folder_(read_folder(path)) {}

  int run() {
    streams();
    generated();
    return finish();
  }

 private:
  // Characters of two to four bytes, whose bytes are tokens of their own where the vocabulary has no more of them.
  void streams() {
    const std::string texts[] = {"",
                                 "plain",
                                 "na\xc3\xafve",
                                 "\xe6\xb9\x96\xe7\x95\x94",
                                 "\xf0\x9f\xa6\x8a\xf0\x9f\x8c\x8a!",
                                 "<think>\xf0\x9f\xa6\x8a</think>"};
    std::size_t waited = 0;
    for (const std::string& text : texts) {
      const auto stream = folder_.encoder->stream();
      std::string all;
      for (const hr::TokenId id : folder_.encoder->encode(text)) {
        const std::string added = stream.feed(id);
        waited += added.empty() ? 1U : 0U;
        check(is_whole(added), "no character is cut in " + text);
        all += added;
      }
      all += stream.finish();
      check(all == text, "pieces together are " + text);
    }
    check(waited > 3, "bytes waited for the rest of their character");
    // A character that never ends, then the stream anew.
    const auto stream = folder_.encoder->stream();
    std::vector<hr::TokenId> ids;
    for (char last = '\x80'; ids.size() < 2 && last < '\xbf'; ++last) {
      ids = folder_.encoder->encode(std::string("\xf0\x93\x80") + last);  // hieroglyphs: no vocabulary has all of them
    }
    check(ids.size() > 1 && stream.feed(ids.front()).empty(), "a first byte alone waits");
    check(stream.finish() == "\xef\xbf\xbd" && stream.finish().empty(), "and is U+FFFD at the end");
  }

  // A text stage of many tokens: what is reported is what is decoded, and each token costs only itself.
  void generated() {
    const CountingEncoder encoder(*folder_.encoder);
    const Checkpoint checkpoint(path_);
    const Generator generator(folder_, encoder, checkpoint, RunOptions{});
    Request request;
    request.prompt = "\xe6\xb9\x96";
    request.text_only = true;
    request.max_new_tokens = 96;
    request.sampling = folder_.sampling;
    request.sampling.temperature = 2;
    request.precision = hr::Precision::fp32;
    Listener listener;
    std::vector<std::string> pieces;
    std::int64_t tokens = 0;
    listener.text = [&](std::int64_t count, const std::string& added) {
      tokens = count;
      pieces.push_back(added);
    };
    std::vector<hr::TokenId> ids;
    listener.tensors = [&](const std::string& name, const at::Tensor& value) {
      if (name != "text.generated_ids") return;
      const auto* values = value.data_ptr<std::int64_t>();
      for (std::int64_t i = 0; i < value.numel(); ++i) ids.push_back(static_cast<hr::TokenId>(values[i]));
    };
    const Outcome outcome = generator.generate(request, listener);
    std::string all;
    bool whole = true;
    for (const std::string& piece : pieces) {
      whole = whole && is_whole(piece);
      all += piece;
    }
    check(whole, "every piece is whole UTF-8");
    check(tokens > 8 && static_cast<std::size_t>(tokens) == ids.size(), "every token is heard of");
    check(pieces.size() == ids.size() + 1, "once each, and once for the rest");
    check(all == folder_.encoder->decode(ids), "together they are the text");
    check(encoder.decoded <= ids.size() + 1, "no token is decoded again for those after it");
    check(all.find(outcome.text.answer) == 0, "the answer");
  }

  std::filesystem::path path_;
  Folder folder_;
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  return hunyuan_generate::run_on_folder<hunyuan_generate::TextTest>("hunyuan-generate-text-test", count, values);
}
