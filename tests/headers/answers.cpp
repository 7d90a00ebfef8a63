// SPDX-License-Identifier: MIT
// Prints answers of every header for many inputs; built from the split headers and from the single file.
#if defined(HUNYUAN_RESO_TEST_SINGLE_HEADER)
#include <hunyuan_reso_single.hpp>
#if defined(__has_include)
#if __has_include(<hunyuan_reso/hunyuan_reso.hpp>)
#error "the split headers are in reach"
#endif
#endif
#else
#include <hunyuan_reso/hunyuan_reso.hpp>
#endif

#include <cinttypes>
#include <cstdio>

namespace hr = hunyuan_reso;

namespace {

class Digest {
 public:
  void add(std::int64_t value) { state_ = (state_ ^ static_cast<std::uint64_t>(value)) * 0x100000001B3u; }
  void add(std::string_view text) {
    for (const char c : text) add(std::int64_t{c});
  }
  void print(const char* name) const { std::printf("%s %016" PRIx64 "\n", name, state_); }

 private:
  std::uint64_t state_ = 0xCBF29CE484222325u;
};

void add(Digest& digest, const hr::Result<hr::ImageInfo>& info) {
  digest.add(static_cast<std::int64_t>(info.error()));
  digest.add(static_cast<std::int64_t>(info.position()));
  digest.add(info->image_height);
  digest.add(info->image_width);
  digest.add(info->image_token_length);
  digest.add(info->base_size);
  digest.add(static_cast<std::int64_t>(info->ratio_index));
  digest.add(info->trained.all());
}

void print_answers(const hr::ModelProfile& profile, std::int32_t base_size) {
  const auto model = hr::Model::create(profile, base_size);
  std::printf("%s %d: %s\n", profile.name, static_cast<int>(base_size), hr::message(model.error()));
  if (!model) return;
  const hr::ResolutionGroup& group = model->group;
  Digest snap, crop, info, conditioning, presets;
  for (std::int32_t height = 1; height <= 2048; height += 17) {
    for (std::int32_t width = 1; width <= 2048; width += 13) {
      const hr::Resolution size{height, width};
      snap.add(static_cast<std::int64_t>(group.snap(size)));
      const auto geometry = hr::resize_and_center_crop(size, group.get_target_size(width, height));
      crop.add(geometry->resized_height * 4096 + geometry->resized_width);
      crop.add(geometry->crop_top * 4096 + geometry->crop_left);
      const auto alignment = hr::align_output(group, group[group.snap(size)], &size, 1);
      crop.add(alignment->height * 65536 + alignment->width);
      add(info, hr::build_gen_image_info(*model, size, hr::GridMode::follow_request_by_area));
      const auto condition = hr::build_cond_image_info(*model, size);
      add(conditioning, condition);
      conditioning.add(condition->vit_token_height * 4096 + condition->vit_token_width);
    }
  }
  for (const char* text : {"auto", "1024x768", "16:9", "<img_ratio_36>", "12*4", "", "0x1"}) {
    add(info, hr::build_gen_image_info(*model, text));
  }
  const auto list = hr::make_presets(*model);
  for (const hr::Preset& preset : list) {
    presets.add(preset.size.pixel_count());
    presets.add(preset.ratio_token_id.value_or(-1));
    presets.add(preset.common_ratio.text());
  }
  snap.print("snap");
  crop.print("crop");
  info.print("info");
  conditioning.print("conditioning");
  presets.print("presets");
}

}  // namespace

int main() {
  for (const hr::ModelProfile* profile : hr::profiles::all) {
    for (const std::int32_t base_size : {512, 1000, 1024, 2048}) print_answers(*profile, base_size);
    const auto report =
        hr::verify_vocabulary(*profile, [&](std::string_view text) { return hr::find_token(*profile, text); });
    std::printf("vocabulary %d, %d mismatches\n", static_cast<int>(report.checked_count),
                static_cast<int>(report.mismatch_count));
    Digest texts;
    for (hr::TokenId id = 127900; id < 130200; ++id) texts.add(*hr::token_text(*profile, id));
    texts.print("token texts");
  }
  std::printf("version %d.%d.%d\n", HUNYUAN_RESO_VERSION_MAJOR, HUNYUAN_RESO_VERSION_MINOR, HUNYUAN_RESO_VERSION_PATCH);
}
