// SPDX-License-Identifier: MIT
// The picture of the buckets: every row at its place in a plane of width and height, in the wedge of the sizes that
// snap to it.
#include <algorithm>
#include <cmath>

#include "buckets.hpp"
#include "svg.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr double canvas_width = 1200;
constexpr double canvas_height = 968;
constexpr double plot_left = 84;
constexpr double plot_top = 108;
constexpr double plot_side = 788;
constexpr double panel_left = 934;
constexpr double room_for_size = 75;  // from an extra row to an axis
constexpr double label_angle = -45;   // along it no two rows of an arm share a line

constexpr const char* generated_colour = "#1f4e79";
constexpr const char* extra_colour = "#d9480f";

class Picture : private Svg {
 public:
  explicit Picture(const Selection& selection) : selection_(selection), buckets_(buckets_of(selection)) {
    for (const Bucket& bucket : buckets_) {
      range_ = std::max({range_, 1.12 * bucket.preset.size.width, 1.12 * bucket.preset.size.height});
    }
  }

  std::string draw() {
    open();
    for (const Bucket& bucket : buckets_) wedge(bucket);
    axes();
    common_ratios();
    outlines();
    frontier();
    for (const Bucket& bucket : buckets_) arrow_to_extra(bucket);
    for (const Bucket& bucket : buckets_) bucket.is_extra ? mark_extra(bucket) : mark_generated(bucket);
    panel();
    add("</svg>");
    return str();
  }

 private:
  /// Pixels of an image to units of the picture; the origin is at the lower left.
  [[nodiscard]] Point place(double width, double height) const {
    return {plot_left + width / range_ * plot_side, plot_top + plot_side - height / range_ * plot_side};
  }
  [[nodiscard]] Point place(Resolution size) const { return place(size.width, size.height); }
  /// Where the ray of a ratio leaves the plot.
  [[nodiscard]] Point rim(double ratio) const {
    return ratio <= 1 ? place(range_, ratio * range_) : place(range_ / ratio, range_);
  }

  void open() {
    const std::string title = "Resolution buckets: " + selection_.title();
    add("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + fixed(canvas_width, 0) + " " +
        fixed(canvas_height, 0) + "\"" + quoted("width", fixed(canvas_width, 0)) +
        quoted("height", fixed(canvas_height, 0)) +
        " font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\" font-size=\"12\" fill=\"#222\">\n<title>" + title +
        "</title>\n" + "<style>.name{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}</style>\n" +
        "<defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"9\" markerHeight=\"9\" "
        "markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0L10 5L0 10z\" fill=\"" +
        extra_colour + "\"/></marker></defs>\n" + "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
    text({plot_left, 36}, title, " font-size=\"21\" font-weight=\"bold\"");
    text({plot_left, 60},
         std::to_string(buckets_.size()) +
             " buckets, drawn to scale. A request goes to the bucket of the wedge that its height / width falls in, "
             "whatever its area. Labels: bucket number, " +
             size_heading(selection_.order) + ".",
         " font-size=\"13\" fill=\"#444\"");
  }

  void wedge(const Bucket& bucket) {
    if (!bucket.is_reachable) return;
    const double low = bucket.snaps_above.ratio();
    const double high = bucket.snaps_up_to.is_positive() ? bucket.snaps_up_to.ratio() : 1e12;
    std::string points;
    const auto add_point = [&](Point p) { points += number(p.x) + "," + number(p.y) + " "; };
    add_point(place(0, 0));
    add_point(rim(low));
    if (low < 1 && high > 1) add_point(place(range_, range_));
    add_point(rim(high));
    points.pop_back();
    const char* fill = bucket.is_extra ? "#fde2c6" : bucket.preset.ratio_index % 2 == 0 ? "#eaf0f7" : "#f6f9fc";
    add("<polygon" + quoted("points", points) + quoted("fill", fill) + " stroke=\"#c9d3de\" stroke-width=\"0.6\"/>");
  }

  void axes() {
    double step = 1;
    while (range_ / step > 10) step *= 2;
    for (int i = 0; i * step <= range_; ++i) {
      const double value = i * step;
      const Point x = place(value, 0);
      const Point y = place(0, value);
      line(x, {x.x, x.y + 5}, " stroke=\"#555\"");
      line(y, {y.x - 5, y.y}, " stroke=\"#555\"");
      text({x.x, x.y + 19}, fixed(value, 0), " text-anchor=\"middle\" fill=\"#444\"");
      text({y.x - 9, y.y + 4}, fixed(value, 0), " text-anchor=\"end\" fill=\"#444\"");
    }
    const Point corner = place(0, range_);
    add("<rect" + at(corner) + quoted("width", number(plot_side)) + quoted("height", number(plot_side)) +
        " fill=\"none\" stroke=\"#555\"/>");
    text({plot_left + plot_side / 2, plot_top + plot_side + 42}, "width (pixels)",
         " text-anchor=\"middle\" font-size=\"14\"");
    const Point middle{plot_left - 60, plot_top + plot_side / 2};
    text(middle, "height (pixels)",
         " text-anchor=\"middle\" font-size=\"14\" transform=\"rotate(-90 " + number(middle.x) + " " +
             number(middle.y) + ")\"");
  }

  /// Names along the rim: where 16:9 and the others leave the picture.
  void common_ratios() {
    constexpr int names[][2] = {{1, 1}, {5, 4}, {4, 3}, {3, 2}, {16, 10}, {16, 9}, {2, 1}, {21, 9}, {3, 1}, {4, 1}};
    for (const auto& name : names) {
      const double ratio = static_cast<double>(name[1]) / name[0];
      const std::string wide = std::to_string(name[0]) + ":" + std::to_string(name[1]);
      const std::string tall = std::to_string(name[1]) + ":" + std::to_string(name[0]);
      const Point right = rim(ratio);
      line(right, {right.x + 4, right.y}, " stroke=\"#555\"");
      text({right.x + 7, right.y + 4}, wide, " font-size=\"11\"");
      if (name[0] == name[1]) continue;
      const Point top = rim(1 / ratio);
      line(top, {top.x, top.y - 4}, " stroke=\"#555\"");
      text({top.x, top.y - 8}, tall, " font-size=\"11\" text-anchor=\"middle\"");
    }
    text({plot_left, plot_top - 26}, "common ratios, width:height", " font-size=\"11\" fill=\"#666\"");
  }

  /// The square row and the extra rows as the rectangles they are; the axes are their other two sides.
  void outlines() {
    for (const Bucket& bucket : buckets_) {
      const Resolution size = bucket.preset.size;
      if (!bucket.is_extra && size.height != size.width) continue;
      const Point corner = place(size);
      add("<path d=\"M" + number(plot_left) + " " + number(corner.y) + "H" + number(corner.x) + "V" +
          number(plot_top + plot_side) + "\" fill=\"none\" stroke-width=\"0.9\"" +
          quoted("stroke", bucket.is_extra ? extra_colour : generated_colour) +
          (bucket.is_extra ? " stroke-dasharray=\"2 3\"" : " stroke-dasharray=\"5 4\"") + " opacity=\"0.7\"/>");
    }
  }

  void frontier() {
    std::string points;
    for (std::size_t i = 0; i < selection_.generated_rows; ++i) {
      const Point p = place(selection_.group()[i]);
      points += (i == 0 ? "" : " ") + number(p.x) + "," + number(p.y);
    }
    add("<polyline" + quoted("points", points) + quoted("stroke", generated_colour) +
        " fill=\"none\" stroke-width=\"1.4\"/>");
  }

  /// Millions of pixels of the generated rows next to an extra one.
  struct Around {
    Neighbours rows;
    double low = 0, high = 0;
  };
  [[nodiscard]] Around around(const Bucket& bucket) const {
    Around result{generated_neighbours(selection_, bucket.preset.ratio_index)};
    const auto megapixels = [](Resolution size) { return static_cast<double>(size.pixel_count()) / 1e6; };
    result.low = std::min(megapixels(result.rows.lower), megapixels(result.rows.upper));
    result.high = std::max(megapixels(result.rows.lower), megapixels(result.rows.upper));
    return result;
  }
  [[nodiscard]] bool is_out_of_scale(const Bucket& bucket) const {
    const Around neighbours = around(bucket);
    const double own = bucket.preset.megapixels();
    return bucket.is_extra && (own < 0.7 * neighbours.low || own > 1.4 * neighbours.high);
  }

  /// Where the ray of an extra row meets the line of the generated rows.
  [[nodiscard]] Point place_among_generated(const Bucket& bucket) const {
    const Resolution size = bucket.preset.size;
    const Neighbours rows = around(bucket).rows;
    const double dx = rows.upper.width - rows.lower.width;
    const double dy = rows.upper.height - rows.lower.height;
    const double determinant = size.width * dy - size.height * dx;
    const double scale = determinant != 0 ? (rows.lower.width * dy - rows.lower.height * dx) / determinant
                                          : static_cast<double>(rows.lower.width) / size.width;
    return place(size.width * scale, size.height * scale);
  }

  /// From the line of the generated rows to an extra row whose size is far from its neighbours'.
  void arrow_to_extra(const Bucket& bucket) {
    if (!is_out_of_scale(bucket)) return;
    const Point from = place_among_generated(bucket);
    const Point to = place(bucket.preset.size);
    const double length = std::hypot(to.x - from.x, to.y - from.y);
    const double shortened = std::max(0.0, length - (pins_fit() ? 11 : 5)) / std::max(length, 1.0);
    line(from, {from.x + (to.x - from.x) * shortened, from.y + (to.y - from.y) * shortened},
         quoted("stroke", extra_colour) + " stroke-width=\"2\" marker-end=\"url(#head)\"");
  }

  /// Whether the extra rows lie far enough apart for numbered marks.
  [[nodiscard]] bool pins_fit() const {
    double least = 1e9;
    for (std::size_t i = selection_.generated_rows; i < buckets_.size(); ++i) {
      for (std::size_t k = selection_.generated_rows; k < i; ++k) {
        const Point a = place(buckets_[i].preset.size);
        const Point b = place(buckets_[k].preset.size);
        least = std::min(least, std::hypot(a.x - b.x, a.y - b.y));
      }
    }
    return least > 20;
  }

  /// Space between the lines that two neighbouring labels are written on.
  [[nodiscard]] double label_distance() const {
    double least = 16;
    for (std::size_t i = 1; i < selection_.generated_rows; ++i) {
      const Point a = place(selection_.group()[i - 1]);
      const Point b = place(selection_.group()[i]);
      const double distance = std::abs((b.x - a.x) + (b.y - a.y)) / std::sqrt(2.0);
      if (distance > 0) least = std::min(least, distance);
    }
    return least;
  }

  [[nodiscard]] static std::string paint(const Bucket& bucket) {
    const char* colour = bucket.is_extra ? extra_colour : generated_colour;
    return quoted("fill", bucket.is_published ? colour : "#fff") + quoted("stroke", colour) + " stroke-width=\"1.5\"";
  }

  void mark_generated(const Bucket& bucket) {
    const Point p = place(bucket.preset.size);
    circle(p, 3.4, paint(bucket));
    const double size = std::min(11.5, 0.85 * label_distance());
    const Point start{p.x + 6 + size * 0.25, p.y - 6 + size * 0.25};
    text(start,
         "<tspan font-weight=\"bold\">" + std::to_string(bucket.preset.ratio_index) + "</tspan> " +
             selection_.size(bucket.preset.size),
         " class=\"name\"" + quoted("font-size", number(size)) + " transform=\"rotate(" + number(label_angle) + " " +
             number(start.x) + " " + number(start.y) + ")\"");
  }

  /// A numbered mark at the row's place; where the marks would hide one another, on its arrow instead.
  void mark_extra(const Bucket& bucket) {
    const Resolution size = bucket.preset.size;
    const Point place_of_row = place(size);
    Point pin = place_of_row;
    if (!pins_fit()) {
      const Point from = place_among_generated(bucket);
      pin = {from.x + (pin.x - from.x) * 0.4, from.y + (pin.y - from.y) * 0.4};
      circle(place_of_row, 3.4, paint(bucket));
    } else if (size.height > size.width && pin.x - plot_left > room_for_size) {
      text({pin.x - 13, pin.y + 4}, selection_.size(size),
           " class=\"name\" font-size=\"11.5\" text-anchor=\"end\"" + extra_fill());
    } else if (size.height <= size.width && plot_top + plot_side - pin.y > room_for_size) {
      const Point start{pin.x + 4, pin.y + 13};
      text(start, selection_.size(size),
           " class=\"name\" font-size=\"11.5\" text-anchor=\"end\"" + extra_fill() + " transform=\"rotate(-90 " +
               number(start.x) + " " + number(start.y) + ")\"");
    }
    circle(pin, 9, paint(bucket));
    text({pin.x, pin.y + 3.8}, std::to_string(bucket.preset.ratio_index),
         " font-size=\"10.5\" font-weight=\"bold\" text-anchor=\"middle\"" +
             quoted("fill", bucket.is_published ? "#fff" : extra_colour));
  }
  [[nodiscard]] static std::string extra_fill() { return quoted("fill", extra_colour); }

  // The panel on the right.

  void panel_text(const std::string& content, double indent = 0, const std::string& attributes = "") {
    text({panel_left + indent, panel_y_}, content, attributes);
    panel_y_ += 19;
  }
  void panel_words(const std::string& words, std::size_t longest) {
    for (std::size_t start = 0; start < words.size();) {
      std::size_t end = words.size() - start <= longest ? words.size() : words.rfind(' ', start + longest);
      panel_text(words.substr(start, end - start));
      start = end + 1;
    }
  }
  void legend_mark(const char* colour, bool filled, double radius, const std::string& inside, const char* meaning) {
    const Point p{panel_left + 9, panel_y_ - 4};
    circle(p, radius, quoted("fill", filled ? colour : "#fff") + quoted("stroke", colour) + " stroke-width=\"1.5\"");
    if (!inside.empty()) {
      text({p.x, p.y + 3.8}, inside, " font-size=\"10.5\" font-weight=\"bold\" text-anchor=\"middle\" fill=\"#fff\"");
    }
    panel_text(meaning, 26);
  }
  void legend_patch(const char* fill, const char* meaning) {
    add("<rect" + at({panel_left, panel_y_ - 11}) + " width=\"18\" height=\"13\" stroke=\"#c9d3de\"" +
        quoted("fill", fill) + "/>");
    panel_text(meaning, 26);
  }

  void panel() {
    const bool has_extras = buckets_.size() > selection_.generated_rows;
    bool has_untrained = false;
    for (const Bucket& bucket : buckets_) has_untrained = has_untrained || !bucket.is_published;
    legend_mark(generated_colour, true, 3.4, "", "bucket that was trained");
    if (has_untrained) legend_mark(generated_colour, false, 3.4, "", "bucket that was not trained");
    if (has_extras) {
      legend_mark(extra_colour, true, 9, std::to_string(selection_.generated_rows), "extra bucket");
      legend_patch("#fde2c6", "sizes that go to an extra bucket");
    }
    legend_patch("#eaf0f7", has_extras ? "sizes that go to another bucket" : "sizes that go to one bucket");
    if (!has_extras) return;
    panel_y_ += 16;
    panel_text(std::string("Extra buckets, ") + size_heading(selection_.order), 0,
               " font-weight=\"bold\" font-size=\"13\"");
    bool out_of_scale = false;
    for (const Bucket& bucket : buckets_) {
      if (bucket.is_extra) out_of_scale = panel_row(bucket) || out_of_scale;
    }
    if (!out_of_scale) return;
    line({panel_left, panel_y_ + 2}, {panel_left + 20, panel_y_ + 2},
         quoted("stroke", extra_colour) + " stroke-width=\"2\" marker-end=\"url(#head)\"");
    panel_y_ += 6;
    panel_text("where such a request lands", 28);
    panel_y_ += 8;
    if (has_extras_out_of_scale(selection_)) {
      panel_words("Extra buckets are absolute: at base size " + std::to_string(selection_.group().base_size()) +
                      " they keep their size, so a request of such a ratio gets that many pixels and not its "
                      "neighbours'.",
                  36);
    }
  }
  /// Returns whether the row is out of scale.
  bool panel_row(const Bucket& bucket) {
    const Preset& row = bucket.preset;
    panel_text("<tspan font-weight=\"bold\"" + quoted("fill", extra_colour) + ">" + std::to_string(row.ratio_index) +
               "</tspan>  " + selection_.size(row.size) + "  (" + name_of(row.common_ratio) + ")  " +
               megapixels_text(row.pixel_count));
    const bool out_of_scale = is_out_of_scale(bucket);
    const Around neighbours = around(bucket);
    panel_text(
        "neighbours " + fixed(neighbours.low, 2) + " and " + megapixels_text(std::llround(neighbours.high * 1e6)), 22,
        std::string(" font-size=\"11\"") + quoted("fill", out_of_scale ? extra_colour : "#666"));
    panel_y_ += 3;
    return out_of_scale;
  }

  const Selection& selection_;
  std::vector<Bucket> buckets_;
  double range_ = 0;
  double panel_y_ = plot_top + 12;
};

}  // namespace

std::string buckets_svg(const Selection& selection) { return Picture(selection).draw(); }

}  // namespace hunyuan_reso::cli
