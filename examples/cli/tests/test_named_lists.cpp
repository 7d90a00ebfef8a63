// SPDX-License-Identifier: MIT
// Lists with names, in the formats that other programs write.
#include <doctest/doctest.h>

#include "run_tool.hpp"

using nlohmann::json;

namespace {

/// "name HEIGHTxWIDTH" of each picture that was read, in order.
std::string read_as(const std::string& format, const std::string& text, const std::string& options = "",
                    int status = 0) {
  const Run run = run_tool("snap --from " + format + " - --quiet --format json " + options, text);
  CHECK_MESSAGE(run.status == status, run.err);
  std::string all;
  if (run.out.empty()) return all;
  for (const std::string& line : lines_of(run.out)) {
    const json row = parse_json(line);
    const std::string name = row.contains("name") ? row["name"].get<std::string>() : "-";
    all += name + " " + std::to_string(row["request_height"].get<int>()) + "x" +
           std::to_string(row["request_width"].get<int>()) + "\n";
  }
  return all;
}

constexpr const char* two = "a.jpg 1080x1920\nb.jpg 768x1024\n";

}  // namespace

TEST_CASE("headers that are recognized") {
  static constexpr const char* headers[] = {
      "name,width,height",
      "file,width,height",
      "filename,width,height",
      "path,width,height",
      "SourceFile,ImageWidth,ImageHeight",
      "image,w,h",
      "Name,Width,Height",
      "FILE,W,H",
      "file_name,width,height",
      "image_path,image_width,image_height",
      "File Name,Image Width,Image Height",
      "url,width,height",
      "File:FileName,File:ImageWidth,EXIF:ImageHeight",
      " name , width , height ",
      "\"name\",\"width\",\"height\"",
      "\xEF\xBB\xBFname,width,height",
      "FileName,ImageWidth,ImageHeight",
  };
  for (const char* header : headers) {
    CHECK_MESSAGE(read_as("csv", std::string(header) + "\na.jpg,1920,1080\nb.jpg,1024,768\n") == two, header);
    std::string tabs = header;
    for (char& c : tabs) c = c == ',' ? '\t' : c;
    CHECK_MESSAGE(read_as("tsv", tabs + "\na.jpg\t1920\t1080\nb.jpg\t1024\t768\n") == two, header);
  }
  // Any order of the columns, further columns, and lists without names.
  CHECK(read_as("csv", "height,id,width,name,md5\n1080,7,1920,a.jpg,x\n768,8,1024,b.jpg,y\n") == two);
  CHECK(read_as("csv", "h,w\n1080,1920\n768,1024\n") == "- 1080x1920\n- 768x1024\n");
  // Of several names the more exact one.
  CHECK(read_as("csv", "image,name,path,w,h\n1,2,a.jpg,1920,1080\n1,2,b.jpg,1024,768\n") == two);
}

TEST_CASE("what CSV may look like") {
  const std::string header = "name,width,height\n";
  CHECK(read_as("csv", header + "a.jpg,1920,1080\r\nb.jpg,1024,768\r\n") == two);
  CHECK(read_as("csv", header + "a.jpg,1920,1080\nb.jpg,1024,768") == two);
  CHECK(read_as("csv", header + "\na.jpg,1920,1080\n\n\nb.jpg,1024,768\n\n") == two);
  CHECK(read_as("csv", header + "\"a.jpg\",\"1920\",\"1080\"\n\"b.jpg\",1024,768\n") == two);
  CHECK(read_as("csv", header + " a.jpg , 1920 , 1080 \nb.jpg,\t1024,768\n") == two);
  CHECK(read_as("csv", header + "a.jpg,1920.0,1080.0\nb.jpg,1024.00,768.\n", "", 1) == "a.jpg 1080x1920\n");
  CHECK(read_as("csv", header + "\"x, y.jpg\",10,20\n") == "x, y.jpg 20x10\n");
  CHECK(read_as("csv", header + "\"say \"\"hi\"\".jpg\",10,20\n") == "say \"hi\".jpg 20x10\n");
  CHECK(read_as("csv", header + "\"two\nlines.jpg\",10,20\nb.jpg,1,2\n") == "two\nlines.jpg 20x10\nb.jpg 2x1\n");
  CHECK(read_as("csv", header + "\"two\r\nlines.jpg\",10,20\r\n") == "two\nlines.jpg 20x10\n");
  CHECK(read_as("csv", header + "5\" floppy.jpg,10,20\n") == "5\" floppy.jpg 20x10\n");
  CHECK(read_as("csv", header + "#1.jpg,10,20\n") == "#1.jpg 20x10\n");
  CHECK(read_as("csv", header + "\xE7\x8C\xAB.jpg,10,20\n") == "\xE7\x8C\xAB.jpg 20x10\n");
  CHECK(read_as("csv", header + ",10,20\n") == " 20x10\n");
  CHECK(read_as("csv", header + "\"\",10,20\n") == " 20x10\n");
  CHECK(read_as("csv", header) == "");
  CHECK(read_as("csv", "") == "");
  CHECK(read_as("tsv", "name\twidth\theight\n\"a\tb.jpg\"\t10\t20\nc, d.jpg\t1\t2\n") ==
        "a\tb.jpg 20x10\nc, d.jpg 2x1\n");
}

TEST_CASE("columns by number and by name") {
  const std::string rows = "1,a.jpg,x,1920,1080\n2,b.jpg,y,1024,768\n";
  CHECK(read_as("csv", rows, "--columns name=2,width=4,height=5") == two);
  CHECK(read_as("csv", rows, "--columns height=5,width=4,name=2") == two);
  CHECK(read_as("csv", rows, "--columns width=4,height=5") == "- 1080x1920\n- 768x1024\n");
  CHECK(read_as("csv", "id,file,note,breite,hoehe\n" + rows, "--columns name=2,width=4,height=5") == two);
  CHECK(read_as("csv", "id,file,note,breite,hoehe\n" + rows, "--columns width=breite,height=hoehe") == two);
  CHECK(read_as("csv", "id,file,x,width,orig_w,height,orig_h\n1,a.jpg,x,1,1920,2,1080\n2,b.jpg,y,3,1024,4,768\n",
                "--columns width=orig_w,height=orig_h") == two);
  CHECK(read_as("csv", "id,name,x,width,ImageWidth,height\n1,a.jpg,x,1,1920,1080\n2,b.jpg,y,1,1024,768\n",
                "--columns width=5") == two);
  CHECK(read_as("csv", "a.jpg,1080x1920\nb.jpg,768 x 1024\n", "--columns name=1,size=2") == two);
  CHECK(read_as("csv", "a.jpg,1920x1080\nb.jpg,1024*768\n", "--columns name=1,size=2 --order wh") == two);
  CHECK(read_as("tsv", "a.jpg\t1920\t1080\nb.jpg\t1024\t768\n", "--columns name=1,width=2,height=3") == two);
  CHECK(read_as("jsonl",
                "{\"k\":\"a.jpg\",\"ow\":1920,\"oh\":1080,\"width\":5}\n{\"k\":\"b.jpg\",\"ow\":1024,\"oh\":768}\n",
                "--columns name=k,width=ow,height=oh") == two);
  for (const char* bad :
       {"name", "name=", "=2", "name=0", "colour=2", "name=1,name=2", "width=1;height=2", "", "name=0x1"}) {
    const Run run = run_tool("snap --from csv - --columns '" + std::string(bad) + "'", rows);
    if (bad[0] == '\0') continue;
    CHECK_MESSAGE((run.status == 1 || run.status == 2), bad);
    CHECK_MESSAGE(contains(run.err, "--columns"), run.err);
  }
  CHECK(run_tool("snap --from identify - --columns name=1", "").status == 2);
  CHECK(run_tool("snap --from sizes - --columns name=1", "").status == 2);
  CHECK(run_tool("snap - --columns name=1", "").status == 2);
}

TEST_CASE("a header that does not say both sides is refused with the way out") {
  for (const char* text : {"a.jpg,1920,1080\n", "name,width\n", "name,height,depth\n", "name,x,y\n", "1920,1080\n",
                           "name;width;height\n", "width\nheight\n"}) {
    const Run run = run_tool("snap --from csv -", text);
    CHECK_MESSAGE(run.status == 1, text);
    CHECK_MESSAGE(contains(run.err, "--columns name=1,width=2,height=3"), run.err);
  }
  const Run twice = run_tool("snap --from csv -", "name,width,ImageWidth,height\na,1,2,3\n");
  CHECK(twice.status == 1);
  CHECK(contains(twice.err, "'width' and 'ImageWidth' both say the width"));
  CHECK(contains(run_tool("snap --from csv - --columns width=nope", "name,width,height\n").err, "no column 'nope'"));
}

TEST_CASE("JSON lines and arrays") {
  const std::string rows =
      "{\"file_name\": \"a.jpg\", \"width\": 1920, \"height\": "
      "1080}\n{\"height\":768,\"width\":1024,\"file_name\":\"b.jpg\"}\n";
  CHECK(read_as("jsonl", rows) == two);
  CHECK(read_as("jsonl", "\n" + rows + "\n") == two);
  CHECK(read_as("jsonl",
                "{\"name\":\"a.jpg\",\"w\":\"1920\",\"h\":\"1080\"}\r\n{\"path\":\"b.jpg\",\"w\":1024.0,\"h\":768}") ==
        two);
  CHECK(read_as("jsonl",
                "{\"meta\":{\"width\":1,\"name\":\"no\"},\"tags\":[{\"h\":3}],\"name\":\"a.jpg\",\"width\":1920,"
                "\"height\":1080}\n"
                "{\"name\":\"b.jpg\",\"ImageWidth\":1024,\"ImageHeight\":768,\"caption\":\"w:5\"}\n") == two);
  CHECK(read_as("jsonl",
                "[\n{\"name\":\"a.jpg\",\n\"width\":1920,\"height\":1080},{\"name\":\"b.jpg\",\"width\":1024,"
                "\"height\":768}]") == two);
  CHECK(read_as("jsonl", "{\"name\":\"\\u732b \\\"x\\\"\\n.jpg\",\"width\":10,\"height\":20}\n") ==
        "\xE7\x8C\xAB \"x\"\n.jpg 20x10\n");
  CHECK(read_as("jsonl", "{\"name\":17,\"width\":10,\"height\":20}\n") == "17 20x10\n");
  CHECK(read_as("jsonl", "") == "");
  CHECK(read_as("jsonl", "[]") == "");
  // One line of several megabytes.
  std::string array = "[";
  for (int i = 0; i < 60000; ++i) {
    array += (i == 0 ? "" : ", ") + std::string("{\"name\": \"") + std::to_string(i) + "\", \"w\": 3, \"h\": 4}";
  }
  const Run long_line = run_tool("snap --from jsonl - --summary --format json", array + "]");
  CHECK(parse_json(long_line.out)["size_count"] == 60000);

  struct Bad {
    const char* line;
    const char* reason;
  };
  static constexpr Bad bad[] = {
      {"{\"name\":\"x.jpg\",\"width\":10}", "line 1, x.jpg: the height is missing"},
      {"{\"name\":\"x.jpg\",\"width\":null,\"height\":3}", "line 1, x.jpg: the width is missing"},
      {"{\"name\":\"x.jpg\",\"width\":\"wide\",\"height\":3}", "line 1, x.jpg: width 'wide': expected a whole number"},
      {"{\"name\":\"x.jpg\",\"width\":1.5,\"height\":3}", "width '1.5': expected a whole number"},
      {"{\"name\":\"x.jpg\",\"width\":-1,\"height\":3}", "width '-1': expected a whole number"},
      {"{\"name\":\"x.jpg\",\"width\":0,\"height\":3}", "width '0': expected a number of at least 1"},
      {"{\"name\":\"x.jpg\",\"width\":1e3,\"height\":3}", "width '1e3': expected a whole number"},
      {"{\"name\":\"x.jpg\",\"width\":99999999999,\"height\":3}", "at most 2147483647"},
      {"{\"name\":\"x.jpg\",\"width\":true,\"height\":3}", "width 'true': expected a whole number"},
      {"{\"name\":\"x.jpg\",\"width\":[1],\"height\":3}", "line 1, x.jpg: the width is missing"},
      {"{\"name\":\"x.jpg\",\"width\":1,\"w\":2,\"height\":3}", "the key 'w' says again"},
      {"{\"name\":\"x.jpg\",\"width\":1,\"width\":2,\"height\":3}", "the key 'width' says again"},
      {"{\"name\":\"x.jpg\",\"width\":1,\"height\":3", "line 1: expected a JSON object"},
      {"{name:1}", "line 1: expected a JSON object"},
      {"nonsense", "line 1: expected a JSON object"},
      {"17", "line 1: expected an object, but got a number"},
      {"\"text\"", "line 1: expected an object, but got a text"},
      {"{} {}", "line 1"},
      {"{\"name\":\"\xFF\",\"width\":1,\"height\":3}", "line 1: expected a JSON object"},
  };
  for (const Bad& it : bad) {
    const Run run = run_tool("snap --from jsonl - --quiet --format csv",
                             std::string(it.line) + "\n{\"name\":\"good.jpg\",\"w\":3,\"h\":4}\n");
    CHECK_MESSAGE(run.status == 1, it.line);
    CHECK_MESSAGE(contains(run.err, it.reason), run.err);
    CHECK_MESSAGE(contains(run.out, "\n2,good.jpg,4,3,"), run.out);
  }
  const std::string deep =
      "{\"name\":\"deep.jpg\",\"w\":3,\"h\":4,\"x\":" + std::string(110000, '[') + std::string(110000, ']') + "}\n";
  CHECK(read_as("jsonl", deep) == "deep.jpg 4x3\n");
  const Run cut = run_tool("snap --from jsonl - --quiet --format csv",
                           "[{\"name\":\"a\",\"w\":3,\"h\":4},\n{\"name\":\"b\",\"w\":x}]");
  CHECK(cut.status == 1);
  CHECK(contains(cut.out, "\n1,a,4,3,"));
  CHECK(contains(cut.err, "line 2: the JSON array ends here"));
}

TEST_CASE("what identify prints, width first") {
  CHECK(read_as("identify",
                "a.jpg JPEG 1920x1080 1920x1080+0+0 8-bit sRGB 1.2MB 0.000u 0:00.000\n"
                "b.jpg JPEG 1024x768 1024x768+0+0 8-bit sRGB 10KB 0.000u 0:00.000\n") == two);
  CHECK(read_as("identify",
                "my holiday photo.jpg JPEG 10x20 10x20+0+0 8-bit sRGB 1B 0.000u 0:00.000\n"
                "anim.gif[0] GIF 30x40 100x80+3+4 8-bit sRGB 16c 2.1KB 0.000u 0:00.000\n"
                "rose:=>ROSE PPM 70x46 70x46+0+0 8-bit sRGB 9673B 0.000u 0:00.000\n"
                "dir/PNG 5x6 5x6+0+0 x.png PNG 7x8 7x8+0+0 16-bit Gray 1B 0.000u 0:00.000\n"
                "big.jpg JPEG 4000x3000=>1000x750 1000x750+0+0 8-bit sRGB 1B 0.000u 0:00.000\n"
                "no page.webp WEBP 9x8 9x8+0+0\n"
                "\xE7\x8C\xAB.png PNG 3x5 3x5+0+0 8-bit sRGB 1B 0.000u 0:00.000\r\n") ==
        "my holiday photo.jpg 20x10\nanim.gif[0] 40x30\nrose:=>ROSE 46x70\ndir/PNG 5x6 5x6+0+0 x.png 8x7\n"
        "big.jpg 750x1000\nno page.webp 8x9\n\xE7\x8C\xAB.png 5x3\n");
  for (const char* bad : {"a.jpg 10x20", "a.jpg JPEG 10 20", "identify: no decode delegate",
                          "a.jpg JPEG 0x5 0x5+0+0 8-bit", "JPEG 10x20 10x20+0+0 8-bit", "a.jpg,10,20"}) {
    const Run run = run_tool("snap --from identify - --quiet", std::string(bad) + "\n");
    CHECK_MESSAGE(run.status == 1, bad);
    CHECK_MESSAGE(contains(run.err, "line 1"), run.err);
  }
}

TEST_CASE("the three forms of exiftool") {
  CHECK(read_as("exiftool", "SourceFile,ImageHeight,ImageWidth\na.jpg,1080,1920\nb.jpg,768,1024\n") == two);
  CHECK(read_as("exiftool", "SourceFile,ImageSize\na.jpg,1920x1080\nb.jpg,1024x768\n") == two);
  CHECK(read_as("exiftool", "SourceFile,ImageSize,ImageHeight,ImageWidth\na.jpg,-,1080,1920\nb.jpg,-,768,1024\n") ==
        two);
  CHECK(read_as("exiftool",
                "[{\n  \"SourceFile\": \"a.jpg\",\n  \"ImageWidth\": 1920,\n  \"ImageHeight\": 1080\n},\n"
                "{\n  \"SourceFile\": \"b.jpg\",\n  \"ImageWidth\": 1024,\n  \"ImageHeight\": 768\n}]\n") == two);
  CHECK(read_as("exiftool",
                "[{\"SourceFile\":\"a.jpg\",\"ImageSize\":\"1920x1080\"},{\"SourceFile\":\"b.jpg\",\"ImageSize\":"
                "\"1024 768\"}]") == two);
  CHECK(read_as("exiftool", "a.jpg\t1920\t1080\nb.jpg\t1024\t768\n", "--columns name=1,width=2,height=3") == two);
  CHECK(read_as("exiftool", "\"odd.jpg\t10\t20\n", "--columns name=1,width=2,height=3") == "\"odd.jpg 20x10\n");
  CHECK(read_as("exiftool", "a.jpg\t1920x1080\nb.jpg\t1024x768\n", "--columns name=1,size=2") == two);
  CHECK(read_as("exiftool", "a.jpg\t-\t-\nb.jpg\t1024\t768\n", "--columns name=1,width=2,height=3", 1) ==
        "b.jpg 768x1024\n");
  CHECK(read_as("exiftool", "{\"SourceFile\":\"a.jpg\",\"ImageWidth\":1920,\"ImageHeight\":1080}\n") ==
        "a.jpg 1080x1920\n");
  const Run none = run_tool("snap --from exiftool -", "a.jpg\t1920\t1080\n");
  CHECK(none.status == 1);
  CHECK(contains(none.err, "--columns"));
}

TEST_CASE("orientations turn the sides") {
  struct Word {
    const char* text;
    bool turns;
  };
  static constexpr Word words[] = {
      {"1", false},
      {"2", false},
      {"3", false},
      {"4", false},
      {"5", true},
      {"6", true},
      {"7", true},
      {"8", true},
      {"Horizontal (normal)", false},
      {"Mirror horizontal", false},
      {"Rotate 180", false},
      {"Mirror vertical", false},
      {"Mirror horizontal and rotate 270 CW", true},
      {"Rotate 90 CW", true},
      {"Mirror horizontal and rotate 90 CW", true},
      {"Rotate 270 CW", true},
      {"rotate 90 cw", true},
      {"TopLeft", false},
      {"TopRight", false},
      {"BottomRight", false},
      {"BottomLeft", false},
      {"LeftTop", true},
      {"RightTop", true},
      {"RightBottom", true},
      {"LeftBottom", true},
      {"", false},
      {"-", false},
      {"0", false},
      {"Undefined", false},
      {"Unknown (0)", false},
      {"6.0", true},
      {" 6 ", true},
  };
  for (const Word& word : words) {
    const std::string expected = word.turns ? "a 30x20\n" : "a 20x30\n";
    const std::string cell = word.text;
    CHECK_MESSAGE(read_as("csv", "name,width,height,Orientation\na,30,20," + cell + "\n") == expected, word.text);
    CHECK_MESSAGE(
        read_as("exiftool", "SourceFile,Orientation,ImageWidth,ImageHeight\na," + cell + ",30,20\n") == expected,
        word.text);
    CHECK_MESSAGE(
        read_as("jsonl", "{\"name\":\"a\",\"width\":30,\"height\":20,\"Orientation\":\"" + cell + "\"}\n") == expected,
        word.text);
    CHECK(read_as("csv", "name,width,height,Orientation\na,30,20," + cell + "\n", "--ignore-orientation") ==
          "a 20x30\n");
  }
  CHECK(read_as("jsonl", "{\"name\":\"a\",\"width\":30,\"height\":20,\"Orientation\":8}\n") == "a 30x20\n");
  CHECK(read_as("exiftool", "a\t30\t20\tRotate 90 CW\n", "--columns name=1,width=2,height=3,orientation=4") ==
        "a 30x20\n");
  for (const char* bad : {"9", "-1", "06", "0x6", "sideways", "6 CW", "Rotate 45 CW", "1,5"}) {
    const Run run =
        run_tool("snap --from csv - --quiet", "name,width,height,Orientation\na,30,20,\"" + std::string(bad) + "\"\n");
    CHECK_MESSAGE(run.status == 1, bad);
    CHECK_MESSAGE(contains(run.err, "line 2, a: orientation '" + std::string(bad) + "'"), run.err);
    CHECK(read_as("csv", "name,width,height,Orientation\na,30,20,\"" + std::string(bad) + "\"\n",
                  "--ignore-orientation") == "a 20x30\n");
  }
  const Run run = run_tool("snap --from csv - --format csv", "name,width,height,Orientation\na,30,20,6\nb,30,20,1\n");
  CHECK(contains(run.err, "Turned by their orientation: 1 image."));
  CHECK(contains(run.out, "\n2,a,30,20,6,"));
  CHECK(contains(run.out, "\n3,b,20,30,1,"));
}

TEST_CASE("lines that cannot be read are named and the rest goes on") {
  struct Bad {
    const char* line;
    const char* reason;
  };
  static constexpr Bad bad[] = {
      {"x.jpg,wide,3", "line 2, x.jpg: width 'wide': expected a whole number of pixels"},
      {"x.jpg,3,", "line 2, x.jpg: the height is missing"},
      {"x.jpg,-,3", "line 2, x.jpg: the width is missing"},
      {"x.jpg,3", "line 2, x.jpg: 2 columns, but the height is column 3"},
      {"x.jpg", "line 2, x.jpg: 1 column, but the width is column 2"},
      {"x.jpg,0,3", "line 2, x.jpg: width '0': expected a number of at least 1"},
      {"x.jpg,-4,3", "width '-4'"},
      {"x.jpg,0x10,3", "width '0x10'"},
      {"x.jpg,1e3,3", "width '1e3'"},
      {"x.jpg,4.5,3", "width '4.5'"},
      {"x.jpg,1 024,3", "width '1 024'"},
      {"x.jpg,99999999999,3", "at most 2147483647"},
      {"x.jpg,3,\"4", "line 2, "},
      {"\"x.jpg,3,4", "line 2, x.jpg: "},
      {"\"x.jpg\"y,3,4", "line 2, x.jpg: a quote inside a field must be doubled"},
      {"x.jpg,\"1,024\",3", "width '1,024'"},
  };
  for (const Bad& it : bad) {
    const Run run = run_tool("snap --from csv - --quiet --format csv",
                             "name,width,height\n" + std::string(it.line) + "\n\"good, too.jpg\",3,4\nlast.jpg,5,6\n");
    CHECK_MESSAGE(run.status == 1, it.line);
    CHECK_MESSAGE(contains(run.err, it.reason), run.err);
    CHECK_MESSAGE(contains(run.out, "\n3,\"good, too.jpg\",4,3,"), it.line);
    CHECK_MESSAGE(contains(run.out, "\n4,last.jpg,6,5,"), it.line);
  }
  // A quote that nobody closes takes no other line with it, however long the list.
  std::string text = "name,width,height\n\"open.jpg,1,2\n";
  for (int i = 0; i < 5000; ++i) text += "f" + std::to_string(i) + ".jpg,3,4\n";
  const Run open = run_tool("snap --from csv - --quiet --format csv", text);
  CHECK(open.status == 1);
  CHECK(contains(open.err, "line 2, open.jpg: the quote is not closed"));
  CHECK(lines_of(open.out).size() == 5001);
  CHECK(contains(open.out, "\n5002,f4999.jpg,4,3,"));

  const Run strict = run_tool("snap --from csv - --strict", "name,width,height\na,1,2\nb,x,2\nc,y,2\n");
  CHECK(strict.status == 1);
  CHECK(contains(strict.err, "line 3, b"));
  CHECK_FALSE(contains(strict.err, "line 4"));
}

TEST_CASE("names come back in every form of output") {
  const std::string text =
      "name,width,height\nplain.jpg,1920,1080\n\"a, b.jpg\",10,20\n\"say "
      "\"\"x\"\".jpg\",10,20\n\"line\nfeed.jpg\",10,20\n\xE7\x8C\xAB.jpg,10,20\n";
  const Run csv = run_tool("snap --from csv - --quiet --format csv", text);
  CHECK(contains(csv.out, "line,name,request_height,request_width,ratio_index,"));
  CHECK(contains(csv.out, "\n2,plain.jpg,1080,1920,36,720,1280,3600,130106,1024\n"));
  CHECK(contains(csv.out, "\n3,\"a, b.jpg\",20,10,"));
  CHECK(contains(csv.out, "\n4,\"say \"\"x\"\".jpg\",20,10,"));
  CHECK(contains(csv.out, "\n5,\"line\nfeed.jpg\",20,10,"));
  CHECK(contains(csv.out, "\n7,\xE7\x8C\xAB.jpg,20,10,"));
  const std::vector<std::string> objects = lines_of(run_tool("snap --from csv - --quiet --format json", text).out);
  REQUIRE(objects.size() == 5);
  const char* names[] = {"plain.jpg", "a, b.jpg", "say \"x\".jpg", "line\nfeed.jpg", "\xE7\x8C\xAB.jpg"};
  for (std::size_t i = 0; i < 5; ++i) CHECK(parse_json(objects[i])["name"] == names[i]);
  const Run people = run_tool("snap --from csv - --quiet", text);
  for (const char* name : {"plain.jpg", "a, b.jpg", "say \"x\".jpg", "line\\x0Afeed.jpg", "\xE7\x8C\xAB.jpg"}) {
    CHECK_MESSAGE(contains(people.out, name), name);
  }
  // What the tool writes, it reads.
  std::string back = csv.out;
  CHECK(read_as("csv", back, "--columns width=request_width,height=request_height") ==
        "plain.jpg 1080x1920\na, b.jpg 20x10\nsay \"x\".jpg 20x10\nline\nfeed.jpg 20x10\n\xE7\x8C\xAB.jpg 20x10\n");
  const Run bytes = run_tool("snap --from csv - --quiet --format json", "name,width,height\n\xFF.jpg,10,20\n");
  CHECK(parse_json(bytes.out)["name"] == "\xEF\xBF\xBD.jpg");
}
