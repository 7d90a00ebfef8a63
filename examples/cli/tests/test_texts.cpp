// SPDX-License-Identifier: MIT
// Texts that look right and are not, other encodings, and what people write for a size.
#include <doctest/doctest.h>

#include "run_tool.hpp"

using nlohmann::json;

namespace {

struct Lookalike {
  const char* text;
  const char* code_point;
};
constexpr Lookalike lookalikes[] = {
    {"1024\xC2\xA0x\xC2\xA0"
     "768",
     "<U+00A0>"},                          // no-break space
    {"1024x768\xE2\x80\x8B", "<U+200B>"},  // zero-width space
    {"\xEF\xBB\xBF"
     "1024x768",
     "<U+FEFF>"},  // a byte order mark
    {"1024\xD1\x85"
     "768",
     "<U+0445>"},  // Cyrillic x
    {"1024\xCF\x87"
     "768",
     "<U+03C7>"},  // Greek chi
    {"1024\xE3\x80\x80"
     "768",
     "<U+3000>"},  // ideographic blank
    {"1024\xE2\x80\xAF"
     "x768",
     "<U+202F>"},                     // narrow no-break space
    {"1024x76\xD9\xA8", "<U+0668>"},  // an Arabic digit
    {"1024\xE2\x9C\x95"
     "768",
     "<U+2715>"},                      // a heavy x
    {"1024x768\xC2\xAD", "<U+00AD>"},  // soft hyphen
    {"16\xD7\x83"
     "9",
     "<U+05C3>"},  // a Hebrew colon
    {"\xE2\x81\xA0"
     "16:9",
     "<U+2060>"},                           // word joiner
    {"16:9\xF3\xA0\x80\xA0", "<U+E0020>"},  // an invisible tag
};

}  // namespace

TEST_CASE("a text that looks right and is not is shown with its code point") {
  for (const Lookalike& tested : lookalikes) {
    CAPTURE(tested.code_point);
    const std::string argument = std::string("'") + tested.text + "'";
    for (const std::string& arguments :
         {"explain " + argument, "plan " + argument, "explain 1:1 --conditioning " + argument,
          "plan 1:1 --conditioning " + argument, "explain 1:1 --target " + argument}) {
      CAPTURE(arguments);
      const Run run = run_tool(arguments);
      CHECK(run.status == 1);
      CHECK(run.out.empty());
      CHECK_MESSAGE(contains(run.err, tested.code_point), run.err);
      CHECK_FALSE(contains(run.err, tested.text));
    }
    const json request = {{"prompt", "a"}, {"gen", tested.text}};
    const Run run = run_tool("sequence -", request.dump());
    CHECK(run.status == 1);
    CHECK_MESSAGE(contains(run.err, tested.code_point), run.err);
  }
}

TEST_CASE("words of options, tokens and keys are spelled out likewise") {
  CHECK(contains(run_tool("table --profile 'instru\xD1\x81t'").err, "<U+0441>"));
  CHECK(contains(run_tool("table --format 'cs\xC2\xA0v'").err, "<U+00A0>"));
  CHECK(contains(run_tool("t\xD0\xB0"
                          "ble")
                     .err,
                 "<U+0430>"));
  CHECK(contains(run_tool("table --pr\xD0\xBE"
                          "file base")
                     .err,
                 "<U+043E>"));
  CHECK(contains(run_tool("token '<img_r\xD0\xB0tio_33>'").err, "<U+0430>"));
  CHECK(contains(run_tool("plan 1:1 --steps '5\xE2\x80\x8B'").err, "<U+200B>"));
  CHECK(contains(run_tool("table --ratio-token '37\xEF\xBC\x9D"
                          "130109'")
                     .err,
                 "<U+FF1D>"));
  CHECK(contains(run_tool("sequence -", "{\"prompt\": \"a\", \"g\xD0\xB5n\": \"1:1\"}").err, "'g<U+0435>n'"));
  // File names may hold anything: only what cannot be seen is spelled.
  CHECK(contains(run_tool("sequence 'f\xC3\xB6t\xC3\xB6.json'").err, "'f\xC3\xB6t\xC3\xB6.json'"));
  CHECK(contains(run_tool("sequence 'a\xC2\xA0"
                          "b.json'")
                     .err,
                 "a<U+00A0>b.json"));
}

TEST_CASE("other encodings and zero bytes are named, with the command that helps") {
  const auto utf16 = [](const std::string& text, bool big_endian) {
    std::string wide;
    for (const char c : text) wide += big_endian ? std::string{'\0', c} : std::string{c, '\0'};
    return wide;
  };
  const std::string request = R"({"prompt": "a cat", "gen": "16:9"})";
  const std::string ids = "127958\n1000\n128009\n";
  struct Input {
    const char* arguments;
    std::string text;
  };
  for (const Input& input : {Input{"sequence -", request}, Input{"sequence --ids -", ids}, Input{"token -", ids},
                             Input{"token --verify -", R"({"<boi>": 128000})"}}) {
    CAPTURE(input.arguments);
    const auto refused = [&](const std::string& bytes, const std::string& reason) {
      const Run run = run_tool(input.arguments, bytes);
      CHECK(run.status == 1);
      CHECK(run.out.empty());
      CHECK_MESSAGE(contains(run.err, reason), run.err);
    };
    refused("\xFF\xFE" + utf16(input.text, false), "iconv -f UTF-16 -t UTF-8");
    refused("\xFE\xFF" + utf16(input.text, true), "iconv -f UTF-16 -t UTF-8");
    refused(utf16(input.text, false), "iconv -f UTF-16LE -t UTF-8");
    refused(utf16(input.text, true), "iconv -f UTF-16BE -t UTF-8");
    refused(std::string("\xFF\xFE\0\0", 4), "iconv -f UTF-32 -t UTF-8");
    refused(input.text + std::string(1, '\0'), "tr -d '\\0'");
    refused(std::string(1, '\0') + input.text, "byte 1 is zero");
  }
  CHECK(run_tool("sequence -", "\xEF\xBB\xBF" + request).status == 0);  // a byte order mark of UTF-8 is fine
  CHECK(run_tool("token -", "\xEF\xBB\xBF" + std::string("128000\r\n")).status == 0);
}

TEST_CASE("what people write for a size and can mean one thing is taken") {
  struct Written {
    const char* text;
    const char* meaning;
  };
  for (const Written& tested :
       {Written{"1024*768", "1024x768"}, Written{"1024 * 768", "1024x768"}, Written{"1024 x 768", "1024x768"},
        Written{"1024X768", "1024x768"}, Written{"1024,768", "1024x768"}, Written{"1024, 768", "1024x768"},
        Written{"1024 768", "1024x768"}, Written{"1920x1080px", "1920x1080"}, Written{"1920px x 1080px", "1920x1080"},
        Written{"16/9", "16:9"},
        Written{"16\xEF\xBC\x9A"
                "9",
                "16:9"},
        Written{"2.39:1", "239:100"}, Written{"1.85 : 1", "185:100"}, Written{"1:1.5", "10:15"},
        Written{"1024\xEF\xBC\xBA"
                "768",
                nullptr},
        Written{"16 : 9", "16:9"}}) {
    CAPTURE(tested.text);
    for (const std::string& command : {std::string("explain"), std::string("plan --task image")}) {
      const Run run = run_tool(command + " '" + tested.text + "' --format json");
      if (tested.meaning == nullptr) {
        CHECK(run.status == 1);
        continue;
      }
      CHECK(run.status == 0);
      CHECK_MESSAGE(run.err.empty(), run.err);
      json written = parse_json(run.out);
      json plain = parse_json(run_tool(command + " '" + tested.meaning + "' --format json").out);
      for (json* document : {&written, &plain}) document->erase("request");
      CHECK((written == plain));
    }
  }
  for (const char* text : {"auto", "Auto", "AUTO", " auto "}) {
    CHECK(parse_json(run_tool(std::string("plan '") + text + "' --format json").out)["request"] == "auto");
  }
}

TEST_CASE("what names no size is refused with the list of forms") {
  for (const char* text :
       {"4K",  "2k", "8K", "1080p", "720p", "portrait", "landscape",      "square", "HxW",     "WxH", "tall",
        "1MP", "",   " ",  "x",     "16",   "1024",     "twelve by nine", "A4",     "full hd", "?"}) {
    CAPTURE(text);
    for (const char* command : {"explain -- '", "plan -- '"}) {
      const Run run = run_tool(std::string(command) + text + "'");
      CHECK(run.status == 1);
      CHECK(run.out.empty());
      CHECK_MESSAGE(contains(run.err, "HEIGHTxWIDTH"), run.err);
    }
  }
}

TEST_CASE("a number that begins with 0 is read, with a doubt") {
  for (const char* text : {"1024x024", "024x1024", "01024x768"}) {
    CAPTURE(text);
    for (const char* command : {"explain ", "plan --task image "}) {
      const Run run = run_tool(std::string(command) + text);
      CHECK(run.status == 0);
      CHECK_MESSAGE(contains(run.err, "is a digit missing?"), run.err);
      CHECK(lines_of(run.err).size() == 1);
    }
  }
  CHECK(run_tool("explain 1024x768").err.empty());
  CHECK(run_tool("explain 1000x100").err.empty());
}

TEST_CASE("advice names the tool's options, not functions of the library") {
  for (const char* arguments : {"plan 960x1952 --profile panorama", "plan '<img_ratio_37>' --profile panorama",
                                "explain '<img_ratio_37>' --profile panorama", "token 37 --ratio --profile panorama",
                                "table --profile panorama"}) {
    CAPTURE(arguments);
    const Run run = run_tool(arguments);
    const std::string all = run.out + run.err;
    CHECK_MESSAGE(contains(all, "--ratio-token"), all);
    CHECK_FALSE(contains(all, "ModelProfile"));
    CHECK_FALSE(contains(all, "with_ratio_token_id"));
  }
  CHECK(contains(run_tool("plan 1:1 --base-size 2048").out, "hunyuan-reso plan --target"));
  for (const char* arguments :
       {"plan 1:1 --base-size 3072", "plan --target 4K --precision int8", "plan 1:1 --base-size 512",
        "plan 4:3 --base-size 2048", "plan 1:1 --base-size 2048 --precision int8 --batch 4 --eager-moe-mask",
        "plan 8:1", "plan 1:1 --conditioning 3:4000"}) {
    CAPTURE(arguments);
    const Run run = run_tool(arguments);
    for (const char* name : {"plan_enlargement", "::", "_token_id", "ModelProfile", "SnapTable", "Capacity"}) {
      CHECK_FALSE(contains(run.out + run.err, name));
    }
  }
  const json plan = parse_json(run_tool("plan '<img_ratio_37>' --profile panorama --format json").out);
  CHECK_FALSE(contains(plan.dump(), "ModelProfile"));
}

TEST_CASE("following a request says what it did to it") {
  const Run cut = run_tool("explain 904x1080 --grid-mode follow_request");
  CHECK(contains(cut.out, "904x1080 became 896x1072"));
  CHECK(contains(run_tool("plan 904x1080 --grid-mode follow_request").out, "904x1080 became 896x1072"));
  CHECK_FALSE(contains(run_tool("explain 896x1072 --grid-mode follow_request").out, "Pixels were cut"));
  const Run by_area = run_tool("plan 1500x1500 --grid-mode follow_request_by_area");
  CHECK(contains(by_area.out, "base size 1536 was chosen by area"));
  CHECK(contains(run_tool("explain 1500x1500 --grid-mode follow_request_by_area").out, "that of base size 1536"));
  CHECK(contains(run_tool("plan 1080x1920").out, "<img_size_1024> 128037, <img_ratio_36> 130106"));
}
