// SPDX-License-Identifier: MIT
#include <csetjmp>  // setjmp
#include <cstring>  // memcpy
#include <memory>   // unique_ptr
#include <vector>   // vector

#include "adapter/error.hpp"
#include "pipeline/picture.hpp"

#if HUNYUAN_GENERATE_LIBPNG
#include <png.h>
#else
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
#endif
#if HUNYUAN_GENERATE_TURBOJPEG
#include <turbojpeg.h>
#endif
#if HUNYUAN_GENERATE_WEBP
#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>
#endif
#if HUNYUAN_GENERATE_EXIF
#include <libexif/exif-data.h>
#endif

namespace hunyuan_generate {
namespace {

constexpr std::int64_t max_side = 1 << 16;
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
constexpr std::int64_t max_pixels = 1 << 18;
#else
constexpr std::int64_t max_pixels = 178956970;  // where Pillow stops, which the published code reads with
#endif

const unsigned char* raw(const std::string& bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

at::Tensor empty_picture(std::int64_t height, std::int64_t width, const std::string& where) {
  if (height < 1 || width < 1 || height > max_side || width > max_side || height * width > max_pixels) {
    throw Error(where + ": a picture of " + std::to_string(height) + "x" + std::to_string(width) +
                " cannot be read: at most " + std::to_string(max_side) + " pixels a side and " +
                std::to_string(max_pixels) + " in all");
  }
  return at::empty({height, width, 3}, at::kByte);
}

// The orientation in EXIF data with its "Exif" header, or in a whole JPEG file; 1 where there is none.
[[maybe_unused]] int exif_orientation(const unsigned char* data, std::size_t size) {
#if HUNYUAN_GENERATE_EXIF
  const std::unique_ptr<ExifData, void (*)(ExifData*)> exif(exif_data_new_from_data(data, static_cast<unsigned>(size)),
                                                            exif_data_unref);
  if (!exif) return 1;
  const ExifEntry* entry = exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->components != 1 || entry->size < 2) return 1;
  return exif_get_short(entry->data, exif_data_get_byte_order(exif.get()));
#else
  (void)data, (void)size;
  return 1;
#endif
}

#if HUNYUAN_GENERATE_LIBPNG || HUNYUAN_GENERATE_WEBP
// The same for EXIF data as PNG and WebP store it, which starts with the TIFF header; some programs leave "Exif" there.
int tiff_orientation(const unsigned char* data, std::size_t size) {
  std::string exif("Exif\0\0", 6);
  if (size >= exif.size() && std::memcmp(data, exif.data(), exif.size()) == 0) return exif_orientation(data, size);
  exif.append(reinterpret_cast<const char*>(data), size);
  return exif_orientation(raw(exif), exif.size());
}
#endif

#if HUNYUAN_GENERATE_LIBPNG

struct PngInput {
  const std::string* bytes;
  std::size_t next = 0;
};

[[noreturn]] void png_fail(png_structp png, png_const_charp text) {
  *static_cast<std::string*>(png_get_error_ptr(png)) = text;
  png_longjmp(png, 1);
}
void png_hear_warning(png_structp, png_const_charp) {}

void png_take(png_structp png, png_bytep out, png_size_t count) {
  auto* input = static_cast<PngInput*>(png_get_io_ptr(png));
  if (input->bytes->size() - input->next < count) png_error(png, "the file ends too early");
  std::memcpy(out, input->bytes->data() + input->next, count);
  input->next += count;
}
void png_append(png_structp png, png_bytep data, png_size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(data), count);
}
void png_flush_nothing(png_structp) {}

// libpng allocates what a chunk's length says before it reads, so the file must be that long.
bool png_chunks_fit(const std::string& bytes) {
  for (std::size_t at = 8; at + 8 <= bytes.size() && bytes.compare(at + 4, 4, "IEND") != 0;) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8U | static_cast<unsigned char>(bytes[at + i]);
    if (length > bytes.size() - at - 8) return false;
    at += length + 12;
  }
  return true;
}

// Up to the pixels' sizes, or all of it; false after an error. No object with a destructor lives across the jumps.
bool read_png_header(png_structp png, png_infop info) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_read_info(png, info);
  png_set_palette_to_rgb(png);
  png_set_expand_gray_1_2_4_to_8(png);
  png_set_strip_16(png);
  png_set_gray_to_rgb(png);
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  return true;
}
bool read_png_rows(png_structp png, png_infop info, png_bytep* rows) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_read_image(png, rows);
  png_read_end(png, info);
  return true;
}

std::vector<png_bytep> row_pointers(const at::Tensor& pixels) {
  std::vector<png_bytep> rows;
  auto* data = pixels.data_ptr<std::uint8_t>();
  for (std::int64_t y = 0; y < pixels.size(0); ++y) rows.push_back(data + y * pixels.size(1) * 3);
  return rows;
}

StoredPicture decode_png(const std::string& bytes, const std::string& where) {
  if (!png_chunks_fit(bytes)) throw Error(where + ": PNG: the file ends too early");
  std::string reason;
  PngInput input{&bytes};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reason, png_fail, png_hear_warning);
  png_infop info = png_create_info_struct(png);
  const auto end = [&](void*) { png_destroy_read_struct(&png, &info, nullptr); };
  const std::unique_ptr<void, decltype(end)> guard(png, end);
  png_set_read_fn(png, &input, png_take);
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);  // else no changed byte gets past the checksums
#endif
  if (!read_png_header(png, info)) throw Error(where + ": PNG: " + reason);
  StoredPicture picture;
  picture.rgb = empty_picture(png_get_image_height(png, info), png_get_image_width(png, info), where);
  if (png_get_rowbytes(png, info) != static_cast<std::size_t>(picture.rgb.size(1)) * 3) {
    throw Error(where + ": PNG: unexpected pixels");
  }
  std::vector<png_bytep> rows = row_pointers(picture.rgb);
  if (!read_png_rows(png, info, rows.data())) throw Error(where + ": PNG: " + reason);
  png_uint_32 exif_size = 0;
  png_bytep exif = nullptr;
  if (png_get_eXIf_1(png, info, &exif_size, &exif) != 0) picture.orientation = tiff_orientation(exif, exif_size);
  return picture;
}

bool write_png_file(png_structp png, png_infop info, std::int64_t height, std::int64_t width, png_textp texts,
                    int text_count, png_bytep* rows) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), 8, PNG_COLOR_TYPE_RGB,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (text_count > 0) png_set_text(png, info, texts, text_count);
  png_write_info(png, info);
  png_write_image(png, rows);
  png_write_end(png, info);
  return true;
}

std::string encode_png(const at::Tensor& pixels, const PictureTexts& texts, const std::string& where) {
  std::string reason, bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &reason, png_fail, png_hear_warning);
  png_infop info = png_create_info_struct(png);
  const auto end = [&](void*) { png_destroy_write_struct(&png, &info); };
  const std::unique_ptr<void, decltype(end)> guard(png, end);
  png_set_write_fn(png, &bytes, png_append, png_flush_nothing);
  std::vector<png_text> chunks;
  for (const auto& [key, value] : texts) {
    png_text chunk{};
    chunk.compression = PNG_ITXT_COMPRESSION_NONE;
    chunk.key = const_cast<char*>(key.c_str());
    chunk.text = const_cast<char*>(value.c_str());
    chunk.itxt_length = value.size();
    chunks.push_back(chunk);
  }
  std::vector<png_bytep> rows = row_pointers(pixels);
  const bool done = write_png_file(png, info, pixels.size(0), pixels.size(1), chunks.data(),
                                   static_cast<int>(chunks.size()), rows.data());
  if (!done) throw Error(where + ": PNG: " + reason);
  return bytes;
}

#else

StoredPicture decode_png(const std::string& bytes, const std::string& where) {
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> data(
      stbi_load_from_memory(raw(bytes), static_cast<int>(bytes.size()), &width, &height, &channels, 3),
      stbi_image_free);
  if (!data) throw Error(where + ": PNG: " + stbi_failure_reason());
  StoredPicture picture;
  picture.rgb = empty_picture(height, width, where);
  std::memcpy(picture.rgb.data_ptr(), data.get(), picture.rgb.nbytes());
  return picture;
}

std::string encode_png(const at::Tensor& pixels, const PictureTexts&, const std::string& where) {
  std::string bytes;
  const auto append = [](void* out, void* data, int size) {
    static_cast<std::string*>(out)->append(static_cast<const char*>(data), static_cast<std::size_t>(size));
  };
  const int done = stbi_write_png_to_func(append, &bytes, static_cast<int>(pixels.size(1)),
                                          static_cast<int>(pixels.size(0)), 3, pixels.data_ptr(), 0);
  if (done == 0 || bytes.empty()) throw Error(where + ": PNG: the image cannot be encoded");
  return bytes;
}

#endif

#if HUNYUAN_GENERATE_TURBOJPEG

using Jpeg = std::unique_ptr<void, int (*)(tjhandle)>;

StoredPicture decode_jpeg(const std::string& bytes, const std::string& where) {
  const Jpeg jpeg(tjInitDecompress(), tjDestroy);
  int width = 0, height = 0, subsampling = 0, colours = 0;
  const auto size = static_cast<unsigned long>(bytes.size());
  if (tjDecompressHeader3(jpeg.get(), raw(bytes), size, &width, &height, &subsampling, &colours) != 0) {
    throw Error(where + ": JPEG: " + tjGetErrorStr2(jpeg.get()));
  }
  if (colours == TJCS_CMYK || colours == TJCS_YCCK) throw Error(where + ": JPEG: four colours are not supported");
  StoredPicture picture;
  picture.rgb = empty_picture(height, width, where);
  if (tjDecompress2(jpeg.get(), raw(bytes), size, picture.rgb.data_ptr<std::uint8_t>(), width, 0, height, TJPF_RGB,
                    0) != 0 &&
      tjGetErrorCode(jpeg.get()) != TJERR_WARNING) {
    throw Error(where + ": JPEG: " + tjGetErrorStr2(jpeg.get()));
  }
  picture.orientation = exif_orientation(raw(bytes), bytes.size());
  return picture;
}

std::string encode_jpeg(const at::Tensor& pixels, const std::string& where) {
  const Jpeg jpeg(tjInitCompress(), tjDestroy);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  const int done = tjCompress2(jpeg.get(), pixels.data_ptr<std::uint8_t>(), static_cast<int>(pixels.size(1)), 0,
                               static_cast<int>(pixels.size(0)), TJPF_RGB, &data, &size, TJSAMP_444, 95, 0);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> guard(data, tjFree);
  if (done != 0) throw Error(where + ": JPEG: " + tjGetErrorStr2(jpeg.get()));
  return {reinterpret_cast<const char*>(data), size};
}

#endif

#if HUNYUAN_GENERATE_WEBP

StoredPicture decode_webp(const std::string& bytes, const std::string& where) {
  WebPBitstreamFeatures about{};
  if (WebPGetFeatures(raw(bytes), bytes.size(), &about) != VP8_STATUS_OK) {
    throw Error(where + ": WebP: the file is malformed");
  }
  if (about.has_animation != 0) throw Error(where + ": WebP: animations are not supported");
  StoredPicture picture;
  picture.rgb = empty_picture(about.height, about.width, where);
  if (WebPDecodeRGBInto(raw(bytes), bytes.size(), picture.rgb.data_ptr<std::uint8_t>(), picture.rgb.nbytes(),
                        3 * about.width) == nullptr) {
    throw Error(where + ": WebP: the file is malformed");
  }
  const WebPData data{raw(bytes), bytes.size()};
  const std::unique_ptr<WebPDemuxer, void (*)(WebPDemuxer*)> demuxer(WebPDemux(&data), WebPDemuxDelete);
  WebPChunkIterator chunk{};
  if (demuxer && WebPDemuxGetChunk(demuxer.get(), "EXIF", 1, &chunk) != 0) {
    picture.orientation = tiff_orientation(chunk.chunk.bytes, chunk.chunk.size);
    WebPDemuxReleaseChunkIterator(&chunk);
  }
  return picture;
}

std::string encode_webp(const at::Tensor& pixels, const std::string& where) {
  std::uint8_t* data = nullptr;
  const int width = static_cast<int>(pixels.size(1));
  const std::size_t size =
      WebPEncodeLosslessRGB(pixels.data_ptr<std::uint8_t>(), width, static_cast<int>(pixels.size(0)), 3 * width, &data);
  const std::unique_ptr<std::uint8_t, void (*)(void*)> guard(data, WebPFree);
  if (size == 0) throw Error(where + ": WebP: the picture cannot be encoded (at most 16383 pixels a side)");
  return {reinterpret_cast<const char*>(data), size};
}

#endif

bool starts_with(const std::string& bytes, const char* magic, std::size_t size, std::size_t at = 0) {
  return bytes.size() >= at + size && std::memcmp(bytes.data() + at, magic, size) == 0;
}

}  // namespace

StoredPicture decode_stored(const std::string& bytes, const std::string& where) {
  if (starts_with(bytes, "\x89PNG\r\n\x1a\n", 8)) return decode_png(bytes, where);
#if HUNYUAN_GENERATE_TURBOJPEG
  if (starts_with(bytes, "\xff\xd8\xff", 3)) return decode_jpeg(bytes, where);
#endif
#if HUNYUAN_GENERATE_WEBP
  if (starts_with(bytes, "RIFF", 4) && starts_with(bytes, "WEBP", 4, 8)) return decode_webp(bytes, where);
#endif
  throw Error(where + ": not a picture that this program reads (" + encodable_endings() + ")");
}

std::string encode_stored(const std::string& ending, const at::Tensor& pixels, const PictureTexts& texts,
                          const std::string& where) {
  if (ending == "png") return encode_png(pixels, texts, where);
#if HUNYUAN_GENERATE_TURBOJPEG
  if (ending == "jpg") return encode_jpeg(pixels, where);
#endif
#if HUNYUAN_GENERATE_WEBP
  if (ending == "webp") return encode_webp(pixels, where);
#endif
  throw Error(where + ": the name of the picture must end in one of " + encodable_endings());
}

bool can_encode(const std::string& ending) {
  return !ending.empty() && (encodable_endings() + " ").find("." + ending + " ") != std::string::npos;
}

std::string encodable_endings() {
  std::string endings = ".png";
#if HUNYUAN_GENERATE_TURBOJPEG
  endings += " .jpg";
#endif
#if HUNYUAN_GENERATE_WEBP
  endings += " .webp";
#endif
  return endings;
}

}  // namespace hunyuan_generate
