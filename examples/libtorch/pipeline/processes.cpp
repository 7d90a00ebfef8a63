// SPDX-License-Identifier: MIT
#include "pipeline/processes.hpp"

#include <algorithm>  // max
#include <atomic>     // atomic
#include <chrono>     // milliseconds
#include <cstdio>     // fprintf
#include <cstdlib>    // getenv, _Exit
#include <mutex>      // mutex
#include <thread>     // thread
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>  // vector

#include "adapter/adapter.hpp"
#include "pipeline/devices.hpp"
#include "pipeline/picture.hpp"
#include "pipeline/team.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;
using StorePointer = c10::intrusive_ptr<c10d::Store>;

constexpr double longest_meeting = 30;  // seconds, or as long as the patience
constexpr std::chrono::milliseconds beat(500), look(100);
constexpr double longest_silence = 15;  // seconds without a sign of life
constexpr double longest_farewell = 2;  // seconds for telling the others

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::int64_t number_of(const char* name, std::int64_t otherwise, std::int64_t least, std::int64_t most) {
  const std::string text = environment(name);
  if (text.empty()) return otherwise;
  const bool digits = text.size() <= 9 && text.find_first_not_of("0123456789") == std::string::npos;
  const std::int64_t value = digits ? std::stoll(text) : -1;
  if (value < least || value > most) {
    throw Error(std::string(name) + ": '" + text + "' is no number from " + std::to_string(least) + " to " +
                std::to_string(most));
  }
  return value;
}

StorePointer open_store(const Place& place, bool keeps, double longest) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(place.port);
  options.isServer = keeps;
  options.waitWorkers = false;
  options.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(1000 * longest));
  StorePointer store = c10::make_intrusive<c10d::TCPStore>(place.address, options);
  return c10::make_intrusive<c10d::PrefixStore>(place.prefix + "hunyuan-generate", store);
}

}  // namespace

Place place_from_environment() {
  constexpr std::int64_t most = 65536;
  Place place;
  place.world = number_of("WORLD_SIZE", 1, 1, most);
  place.rank = number_of("RANK", 0, 0, place.world - 1);
  place.local_world = number_of("LOCAL_WORLD_SIZE", place.world, 1, place.world);
  place.local_rank = number_of("LOCAL_RANK", place.rank, 0, place.local_world - 1);
  place.address = environment("MASTER_ADDR");
  place.port = number_of("MASTER_PORT", 0, 1, 65535);
  place.agent_keeps_store = environment("TORCHELASTIC_USE_AGENT_STORE") == "True";
  if (place.agent_keeps_store) place.prefix = "attempt " + environment("TORCHELASTIC_RESTART_COUNT") + " ";
  return place;
}

hr::ParallelLayout parse_layout(const std::string& option, const std::string& text) {
  return require(hr::parse_parallel_layout(text), option + ": '" + text + "'");
}

std::string own_devices(const std::string& option, const std::string& devices, const Place& place) {
  if (devices == "cpu") return devices;
  if (devices == "cuda") return "cuda:" + std::to_string(place.local_rank);
  const std::vector<at::Device> all = parse_devices(option, devices);
  const auto count = static_cast<std::int64_t>(all.size());
  if (count % place.local_world != 0) {
    throw Error(option + ": " + std::to_string(count) + " devices are not the same number for each of " +
                std::to_string(place.local_world) + " processes here");
  }
  std::string own;
  const std::int64_t each = count / place.local_world;
  for (std::int64_t i = place.local_rank * each; i < (place.local_rank + 1) * each; ++i) {
    own += (own.empty() ? "" : ",") + all[static_cast<std::size_t>(i)].str();
  }
  return own;
}

hr::DeviceShare share_of(const PlannedRequest& request, const hr::ParallelLayout& layout) {
  const hr::GenerationPlan& plan = request.plan();
  // Pictures share a loop unless each has conditioning latents of its own.
  const std::int64_t pictures = request.pictures().empty() ? request.request().count : 1;
  const hr::LoopShape loop{plan.cfg_rows * pictures, plan.sequence_length, plan.later_step_tokens};
  return require(hr::device_share(request.profile(), request.request().precision, layout, loop), "--parallel");
}

void print_share(std::FILE* out, const PlannedRequest& request, const hr::ParallelLayout& layout) {
  constexpr double gib = 1024.0 * 1024.0 * 1024.0;
  const hr::DeviceShare share = share_of(request, layout);
  std::fprintf(out, "parallel (tp%dcfg%d): each of %lld processes has %lld heads, %lld experts and %lld rows; ",
               layout.tensor, layout.guidance, static_cast<long long>(layout.devices()),
               static_cast<long long>(share.attention_heads), static_cast<long long>(share.experts),
               static_cast<long long>(share.rows));
  std::fprintf(out, "weights of the backbone %.3g GiB, cache %.3g GiB; a later step sends %.3g MB\n",
               static_cast<double>(share.weights.backbone) / gib, static_cast<double>(share.cache_bytes) / gib,
               static_cast<double>(share.link_bytes()) / 1e6);
}

class Processes::Impl {
 public:
  Impl(std::string program, const hr::ParallelLayout& layout, const Place& place, at::Device device, double patience)
      : program_(std::move(program)),
        place_(place),
        patience_(patience),
        waiting_(std::make_shared<WaitingTime>(device.is_cuda())),
        heard_(static_cast<std::size_t>(place.world), {-1, steady_seconds()}) {
    if (layout.devices() != place.world) {
      throw Error("--parallel needs " + std::to_string(layout.devices()) + " processes, but WORLD_SIZE is " +
                  std::to_string(place.world) + "; start them with torchrun --no-python --nproc-per-node N");
    }
    if (place.world > 1 && (place.address.empty() || place.port == 0)) {
      throw Error("--parallel: MASTER_ADDR and MASTER_PORT must say where the processes meet");
    }
    auto parallel = std::make_shared<Parallel>();
    parallel->device = device;
    parallel->tensor = {place.rank % layout.tensor, layout.tensor};
    parallel->guidance = {place.rank / layout.tensor, layout.guidance};
    parallel_ = parallel;
    if (place.world == 1) return;
    make_current(device);
    meet(*parallel);
  }

  ~Impl() { stop(); }

  [[nodiscard]] const std::shared_ptr<const Parallel>& parallel() const { return parallel_; }

  void wait_for_all() {
    if (place_.world == 1) return;
    waiting_->stop();
    meet_at("ready");
    waiting_->start();
  }

  [[noreturn]] void fail(const std::string& why) {
    if (place_.world == 1) {
      std::fprintf(stderr, "%s: %s\n", program_.c_str(), why.c_str());
    } else {
      waiting_->stop();
      // Somebody else may know better, and then the thread of signs of life ends this process.
      if (why.rfind("lost ", 0) == 0) std::this_thread::sleep_for(2 * beat);
      end("process " + std::to_string(place_.rank) + ": " + why);
    }
    std::fflush(nullptr);
    std::_Exit(1);
  }

  void leave() {
    if (place_.world == 1) return;
    waiting_->stop();
    meet_at("left");
    stop();
    // Process 0 may keep the store and must not take it away from those who still look.
    store_->add("gone", 1);
    const double begin = steady_seconds();
    while (place_.is_first() && store_->add("gone", 0) < place_.world && steady_seconds() - begin < longest_farewell) {
      std::this_thread::sleep_for(look);
    }
  }

 private:
  struct Life {
    std::int64_t beats;
    double heard;
  };

  void meet(Parallel& parallel) {
    const bool keeps = place_.is_first() && !place_.agent_keeps_store;
    const double longest = std::max(longest_meeting, patience_);
    try {
      store_ = open_store(place_, keeps, longest);
      life_ = open_store(place_, false, longest);  // a store serves one call at a time
      store_->add("came", 1);
      const double begin = steady_seconds();
      while (store_->add("came", 0) < place_.world) {
        if (steady_seconds() - begin > longest) {
          throw Error("not all processes came within " + std::to_string(static_cast<int>(longest)) + " seconds");
        }
        std::this_thread::sleep_for(look);
      }
    } catch (const std::exception& error) {
      const std::string text = error.what();
      throw Error("--parallel: " + place_.address + ":" + std::to_string(place_.port) + ": " +
                  text.substr(0, text.find('\n')));
    }
    round_trip_ = steady_seconds();
    for (Life& life : heard_) life.heard = round_trip_;
    beating_ = std::thread([this] { live(); });
    guarding_ = std::thread([this] { guard(); });
    const Share& tensor = parallel.tensor;
    const Share& guidance = parallel.guidance;
    const auto team = [&](const std::string& name, const Share& share) {
      const StorePointer own = c10::make_intrusive<c10d::PrefixStore>(name, store_);
      return make_team(own, share, parallel.device, place_.address, waiting_);
    };
    try {
      if (tensor.count > 1) parallel.tensor_team = team("tp" + std::to_string(guidance.index), tensor);
      if (guidance.count > 1) parallel.guidance_team = team("cfg" + std::to_string(tensor.index), guidance);
    } catch (const std::exception& error) {
      const std::string text = error.what();
      fail("--parallel: " + text.substr(0, text.find('\n')));
    }
  }

  void meet_at(const std::string& where) {
    try {
      store_->add(where, 1);
      while (store_->add(where, 0) < place_.world) std::this_thread::sleep_for(look);
    } catch (const std::exception&) {
      throw Error("lost process 0, which keeps the list of all");
    }
  }

  void stop() {
    stopping_ = true;
    if (beating_.joinable()) beating_.join();
    if (guarding_.joinable()) guarding_.join();
  }

  // Tells the others and ends this process.
  [[noreturn]] void end(const std::string& why) {
    {
      const std::lock_guard<std::mutex> lock(ending_);
      if (reason_.empty()) {
        reason_ = why;
        stop_writing_files();
        std::fprintf(stderr, "%s: %s\n", program_.c_str(), why.c_str());
        std::fflush(nullptr);
      }
      failing_ = true;
    }
    if (theirs_) std::_Exit(1);
    // The thread of signs of life puts the reason into the store; where that hangs, the others notice by themselves.
    const double begin = steady_seconds();
    while (steady_seconds() - begin < longest_farewell) std::this_thread::sleep_for(look);
    std::_Exit(1);
  }

  void live() {
    const std::string own = "alive" + std::to_string(place_.rank);
    while (!stopping_) {
      try {
        life_->add(own, 1);
        for (std::int64_t other = 0; other < place_.world; ++other) hear(other);
        if (life_->check({"failed"}) && !failing_) {
          const std::vector<std::uint8_t> text = life_->get("failed");
          theirs_ = true;
          end(std::string(text.begin(), text.end()));
        }
        if (failing_ && !theirs_) tell();
      } catch (const std::exception&) {
        if (stopping_ || failing_) return;
        theirs_ = true;
        end("process " + std::to_string(place_.rank) + ": process 0, which keeps the list of all, has ended");
      }
      round_trip_ = steady_seconds();
      std::this_thread::sleep_for(failing_ ? look : beat);
    }
  }

  void tell() {
    const std::lock_guard<std::mutex> lock(ending_);
    life_->set("failed", std::vector<std::uint8_t>(reason_.begin(), reason_.end()));
  }

  void hear(std::int64_t other) {
    Life& life = heard_[static_cast<std::size_t>(other)];
    const std::int64_t beats = life_->add("alive" + std::to_string(other), 0);
    if (beats != life.beats) life = {beats, steady_seconds()};
    if (other == place_.rank || failing_ || steady_seconds() - life.heard < longest_silence) return;
    silent_ = other;
  }

  // Decides; never touches the store, which may hang.
  void guard() {
    const std::string self = "process " + std::to_string(place_.rank) + ": ";
    while (!stopping_) {
      char text[120];
      if (failing_) return;
      if (silent_ >= 0) {
        end(self + "process " + std::to_string(silent_) + " has ended or hangs");
      }
      if (steady_seconds() - round_trip_ > longest_silence) {
        end(self + "process 0, which keeps the list of all, has ended or hangs");
      }
      if (waiting_->seconds() > patience_) {
        std::snprintf(text, sizeof text, "waited longer than %g seconds for another process (--patience)", patience_);
        end(self + text);
      }
      std::this_thread::sleep_for(look);
    }
  }

  std::string program_;
  Place place_;
  double patience_;
  std::shared_ptr<WaitingTime> waiting_;
  std::shared_ptr<const Parallel> parallel_;
  StorePointer store_, life_;
  std::vector<Life> heard_;
  std::thread beating_, guarding_;
  std::atomic<bool> stopping_{false}, failing_{false}, theirs_{false};
  std::atomic<double> round_trip_{0};
  std::atomic<std::int64_t> silent_{-1};
  std::mutex ending_;
  std::string reason_;
};

Processes::Processes(const std::string& program, const hr::ParallelLayout& layout, const Place& place,
                     at::Device device, double patience)
    : impl_(std::make_unique<Impl>(program, layout, place, device, patience)) {}
Processes::~Processes() = default;

const std::shared_ptr<const Parallel>& Processes::parallel() const noexcept { return impl_->parallel(); }
void Processes::wait_for_all() { impl_->wait_for_all(); }
void Processes::fail(const std::string& why) { impl_->fail(why); }
void Processes::leave() { impl_->leave(); }

}  // namespace hunyuan_generate
