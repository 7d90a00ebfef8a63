// SPDX-License-Identifier: MIT
#include "request_images.hpp"

#include "checked_json.hpp"
#include "failure.hpp"
#include "one_size.hpp"
#include "output.hpp"

namespace hunyuan_reso::cli {
namespace {

const char* kind_name(ImageKind kind) { return image_kinds[static_cast<std::size_t>(kind)]; }

const std::vector<const char*> grid_keys = {
    "token_height",       "token_width",        "image_token_length",   "base_size",           "ratio_index",
    "add_timestep_token", "add_guidance_token", "add_timestep_r_token", "use_front_boi_token", "add_image_shape_token"};

std::vector<const char*> with(std::vector<const char*> keys, std::initializer_list<const char*> more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

std::string grid_text(Resolution grid) { return std::to_string(grid.height) + " x " + std::to_string(grid.width); }

/// The sides and the count of a grid of tokens; both sides or neither, and a count that belongs to them.
struct Grid {
  Resolution sides{};
  std::int64_t length = 0;
};

Grid read_sides(const JsonObject& object) {
  Grid grid;
  grid.sides.height = static_cast<std::int32_t>(object.whole("token_height", 0, max_side, 0));
  grid.sides.width = static_cast<std::int32_t>(object.whole("token_width", 0, max_side, 0));
  if ((grid.sides.height == 0) != (grid.sides.width == 0)) {
    refuse_key(object.place(grid.sides.height == 0 ? "token_height" : "token_width"),
               "expected a number of at least 1, as the other side has one");
  }
  grid.length = object.whole("image_token_length", 0, max_side, grid.sides.pixel_count());
  if (grid.length == 0) {
    refuse_key(object.where(), "expected token_height and token_width, or image_token_length, of at least 1");
  }
  return grid;
}

void read_grid(const JsonObject& object, const Selection& selection, ImageInfo& image) {
  const Grid grid = read_sides(object);
  const std::int64_t cells = grid.sides.pixel_count();
  if (cells != 0 && grid.length != cells) {
    refuse_key(object.place("image_token_length"), std::to_string(grid.length) + " tokens for a grid of " +
                                                       grid_text(grid.sides) + " = " + std::to_string(cells));
  }
  image.token_height = grid.sides.height;
  image.token_width = grid.sides.width;
  image.image_token_length = grid.length;
  image.add_timestep_token = object.flag("add_timestep_token", true);
  image.add_guidance_token = object.flag("add_guidance_token", false);
  image.add_timestep_r_token = object.flag("add_timestep_r_token", false);
  image.use_front_boi_token = object.flag("use_front_boi_token", true);
  image.add_image_shape_token = object.flag("add_image_shape_token", true);
  const ModelProfile& profile = selection.profile();
  image.base_size = static_cast<std::int32_t>(object.whole("base_size", 0, max_side, 0));
  image.ratio_index = static_cast<std::size_t>(object.whole("ratio_index", 0, max_side, 0));
  if (!image.add_image_shape_token) return;
  if (!object.has("base_size")) refuse_key(object.where(), "expected base_size, or add_image_shape_token: false");
  if (!object.has("ratio_index")) refuse_key(object.where(), "expected ratio_index, or add_image_shape_token: false");
  const Result<TokenId> size = size_token_id(profile, image.base_size);
  if (!size) refuse_key(object.place("base_size"), reason_of(size.error()));
  const Result<TokenId> ratio = ratio_token_id(profile, image.ratio_index);
  if (!ratio) refuse_key(object.place("ratio_index"), reason_of(ratio.error()));
  const Result<Model> model = Model::create(profile, image.base_size, selection.extra_scaling);
  const Result<ImageInfo> row = model ? image_info_of_row(*model, image.ratio_index) : Result<ImageInfo>(model.error());
  if (row && grid.sides.is_positive() && row->token_grid() != grid.sides) {
    write_error("hunyuan-reso: " + object.where() + ": note: the grid " + grid_text(grid.sides) +
                " (height x width) is not that of bucket " + std::to_string(image.ratio_index) + " at base size " +
                std::to_string(image.base_size) + ", " + grid_text(row->token_grid()) + "\n");
  }
}

void read_vit(const JsonObject& object, const ModelProfile& profile, ImageInfo& image) {
  const Grid grid = read_sides(object);
  const std::int64_t cells = grid.sides.pixel_count();
  if (cells > grid.length || (cells != grid.length && grid.length > profile.vit_slots)) {
    refuse_key(object.place("image_token_length"), std::to_string(grid.length) + " slots for a grid of " +
                                                       grid_text(grid.sides) + " = " + std::to_string(cells));
  }
  if (grid.length > profile.vit_slots) {
    refuse_key(object.where(), grid_text(grid.sides) + " = " + std::to_string(grid.length) + " tokens, but " +
                                   profile.name + " has " + std::to_string(profile.vit_slots) + " slots");
  }
  image.vit_token_height = grid.sides.height;
  image.vit_token_width = grid.sides.width;
  image.vit_token_length = grid.length;
}

}  // namespace

ImageReader::ImageReader(const Selection& selection, const Json* images, const std::string& where)
    : selection_(selection), images_(images), where_(where) {
  if (images == nullptr) return;
  if (!images->is_object()) refuse_key(where, "expected an object from names to images, but got " + written(*images));
  for (const auto& item : images->items()) {
    static_cast<void>(from_object(item.value(), where + "." + spelled(item.key()), conditioning_kind(), false));
  }
}

ImageKind ImageReader::conditioning_kind() const {
  switch (selection_.profile().conditioning_image_type) {
    case ConditioningImageType::vae:
      return ImageKind::cond_vae;
    case ConditioningImageType::vit:
      return ImageKind::cond_vit;
    case ConditioningImageType::vae_vit:
      break;
  }
  return ImageKind::cond_joint;
}

ImageInfo ImageReader::read(const Json& json, const std::string& where, ImageKind kind) const {
  if (json.is_object()) return from_object(json, where, kind, true);
  if (!json.is_string()) refuse_key(where, "expected a size, an image object or a name, but got " + written(json));
  const auto text = json.get<std::string>();
  if (images_ != nullptr && images_->contains(text)) {
    return from_object((*images_)[text], where_ + "." + spelled(text), kind, true);
  }
  const bool may_be_name = images_ != nullptr || (!text.empty() && (text[0] < '0' || text[0] > '9') && text[0] != '<');
  const Result<ImageSize> size = parse_size(text, selection_.profile(), selection_.order);
  if (!size && may_be_name) {
    refuse_key(where, "no image '" + spelled(text) +
                          "' in 'images', and no size: " + size_refusal(text, size, selection_.order));
  }
  return from_pixels(require_size(where, text, selection_.profile(), selection_.order), where, kind);
}

ImageInfo ImageReader::from_pixels(const ImageSize& size, const std::string& where, ImageKind kind) const {
  if (kind == ImageKind::generated) {
    const Result<ImageInfo> info = build_gen_image_info(selection_.model, size, selection_.grid_mode);
    if (!info) refuse_key(where, reason_of(info.error(), selection_.order));
    return *info;
  }
  if (size.kind != ImageSizeKind::pixels) {
    refuse_key(where, std::string("expected the original pixels of the image, ") + size_form(selection_.order));
  }
  Model model = selection_.model;
  model.profile.conditioning_image_type = kind == ImageKind::cond_vae   ? ConditioningImageType::vae
                                          : kind == ImageKind::cond_vit ? ConditioningImageType::vit
                                                                        : ConditioningImageType::vae_vit;
  const Result<ImageInfo> info = build_cond_image_info(model, size.size);
  if (!info) refuse_key(where, reason_of(info.error(), selection_.order));
  return *info;
}

ImageInfo ImageReader::from_object(const Json& json, const std::string& where, ImageKind kind,
                                   bool kind_is_known) const {
  const std::vector<const char*> all = with(grid_keys, {"kind", "height", "width", "orientation", "vae", "vit"});
  const JsonObject object(json, where, all);
  const std::size_t named = object.word("kind", {image_kinds[0], image_kinds[1], image_kinds[2], image_kinds[3]},
                                        static_cast<std::size_t>(kind));
  const auto own_kind = static_cast<ImageKind>(named);
  if (object.has("kind") && kind_is_known && own_kind != kind) {
    refuse_key(object.place("kind"),
               std::string("expected ") + kind_name(kind) + " here, but got " + kind_name(own_kind));
  }
  if (object.has("height") || object.has("width")) {
    const JsonObject pixels(json, where, {"kind", "height", "width", "orientation"});
    const auto height = static_cast<std::int32_t>(pixels.whole("height", 1, max_side, 0));
    const auto width = static_cast<std::int32_t>(pixels.whole("width", 1, max_side, 0));
    if (height == 0 || width == 0) refuse_key(where, "expected both height and width");
    const auto orientation = static_cast<std::int32_t>(pixels.whole("orientation", 1, 8, 1));
    return from_pixels(ImageSize::of_pixels(oriented({height, width}, orientation)), where, own_kind);
  }
  ImageInfo image;
  image.kind = own_kind;
  if (own_kind == ImageKind::generated) {
    read_grid(JsonObject(json, where, with(grid_keys, {"kind"})), selection_, image);
    return image;
  }
  const std::vector<const char*> parts = own_kind == ImageKind::cond_joint
                                             ? std::vector<const char*>{"kind", "vae", "vit"}
                                         : own_kind == ImageKind::cond_vae ? std::vector<const char*>{"kind", "vae"}
                                                                           : std::vector<const char*>{"kind", "vit"};
  const JsonObject conditioning(json, where, parts);
  if (has_vae_run(own_kind)) {
    if (!conditioning.has("vae"))
      refuse_key(where, "expected 'vae', the grid of the VAE's tokens (or height and width)");
    read_grid(JsonObject(conditioning.at("vae"), conditioning.place("vae"), grid_keys), selection_, image);
  }
  if (has_vit_run(own_kind)) {
    if (!conditioning.has("vit"))
      refuse_key(where, "expected 'vit', the grid of the ViT's tokens (or height and width)");
    read_vit(JsonObject(conditioning.at("vit"), conditioning.place("vit"),
                        {"token_height", "token_width", "image_token_length"}),
             selection_.profile(), image);
  }
  return image;
}

}  // namespace hunyuan_reso::cli
