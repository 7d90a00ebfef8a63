// SPDX-License-Identifier: MIT
// The picture of a layout: every tile at its place on the canvas, overlaps darker, and beside it what share of a row or
// column of cells each row or column of tiles has.
#include <algorithm>
#include <vector>

#include "enlargement.hpp"
#include "svg.hpp"
#include "tiles_report.hpp"

namespace hunyuan_reso::cli {
namespace {

class LayoutPicture : private Svg {
 public:
  LayoutPicture(const Selection& selection, const TiledCanvas& canvas)
      : selection_(selection), canvas_(canvas), layout_(canvas.layout) {
    const Resolution size = layout_.canvas();
    scale_ = std::min(longest_width / size.width, longest_height / size.height);
    width_ = size.width * scale_;
    height_ = size.height * scale_;
  }

  std::string draw() {
    open();
    for (std::int32_t i = 0; i < layout_.size(); ++i) fill(i);
    frame();
    for (std::int32_t i = 0; i < layout_.size() && has_labels(); ++i) label(i);
    starts();
    column_shares();
    row_shares();
    add("</svg>");
    return str();
  }

 private:
  static constexpr double plot_left = 84;
  static constexpr double plot_top = 112;
  static constexpr double longest_width = 900;
  static constexpr double longest_height = 680;
  static constexpr double strip_gap = 14;
  static constexpr double strip_depth = 64;
  static constexpr double margin = 24;
  static constexpr double least_labelled = 20;  // drawn side of a tile; below, numbers would hide one another

  static constexpr const char* colours[] = {"#1f4e79", "#d9480f"};

  [[nodiscard]] Point place(double top, double left) const {
    return {plot_left + left * scale_, plot_top + top * scale_};
  }
  [[nodiscard]] static const char* colour(std::int32_t row, std::int32_t column) { return colours[(row + column) % 2]; }
  [[nodiscard]] static std::string extent(double width, double height) {
    return quoted("width", number(width)) + quoted("height", number(height));
  }

  void open() {
    const Resolution reached = layout_.overlap_reached();
    const std::string title =
        "Tiles of " + selection_.size(layout_.canvas()) + " (" + size_heading(selection_.order) + ")";
    const double width = std::max(plot_left + width_ + strip_gap + strip_depth, 880.0) + margin;
    const double height = plot_top + height_ + strip_gap + strip_depth + margin + 20;
    add("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + fixed(width, 0) + " " + fixed(height, 0) + "\"" +
        quoted("width", fixed(width, 0)) + quoted("height", fixed(height, 0)) +
        " font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\" font-size=\"11\" fill=\"#222\">\n<title>" + title +
        "</title>\n<style>.name{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}</style>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
    text({plot_left, 32}, title, " font-size=\"20\" font-weight=\"bold\"");
    const std::string tiles = std::to_string(layout_.size()) + (layout_.size() == 1 ? " tile of " : " tiles of ") +
                              selection_.size(layout_.tile_size()) + ", drawn to scale; ";
    text({plot_left, 54},
         tiles + "overlap asked for " + std::to_string(canvas_.overlap) + ", reached " +
             std::to_string(reached.height) + " between rows, " + std::to_string(reached.width) +
             " between columns (pixels).",
         " font-size=\"12.5\" fill=\"#444\"");
    text({plot_left, 72},
         std::string("Below and at the right: the share of each column and row of tiles (") +
             name_of(layout_.profile()) + " weights). The shares add up to one everywhere.",
         " font-size=\"12.5\" fill=\"#444\"");
  }

  void fill(std::int32_t i) {
    const Tile tile = layout_[i];
    add("<rect" + at(place(tile.top, tile.left)) + extent(tile.width * scale_, tile.height * scale_) +
        quoted("fill", colour(i / layout_.columns(), i % layout_.columns())) + " fill-opacity=\"0.17\"" +
        quoted("stroke", colour(i / layout_.columns(), i % layout_.columns())) + " stroke-opacity=\"0.8\"/>");
  }

  /// The canvas and, where it is smaller, the picture in it.
  void frame() {
    add("<rect" + at(place(0, 0)) + extent(width_, height_) + " fill=\"none\" stroke=\"#222\" stroke-width=\"1.4\"/>");
    const Resolution wished = canvas_.target.size;
    if (wished == layout_.canvas()) return;
    add("<rect" + at(place(canvas_.crop_top, canvas_.crop_left)) +
        extent(wished.width * scale_, wished.height * scale_) +
        " fill=\"none\" stroke=\"#222\" stroke-dasharray=\"5 3\"/>");
  }

  [[nodiscard]] bool has_labels() const {
    const Resolution tile = layout_.tile_size();
    const Resolution reached = layout_.overlap_reached();  // middles of neighbours lie so much closer
    return std::min(tile.height - reached.height, tile.width - reached.width) * scale_ >= least_labelled;
  }
  void label(std::int32_t i) {
    const Tile tile = layout_[i];
    const Point middle = place(tile.top + tile.height / 2.0, tile.left + tile.width / 2.0);
    const double room = std::min(tile.width * scale_ / 3, tile.height * scale_ / 3);
    const double size = std::clamp(room, 4.0, 15.0);
    text({middle.x, middle.y + size / 3}, std::to_string(i),
         " class=\"name\" text-anchor=\"middle\" font-weight=\"bold\"" + quoted("font-size", number(size)) +
             quoted("fill", colour(i / layout_.columns(), i % layout_.columns())));
  }

  /// Numbers along an edge, those left out that would touch the one before.
  void starts() {
    double free = 0;
    for (std::int32_t column = 0; column < layout_.columns(); ++column) {
      const std::int32_t left = layout_[column].left;
      const Point p = place(0, left);
      line(p, {p.x, p.y - 6}, " stroke=\"#555\"");
      if (p.x < free) continue;
      text({p.x, p.y - 9}, std::to_string(left), " text-anchor=\"middle\" fill=\"#444\"");
      free = p.x + 46;
    }
    free = 0;
    for (std::int32_t row = 0; row < layout_.rows(); ++row) {
      const std::int32_t top = layout_[row * layout_.columns()].top;
      const Point p = place(top, 0);
      line(p, {p.x - 6, p.y}, " stroke=\"#555\"");
      if (p.y < free) continue;
      text({p.x - 9, p.y + 4}, std::to_string(top), " text-anchor=\"end\" fill=\"#444\"");
      free = p.y + 14;
    }
  }

  /// How many cells one point of a share's line stands for.
  [[nodiscard]] static std::int32_t stride(std::int32_t cells) { return std::max(1, cells / 512); }
  static constexpr double one = 4096;

  void column_shares() {
    const double base = plot_top + height_ + strip_gap + strip_depth;
    line({plot_left, base}, {plot_left + width_, base}, " stroke=\"#999\"");
    const std::int32_t cell = layout_.align();
    for (std::int32_t column = 0; column < layout_.columns(); ++column) {
      const Tile tile = layout_.tile_cells(column);
      std::vector<Point> points;
      for (std::int32_t j = 0; j < tile.width; j += stride(layout_.canvas_cells().width)) {
        const double share = layout_.column_share(column, tile.left + j) / one;
        points.push_back({place(0, (tile.left + j + 0.5) * cell).x, base - share * strip_depth});
      }
      share_line(points, colour(0, column));
    }
  }

  void row_shares() {
    const double base = plot_left + width_ + strip_gap;
    line({base, plot_top}, {base, plot_top + height_}, " stroke=\"#999\"");
    const std::int32_t cell = layout_.align();
    for (std::int32_t row = 0; row < layout_.rows(); ++row) {
      const Tile tile = layout_.tile_cells(row * layout_.columns());
      std::vector<Point> points;
      for (std::int32_t j = 0; j < tile.height; j += stride(layout_.canvas_cells().height)) {
        const double share = layout_.row_share(row, tile.top + j) / one;
        points.push_back({base + share * strip_depth, place((tile.top + j + 0.5) * cell, 0).y});
      }
      share_line(points, colour(row, 0));
    }
  }

  void share_line(const std::vector<Point>& points, const char* stroke) {
    std::string text;
    for (std::size_t i = 0; i < points.size(); ++i) {
      // Of a straight piece along an axis only the ends are written.
      const bool is_inside = i > 0 && i + 1 < points.size();
      const auto straight = [&](double Point::*side) {
        return points[i - 1].*side == points[i].*side && points[i].*side == points[i + 1].*side;
      };
      if (is_inside && (straight(&Point::x) || straight(&Point::y))) continue;
      text += (text.empty() ? "" : " ") + number(points[i].x) + "," + number(points[i].y);
    }
    add("<polyline" + quoted("points", text) + " fill=\"none\" stroke-width=\"1.5\"" + quoted("stroke", stroke) + "/>");
  }

  const Selection& selection_;
  const TiledCanvas& canvas_;
  const TileLayout& layout_;
  double scale_ = 1;
  double width_ = 0;
  double height_ = 0;
};

}  // namespace

std::string tiles_svg(const Selection& selection, const TiledCanvas& canvas) {
  return LayoutPicture(selection, canvas).draw();
}

}  // namespace hunyuan_reso::cli
