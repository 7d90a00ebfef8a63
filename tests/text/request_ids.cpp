// SPDX-License-Identifier: MIT
// request_ids FOLDER...: from the prompt strings of a checkpoint folder's requests.json, with the folder's
// tokenizer.json, to every row that upstream recorded for them in io.safetensors, with nothing but our headers: text
// stages, passes that predict the ratio, image stages. Also back: the recorded ids of a chain of thought to its text.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <hunyuan_reso/hunyuan_reso.hpp>
#include <hunyuan_reso/text/stream_decoder.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace {

namespace hr = hunyuan_reso;
using hr::TokenId;
using nlohmann::json;

std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  if (!stream) throw std::runtime_error("cannot read " + path);
  return content.str();
}

template <class T>
T require(const hr::Result<T>& result, const std::string& what) {
  if (!result) throw std::runtime_error(what + ": " + hr::message(result.error()));
  return *result;
}

using Rows = std::vector<std::vector<TokenId>>;

/// The 64-bit integers of a safetensors file: eight bytes of length, a header in JSON, data; all little endian.
class Recorded {
 public:
  explicit Recorded(const std::string& path) : file_(read_file(path)) {
    data_ = 8 + number(0);
    header_ = json::parse(file_.substr(8, data_ - 8));
  }
  [[nodiscard]] bool has(const std::string& name) const { return header_.contains(name); }
  /// A tensor of one or two dimensions.
  [[nodiscard]] Rows rows(const std::string& name) const {
    const json& tensor = header_.at(name);
    if (tensor.at("dtype") != "I64") throw std::runtime_error(name + ": expected I64");
    const std::vector<std::size_t> shape = tensor.at("shape");
    std::size_t at = data_ + tensor.at("data_offsets").at(0).get<std::size_t>();
    Rows rows(shape.size() == 2 ? shape[0] : 1);
    for (std::vector<TokenId>& row : rows) {
      for (std::size_t i = 0; i < shape.back(); ++i, at += 8) row.push_back(static_cast<TokenId>(number(at)));
    }
    return rows;
  }

 private:
  [[nodiscard]] std::size_t number(std::size_t at) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value |= std::uint64_t{static_cast<unsigned char>(file_.at(at + i))} << (8 * i);
    return static_cast<std::size_t>(value);
  }

  std::string file_;
  std::size_t data_ = 0;
  json header_;
};

/// The size in the header of a PNG file.
hr::Resolution png_size(const std::string& path) {
  const std::string file = read_file(path);
  const auto side = [&](std::size_t at) {
    std::int32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(file.at(at + i));
    return value;
  };
  return hr::Resolution::from_wh(side(16), side(20));
}

hr::BotTask task_of(const std::string& name) {
  const char* const names[] = {"auto", "image", "think", "recaption", "think_recaption", "img_ratio"};
  constexpr hr::BotTask tasks[] = {hr::BotTask::automatic, hr::BotTask::image,           hr::BotTask::think,
                                   hr::BotTask::recaption, hr::BotTask::think_recaption, hr::BotTask::img_ratio};
  for (std::size_t i = 0; i < 6; ++i) {
    if (name == names[i]) return tasks[i];
  }
  throw std::runtime_error("unknown task " + name);
}

/// The published profile that a folder's config.json is of, with the folder's own base size and ViT slots.
hr::ModelProfile profile_of(const json& config) {
  for (const hr::ModelProfile* known : hr::profiles::all) {
    if (known->cfg_distilled != config.value("cfg_distilled", false)) continue;
    if (known->bare_assistant_text == config.contains("model_version")) continue;  // the first release has no such key
    hr::ModelProfile profile = *known;
    profile.trained_base_size = config.at("image_base_size");
    profile.vit_slots = config.at("vit_processor").at("max_num_patches");
    return profile;
  }
  throw std::runtime_error("config.json is of no profile");
}

class Checker {
 public:
  explicit Checker(const std::string& folder)
      : folder_(folder),
        recorded_(folder + "/io.safetensors"),
        profile_(profile_of(json::parse(read_file(folder + "/config.json")))) {
    hr::text::TextResult<hr::text::Tokenizer> made =
        hr::text::Tokenizer::from_json(read_file(folder + "/tokenizer.json"));
    if (!made) throw std::runtime_error("tokenizer.json: " + made.error().what);
    tokenizer_ = *std::move(made);
  }

  /// Whether everything was equal; prints what was compared.
  bool check() {
    check_vocabulary();
    const json asked = json::parse(read_file(folder_ + "/requests.json")).at("cases");
    const json expected = json::parse(read_file(folder_ + "/expected.json")).at("cases");
    for (std::size_t i = 0; i < asked.size(); ++i) check_case(asked[i], expected.at(i));
    if (asked.empty() || row_count_ < asked.size()) differ("too few rows were recorded");
    std::printf("%s: %zu requests, %zu rows of %zu ids, %zu chains of thought: %zu differences\n", folder_.c_str(),
                asked.size(), row_count_, id_count_, chain_count_, differences_);
    return differences_ == 0;
  }

 private:
  void differ(const std::string& what) {
    std::printf("%s: %s: %s\n", folder_.c_str(), case_.c_str(), what.c_str());
    ++differences_;
  }

  void check_vocabulary() {
    const auto lookup = [&](std::string_view token) { return tokenizer_.token_to_id(token); };
    const hr::VocabularyReport report = hr::verify_vocabulary(profile_, lookup);
    for (const hr::VocabularyMismatch& mismatch : report) differ(std::string(mismatch.text.view()) + " has another id");
    hr::ModelProfile other = profile_;
    other.special.boi += 1;
    if (hr::verify_vocabulary(other, lookup).ok()) differ("another <boi> was not noticed");
    if (!tokenizer_.id_differences().empty()) differ("added tokens with other ids than written");
  }

  void compare(const std::string& name, const std::vector<hr::TokenSequence>& rows) {
    const Rows expected = recorded_.rows(case_ + "." + name);
    if (rows.size() != expected.size()) return differ(name + ": another number of rows");
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::vector<TokenId> ids(static_cast<std::size_t>(rows[i].length));
      if (rows[i].expand(ids.data(), ids.size()) != hr::Errc::none) differ(name + ": expand");
      ++row_count_;
      id_count_ += ids.size();
      const std::size_t same = hr::common_prefix(ids.data(), ids.size(), expected[i].data(), expected[i].size());
      if (same == ids.size() && same == expected[i].size()) continue;
      differ(name + ": row " + std::to_string(i) + " differs from index " + std::to_string(same) + " on");
    }
  }

  /// The system text as each release's code uses it: the later one strips it.
  [[nodiscard]] std::string system_of(const json& asked) const {
    std::string text = asked.value("system_prompt", "");
    if (profile_.bare_assistant_text || text.empty()) return text;
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
  }

  /// A conversation that is given whole.
  [[nodiscard]] static std::vector<hr::Message> conversation(const json& messages) {
    std::vector<hr::Message> result;
    for (const json& message : messages) {
      const hr::Role role = require(hr::parse_role(message.at("role").get<std::string>()), "role");
      const json& content = message.at("content");
      const json items = content.is_array() ? content : json::array({{{"type", "text"}, {"text", content}}});
      for (const json& item : items) result.push_back(hr::Message::of_text(role, item.at("text")));
    }
    return result;
  }

  void check_case(const json& asked, const json& expected) {
    case_ = asked.at("name").get<std::string>();
    const json generation = asked.value("generation", json::object());
    hr::ModelProfile profile = profile_;
    if (generation.contains("sequence_template")) {
      profile.template_texts =
          generation["sequence_template"] == "instruct" ? hr::instruct_texts() : hr::pretrain_texts();
    }
    const hr::Model model = require(hr::Model::create(profile), "the model");
    const std::string prompt = asked.value("prompt", "");
    const std::string system = system_of(asked);
    const std::string image_size = asked.value("image_size", "auto");
    hr::GenerationRequest request;
    request.prompt = prompt;
    request.system = system;
    request.image_size = image_size;
    if (asked.contains("bot_task")) request.bot_task = task_of(asked["bot_task"]);
    if (generation.contains("drop_think")) request.drop_think = generation["drop_think"].get<bool>();
    for (const std::string& picture : asked.value("images", std::vector<std::string>())) {
      if (request.add_conditioning_image(png_size(folder_ + "/" + picture)) != hr::Errc::none) differ(picture);
    }
    const hr::GenerationPlan plan = require(hr::plan_generation(model, request, tokenizer_), case_);
    const std::string chain = check_text_stage(model, request, plan, expected);
    if (asked.value("mode", "gen_image") == "gen_text") return;
    hr::ImageInfo image = plan.image;
    if (plan.ratio_is_predicted) image = require(hr::image_info_of_row(model, predicted_ratio(profile)), "the row");
    if (image.ratio_index != expected["image"]["ratio_index"]) differ("another ratio index");
    if (!asked.contains("messages")) {
      const auto batch = hr::image_rows(model, request, plan, image, chain, tokenizer_);
      return compare("image.input_ids", require(batch, case_).rows);
    }
    std::vector<hr::Message> messages = conversation(asked["messages"]);
    messages.push_back(hr::Message::of_image(hr::Role::assistant, image));
    const hr::ChatOptions options = hr::ChatOptions::of(profile, hr::ChatMode::gen_image);
    const auto batch = hr::encode_chat_batch(model, {messages}, options, tokenizer_, plan.cfg_rows - 1);
    compare("image.input_ids", require(batch, case_).rows);
  }

  /// The rows that the text passes go on from; returns the chain of thought.
  std::string check_text_stage(const hr::Model& model, const hr::GenerationRequest& request,
                               const hr::GenerationPlan& plan, const json& expected) {
    const bool recorded = recorded_.has(case_ + ".text.prompt_ids");
    const bool is_answer = !expected.contains("image");
    if (recorded != (plan.text_stage.is_needed() || is_answer)) differ("another text stage");
    if (!recorded) return {};
    if (!plan.text_stage.generates_text && !is_answer) {
      compare("text.prompt_ids", {require(hr::ratio_row(model, request, plan, {}, tokenizer_), case_)});
      return {};
    }
    compare("text.prompt_ids", {require(hr::text_stage_row(model, request, plan, tokenizer_), case_)});
    if (is_answer) return {};
    const bool drop_think = request.drop_think.value_or(model.profile.drop_think);
    const std::string chain = check_chain(model.profile, plan.text_stage, expected, drop_think);
    if (!recorded_.has(case_ + ".text2.prompt_ids")) return chain;
    compare("text2.prompt_ids", {require(hr::ratio_row(model, request, plan, chain, tokenizer_), case_)});
    return chain;
  }

  /// Generated ids to text, at once and as they come.
  std::string check_chain(const hr::ModelProfile& profile, const hr::TextStage& stage, const json& expected,
                          bool drop_think) {
    const std::vector<TokenId> ids = recorded_.rows(case_ + ".text.generated_ids").at(0);
    const hr::ChainOfThought found =
        require(hr::read_chain_of_thought(profile, stage, ids.data(), ids.size(), drop_think), case_);
    std::vector<TokenId> chain{found.opening};
    chain.insert(chain.end(), ids.begin() + found.ids.start, ids.begin() + found.ids.stop);
    const std::string text = tokenizer_.decode(chain);
    hr::text::StreamDecoder stream(tokenizer_);
    std::string streamed;
    for (const TokenId id : chain) streamed += stream.feed(id);
    streamed += stream.finish();
    ++chain_count_;
    if (text != expected.at("cot_text").at(0)) differ("another chain of thought: " + text);
    if (streamed != text) differ("the streamed text differs");
    return text;
  }

  /// The last ratio token that was generated. The later release records a pass for the ratio alone as the ratio index.
  [[nodiscard]] std::size_t predicted_ratio(const hr::ModelProfile& profile) const {
    std::string pass = case_ + ".text2.generated_ids";
    if (!recorded_.has(pass)) pass = case_ + ".text.generated_ids";
    const std::vector<TokenId> ids = recorded_.rows(pass).at(0);
    for (std::size_t i = ids.size(); i-- > 0;) {
      const auto index = hr::ratio_index_of(profile, ids[i]);
      if (index) return *index;
    }
    return static_cast<std::size_t>(ids.at(0));
  }

  std::string folder_;
  Recorded recorded_;
  hr::ModelProfile profile_;
  hr::text::Tokenizer tokenizer_;
  std::string case_ = "vocabulary";
  std::size_t row_count_ = 0, id_count_ = 0, chain_count_ = 0, differences_ = 0;
};

}  // namespace

int main(int count, char** folders) {
  bool all_equal = true;
  if (count < 2) std::printf("skipped: no folder with requests.json, io.safetensors and tokenizer.json was given\n");
  for (int i = 1; i < count; ++i) {
    try {
      all_equal = Checker(folders[i]).check() && all_equal;
    } catch (const std::exception& error) {
      std::printf("%s: %s\n", folders[i], error.what());
      all_equal = false;
    }
  }
  return all_equal ? 0 : 1;
}
