// SPDX-License-Identifier: MIT
// hunyuan-generate-mutation-test DIR [ROUNDS]: every reader takes files with a few bytes changed, cut or doubled, and
// either accepts them or throws Error; anything else (another exception, a crash, a hang) is a failure. DIR holds
// config.json, special_tokens.json and model.safetensors of a small model.
#include <cstdlib>  // strtol
#include <random>   // mt19937

#include "tests/readers.hpp"

namespace hunyuan_generate {
namespace {

class MutationTest : TestReport {
 public:
  MutationTest(const std::filesystem::path& source, long rounds) : source_(source), rounds_(rounds) {}

  int run() {
    for (const auto& [name, reader] : all_readers(source_, temporary_.path())) {
      for (const std::string& seed : reader.seeds) mutate(name, seed, reader.read);
    }
    return finish();
  }

 private:
  void mutate(const std::string& name, const std::string& whole, const std::function<void(const std::string&)>& read) {
    long refused = 0, other = 0;
    std::string what;
    for (long round = 0; round < rounds_; ++round) {
      const std::string bytes = changed(whole);
      try {
        read(bytes);
      } catch (const Error&) {
        ++refused;
      } catch (const std::exception& error) {
        ++other;
        what = error.what();
      }
    }
    std::printf("%-30s %ld of %ld refused\n", name.c_str(), refused, rounds_);
    check(other == 0, name + ": " + std::to_string(other) + " times another exception: " + what.substr(0, 200));
    check(refused > 0, name + ": some changes are refused");
  }

  std::string changed(std::string bytes) {
    const auto at = [&] { return bytes.empty() ? 0 : random_() % bytes.size(); };
    for (auto count = 1 + random_() % 3; count > 0 && !bytes.empty(); --count) {
      switch (random_() % 6) {
        case 0:
          bytes[at()] = static_cast<char>(random_());
          break;
        case 1:
          bytes[at()] = "0123456789-\"[]{},:.e"[random_() % 20];
          break;
        case 2:
          bytes.resize(at());
          break;
        case 3:
          bytes.insert(at(), bytes.substr(at(), random_() % 40));
          break;
        case 4:
          bytes.erase(at(), random_() % 8);
          break;
        default:
          bytes.insert(at(), std::string(1 + random_() % 20, '9'));
          break;
      }
    }
    return bytes;
  }

  std::filesystem::path source_;
  long rounds_;
  TemporaryFolder temporary_;
  std::mt19937 random_{20260101};
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  return hunyuan_generate::run_test("hunyuan-generate-mutation-test", [&] {
    if (count < 2) throw hunyuan_generate::Error("usage: DIR [ROUNDS]");
    const long rounds = count > 2 ? std::strtol(values[2], nullptr, 10) : 1000;
    return hunyuan_generate::MutationTest(values[1], rounds).run();
  });
}
