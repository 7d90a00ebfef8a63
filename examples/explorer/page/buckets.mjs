// SPDX-License-Identifier: MIT
// The picture of all buckets: wedges of ratios, a dot a bucket, the size asked for and the one that comes out.
import { byId, svg } from './ui.mjs';
import { state, shown } from './state.mjs';

const left = 56;
/** Room for half a number. */
const right = 22;
const bottom = 34;
const side = 460;

/** Pixels that the picture reaches to. */
let range = 2048;
export const pictureRange = () => range;

const x = (width) => left + (width / range) * side;
const y = (height) => 6 + side - (height / range) * side;

/** Where the ray of height / width leaves the picture. */
const rim = (ratio) => (ratio <= 1 ? [range, ratio * range] : [range / ratio, range]);

function wedgePoints(low, high) {
  const corners = [[0, 0], rim(low)];
  if (low < 1 && high > 1) corners.push([range, range]);
  corners.push(rim(high));
  return corners.map(([width, height]) => `${x(width).toFixed(1)},${y(height).toFixed(1)}`).join(' ');
}

function axes() {
  const marks = [];
  const step = range / 4;
  for (let value = step; value <= range; value += step) {
    const text = String(Math.round(value));
    marks.push(svg('path', { class: 'axis', d: `M${x(value)} ${y(0)}v5M${x(0)} ${y(value)}h-5` }),
      svg('text', { x: x(value), y: y(0) + 17, 'text-anchor': 'middle' }, text),
      svg('text', { x: x(0) - 8, y: y(value) + 4, 'text-anchor': 'end' }, text));
  }
  return [...marks, svg('rect', { class: 'axis', x: left, y: 6, width: side, height: side }),
    svg('text', { x: left + side / 2, y: 6 + side + bottom, 'text-anchor': 'middle' }, 'width (pixels)'),
    svg('text', { transform: `translate(12 ${6 + side / 2}) rotate(-90)`, 'text-anchor': 'middle' }, 'height (pixels)')];
}

const rectangle = (name, { height, width }) => svg('rect', {
  class: name, x: x(0), y: y(Math.min(height, range)),
  width: (Math.min(width, range) / range) * side, height: (Math.min(height, range) / range) * side,
});

function dot(row) {
  const name = `dot${row.kind === 'extra' ? ' is-extra' : ''}${row.is_published ? '' : ' untrained'}`;
  const title = `${row.ratio_index}: ${shown(row.height, row.width)}, ${row.image_token_length} tokens`;
  return svg('circle', { class: name, cx: x(row.width), cy: y(row.height), r: 3.2 }, svg('title', {}, title));
}

/** `asked`: the request in pixels, or undefined; `got`: the size that comes out, with its ratio_index. */
export function drawBuckets(table, asked, got) {
  range = Math.max(...table.rows.map((row) => Math.max(row.height, row.width)), 256);
  const wedges = table.rows.filter((row) => row.snaps_above_ratio !== null || row.snaps_up_to_ratio !== null);
  const parts = wedges.map((row, i) => svg('polygon', {
    class: `wedge wedge${row.kind === 'extra' ? 2 : i % 2}${row.ratio_index === got?.ratio_index ? ' chosen' : ''}`,
    points: wedgePoints(row.snaps_above_ratio ?? 0, row.snaps_up_to_ratio ?? 1e9),
  }));
  parts.push(...axes());
  if (got !== undefined) parts.push(rectangle('got', got));
  if (asked !== undefined) parts.push(rectangle('asked', asked));
  parts.push(...table.rows.map(dot));
  if (got !== undefined) {
    const atRight = x(got.width) > left + side * 0.7;
    parts.push(svg('circle', { class: 'dot', cx: x(got.width), cy: y(got.height), r: 6 }),
      svg('text', {
        x: x(got.width) + (atRight ? -10 : 10), y: Math.max(18, y(got.height) - 8), 'font-weight': 'bold',
        'text-anchor': atRight ? 'end' : 'start',
      }, `${got.ratio_index}: ${shown(got.height, got.width)}`));
  }
  const picture = byId('picture');
  picture.setAttribute('viewBox', `0 0 ${left + side + right} ${side + bottom + 12}`);
  picture.replaceChildren(...parts);
  byId('picture-text').textContent = `Drag in the picture, or use the two sliders. A request goes to the bucket of its ` +
    `wedge, whatever its area. Filled dots were trained, orange ones are extra buckets.` +
    (got === undefined ? '' : ` Now: bucket ${got.ratio_index} of ${table.rows.length}, ${shown(got.height, got.width)}` +
    ` (${state.order === 'wh' ? 'width x height' : 'height x width'}), filled` + (asked === undefined ? '.' : '; the request is dashed.'));
}

/** Calls `use` with the size under the pointer, in whole 16ths of pixels. */
export function onDrag(use) {
  const picture = byId('picture');
  const point = (event) => {
    const box = picture.getBoundingClientRect();
    const scale = (left + side + right) / box.width;
    const pixels = (value) => Math.max(16, Math.round(((value / side) * range) / 16) * 16);
    use({
      height: Math.min(range, pixels(6 + side - (event.clientY - box.top) * scale)),
      width: Math.min(range, pixels((event.clientX - box.left) * scale - left)),
    });
  };
  picture.addEventListener('pointerdown', (event) => {
    picture.setPointerCapture(event.pointerId);
    point(event);
  });
  picture.addEventListener('pointermove', (event) => {
    if (event.buttons & 1) point(event);
  });
}
