// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_REQUEST_HPP
#define HUNYUAN_GENERATE_REQUEST_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdio>  // FILE
#include <hunyuan_reso/hunyuan_reso.hpp>
#include <optional>  // optional
#include <string>    // string
#include <vector>    // vector

#include "pipeline/folder.hpp"

namespace hunyuan_generate {

/// One item of a conversation: a text, or a picture.
struct ChatItem {
  hunyuan_reso::Role role = hunyuan_reso::Role::user;
  std::string text;
  at::Tensor picture;  ///< uint8 [h, w, 3]; undefined for a text
};

/// A picture of a size of its own, beyond what the checkpoint was trained at: drawn at a trained bucket, enlarged, and
/// refined in tiles (hunyuan_reso/enlarge.hpp). Whatever is not given takes the checkpoint's or the library's default.
struct Target {
  hunyuan_reso::Resolution size;
  std::optional<std::int32_t> tile, overlap;  ///< pixels
  std::optional<double> strength;
  bool enlarges_latents = false;
  std::int32_t tiles_at_once = 1;
};

/// What somebody wants to have drawn, or answered. Whatever is not given takes the checkpoint's default.
struct Request {
  std::string prompt, system;
  std::vector<at::Tensor> images;  ///< conditioning pictures, uint8 [h, w, 3], oriented
  std::vector<ChatItem> messages;  ///< a whole conversation, in place of prompt, system and images
  bool text_only = false;          ///< an answer in text; nothing is drawn
  std::string size = "auto";       ///< see hunyuan_reso::parse_image_size
  hunyuan_reso::GridMode grid_mode = hunyuan_reso::GridMode::snap;
  bool align_output = false;     ///< give the picture the exact aspect of a conditioning picture
  std::optional<Target> target;  ///< in place of `size`
  std::optional<hunyuan_reso::RopeScaling> rope_scaling;
  std::optional<std::int32_t> base_size, steps, max_new_tokens;
  std::optional<double> guidance, flow_shift;
  std::optional<hunyuan_reso::BotTask> task;
  std::optional<bool> drop_think;
  std::optional<std::string> sequence_template;
  Sampling sampling;
  std::uint64_t seed = 0;
  std::optional<std::uint64_t> text_seed;  ///< of the text stage; `seed` where not given
  std::int32_t count = 1;                  ///< pictures, with the seeds seed, seed + 1, ..
  std::int32_t batch = 1 << 20;            ///< pictures that may share a loop, where memory allows
  bool keep_cache = true;                  ///< take the text stage's keys and values over into the image stage
  hunyuan_reso::Precision precision = hunyuan_reso::Precision::bf16;
};

/// Rates of a device, as measured; see hunyuan_reso::EnlargementOptions.
struct Rates {
  double flop_per_second = 0, decoded_pixels_per_second = 0, encoded_pixels_per_second = 0;
};

/// A request with the model it asks for, which differs from the checkpoint's where the request overrides a default, and
/// its plan. The request and the encoder must outlive it.
class PlannedRequest {
 public:
  /// Throws Error where the request has no meaning.
  PlannedRequest(const Folder& folder, const TextEncoder& encoder, const Request& request);
  PlannedRequest(const PlannedRequest&) = delete;
  PlannedRequest& operator=(const PlannedRequest&) = delete;

  /// Plans it again with what the text stage found: a ratio, and how long the chain of thought is.
  void found(std::optional<std::size_t> ratio_index, std::size_t thought_tokens);

  /// The row that a text pass goes on from; `task` img_ratio ends it in the size token.
  [[nodiscard]] hunyuan_reso::TokenSequence text_row(hunyuan_reso::BotTask task,
                                                     const std::string& chain_of_thought = {}) const;
  /// The rows of the image stage for `pictures` pictures at once.
  [[nodiscard]] hunyuan_reso::TokenBatch image_rows(const std::string& chain_of_thought, std::int32_t pictures) const;
  /// The same for tiles of the enlargement.
  [[nodiscard]] hunyuan_reso::TokenBatch tile_rows(const std::string& chain_of_thought, std::int32_t tiles) const;
  /// The sections of such a row joined, for people to read.
  [[nodiscard]] std::string prompt_text() const;

  [[nodiscard]] const Request& request() const noexcept { return *request_; }
  [[nodiscard]] const hunyuan_reso::ModelProfile& profile() const noexcept { return model_.profile; }
  [[nodiscard]] const hunyuan_reso::Model& model() const noexcept { return model_; }
  [[nodiscard]] const hunyuan_reso::GenerationPlan& plan() const noexcept { return plan_; }
  /// Of a request with a target, with the same counts of text; a null pointer without one.
  [[nodiscard]] const hunyuan_reso::EnlargementPlan* enlargement() const noexcept {
    return enlargement_ ? &*enlargement_ : nullptr;
  }
  /// The seconds that it takes at these rates; 0 without a target.
  [[nodiscard]] double enlargement_seconds(const Rates& rates) const;
  /// Calls of the model for a picture, or for pictures that share a loop; those of its tiles included.
  [[nodiscard]] std::int64_t calls() const noexcept;
  /// The conditioning pictures, in the order of the plan's.
  [[nodiscard]] const std::vector<at::Tensor>& pictures() const noexcept { return pictures_; }
  [[nodiscard]] bool drops_think() const noexcept { return request_->drop_think.value_or(model_.profile.drop_think); }

 private:
  void make_plan();
  void count_conversation();
  [[nodiscard]] hunyuan_reso::EnlargementPlan plan_target(const Rates& rates) const;
  [[nodiscard]] hunyuan_reso::TokenBatch rows_of(const hunyuan_reso::ImageInfo& image,
                                                 const std::string& chain_of_thought, std::int32_t pictures) const;
  [[nodiscard]] std::vector<hunyuan_reso::Message> messages(const std::string& chain_of_thought,
                                                            const hunyuan_reso::ImageInfo* image) const;
  [[nodiscard]] hunyuan_reso::ChatOptions chat_options(hunyuan_reso::ChatMode mode) const;
  [[nodiscard]] auto encode() const {
    return [this](std::string_view text) { return encoder_->encode(text); };
  }

  const Request* request_;
  const TextEncoder* encoder_;
  hunyuan_reso::Model model_;
  std::string system_, prompt_, size_;  // as they enter the template and the plan
  std::vector<at::Tensor> pictures_;
  hunyuan_reso::GenerationRequest wanted_;
  hunyuan_reso::GenerationPlan plan_;
  std::optional<hunyuan_reso::EnlargementPlan> enlargement_;
};

/// Prints the plan, then its findings.
void print_plan(std::FILE* out, const PlannedRequest& request);
/// The same for the enlargement, where the request has a target.
void print_enlargement(std::FILE* out, const PlannedRequest& request);
/// Throws Error with the first reason why the plan cannot be run.
void require_feasible(const hunyuan_reso::GenerationPlan& plan);
/// The same for the tiles of an enlargement, too.
void require_feasible(const PlannedRequest& request);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_REQUEST_HPP
