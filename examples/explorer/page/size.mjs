// SPDX-License-Identifier: MIT
// The panel Size: the answer and why, other ways, checkpoints side by side, the crop of a picture, a final size.
import { drawBuckets, onDrag, pictureRange } from './buckets.mjs';
import { attempt, byId, el, factsOf, gigabytes, grouped, onceAFrame, onFile, percent, showError, svg, tableOf } from './ui.mjs';
import { modelOptions, pair, reso, setState, shown, state } from './state.mjs';
import { Refusal } from '../module/load.mjs';

/** A picture of the user's, decoded; its sides as it is seen. */
let picture;

const id = (family, number, value) => `<img_${family}_${number}> ${value === null ? 'without an id' : `= ${value}`}`;
const mark = (good, text) => el('span', { class: good ? 'good' : 'bad' }, text);

function trainedText(result) {
  if (result.trained) return mark(true, 'yes');
  const parts = [['base size', result.trained_base_size], ['size', result.trained_grid],
    ['ratio token', result.trained_ratio_token]].filter(([, trained]) => !trained).map(([name]) => name);
  return mark(false, `no: ${parts.join(', ')}`);
}

function showAnswer(answer) {
  const { result, crop, request } = answer;
  const facts = [
    ['Bucket', `${result.ratio_index}, ${result.kind === 'extra' ? 'an extra bucket' : 'a generated bucket'}`],
    ['Pixels', `${((result.height * result.width) / 1e6).toFixed(2)} MP`],
    ['Tokens', `${shown(result.token_height, result.token_width)} = ${grouped(result.image_token_length)}`],
    ['Size token', id('size', result.base_size, result.size_token_id)],
    ['Ratio token', id('ratio', result.ratio_index, result.ratio_token_id)],
    ['Trained', trainedText(result)],
  ];
  if (request.ratio !== null) facts.unshift(['Request', `${request.text}, height / width ${request.ratio.toFixed(5)}`]);
  if (crop !== null) {
    facts.push(['As a picture', `resized to ${shown(crop.resized_height, crop.resized_width)}, cut from top ` +
      `${crop.crop_top}, left ${crop.crop_left}`]);
  }
  byId('answer').replaceChildren(el('p', { class: 'result' }, shown(result.height, result.width)),
    el('p', { class: 'help' }, state.order === 'wh' ? 'width x height, in pixels' : 'height x width, in pixels'),
    factsOf(facts));
  byId('notes').replaceChildren(...answer.notes.map((note) => el('li', {}, note)));
  const size = (row) => (row.height === null ? '' : shown(row.height, row.width));
  byId('candidates').replaceChildren(answer.candidates.length === 0
    ? el('p', { class: 'help' }, 'The request names its bucket.')
    : tableOf([
      { head: 'Bucket', number: true, of: (row) => String(row.ratio_index) },
      { head: 'Size', of: size },
      { head: 'Height / width', number: true, of: (row) => row.ratio.toFixed(5) },
      { head: 'Distance', number: true, of: (row) => row.distance.toFixed(5) },
      { head: 'Kind', of: (row) => row.kind },
    ], answer.candidates, (row) => (row.chosen ? 'hit' : undefined)));
  byId('ways').replaceChildren(tableOf([
    { head: 'Way', of: (row) => row.way },
    { head: 'Size', of: (row) => (row.refused === null ? size(row) : row.refused) },
    { head: 'MP', number: true, of: (row) => row.megapixels?.toFixed(2) ?? '' },
    { head: 'Tokens', number: true, of: (row) => (row.image_token_length === null ? '' : grouped(row.image_token_length)) },
    { head: 'Bucket', number: true, of: (row) => String(row.ratio_index ?? '') },
    { head: 'Trained', of: (row) => (row.trained === null ? '' : mark(row.trained, row.trained ? 'yes' : 'no')) },
  ], answer.ways, (row) => (row.in_force ? 'hit' : undefined)));
}

/** The same request with every checkpoint and every base size. */
function showSideBySide() {
  const sizes = [...new Set(reso.profiles.flatMap((profile) => profile.baseSizes))];
  const cell = (profile, baseSize) => {
    try {
      const row = reso.snap(state.size, { ...modelOptions(), profile: profile.name, baseSize });
      return [shown(row.height, row.width), row.trained ? '' : mark(false, ' untrained')];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return '-';
    }
  };
  byId('side').replaceChildren(tableOf([
    { head: 'Base size', of: (size) => String(size) },
    ...reso.profiles.map((profile) => ({ head: profile.name, of: (size) => cell(profile, size) })),
  ], sizes, (size) => (String(size) === state.base ? 'hit' : undefined)));
}

function showCrop(answer) {
  byId('crop').hidden = picture === undefined;
  if (picture === undefined) return;
  const { result } = answer;
  const own = attempt('image-error', () => reso.snap({ height: picture.height, width: picture.width },
    { ...modelOptions(), gridMode: 'snap', warn: undefined }));
  if (own === undefined) return;
  const scale = Math.min(1, 640 / picture.width, 480 / picture.height);
  const canvas = byId('crop-canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const brush = canvas.getContext('2d');
  brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const across = canvas.width / own.resized_width;
  const down = canvas.height / own.resized_height;
  const [left, top] = [own.crop_left * across, own.crop_top * down];
  const [width, height] = [own.width * across, own.height * down];
  brush.fillStyle = 'rgba(0, 0, 0, .6)';
  brush.beginPath();
  brush.rect(0, 0, canvas.width, canvas.height);
  brush.rect(left, top, width, height);
  brush.fill('evenodd');
  brush.strokeStyle = '#fff';
  brush.lineWidth = 2;
  brush.strokeRect(left + 1, top + 1, width - 2, height - 2);
  byId('crop-text').textContent = `${shown(picture.height, picture.width)} goes to bucket ${own.ratio_index}, ` +
    `${shown(own.height, own.width)}: resized to ${shown(own.resized_height, own.resized_width)} and cut from top ` +
    `${own.crop_top}, left ${own.crop_left}; ${percent(own.cropped_share)} of the pixels are cut away (shaded).` +
    (own.ratio_index === result.ratio_index ? ' The request above goes to the same bucket.' : '');
}

function tilePicture(target, tiles) {
  return svg('svg', { class: 'tiles', viewBox: `0 0 ${target.width} ${target.height}`, role: 'img',
    'aria-label': `${tiles.length} tiles over the canvas` },
  svg('rect', { class: 'canvas', width: target.width, height: target.height }),
  tiles.map((tile) => svg('rect', { class: 'tile', x: tile.left, y: tile.top, width: tile.width, height: tile.height,
    'stroke-width': target.width / 300 })));
}

function showTarget() {
  const place = byId('target-answer');
  place.replaceChildren();
  byId('target-error').textContent = '';
  if (state.target.trim() === '') return;
  const { profile, baseSize, extras, order } = modelOptions();
  const plan = attempt('target-error', () =>
    reso.enlarge(state.target.trim(), { request: state.size, profile, baseSize, extras, order }));
  if (plan === undefined) return;
  const { target, layout, direct } = plan;
  const facts = [
    ['Final size', `${shown(target.height, target.width)}, ${((target.height * target.width) / 1e6).toFixed(2)} MP`],
    ['Generate', `bucket ${target.ratio_index}, ${shown(target.generate_height, target.generate_width)}, at base size ${target.base_size}`],
    [target.factor < 1 ? 'Shrink' : 'Enlarge', `${target.factor.toFixed(3)} times, to ${shown(target.resized_height, target.resized_width)}`],
    ['Cut', target.cropped_share <= 0 ? 'nothing' : `${percent(target.cropped_share)} of the pixels, at the centre`],
    ['Model calls', grouped(plan.model_calls)],
    ['Memory', gigabytes(plan.bytes.total)],
  ];
  if (layout !== null) {
    facts.push(['Tiles', `${layout.rows} rows of ${layout.columns}, ${shown(layout.tile.height, layout.tile.width)} each`]);
  }
  facts.push(['At once instead', direct.refused ?? `base size ${direct.base_size}: ${direct.feasible ? 'feasible' : 'not feasible'}, untrained`]);
  place.append(factsOf(facts));
  if (layout === null) return;
  place.append(el('p', {}, 'The enlarged picture is refined by the model itself, tile by tile. Nobody has trained this.'));
  if (layout.tiles.length <= 4096) place.append(tilePicture(layout.canvas, layout.tiles));
}

export function showSize() {
  const error = byId('size-error');
  byId('size-help').textContent = (state.order === 'wh' ? 'Width first: 768x1024 is tall. ' : 'Height first, as upstream: 1024x768 is tall. ') +
    'Also 16:9, 2.39:1, <img_ratio_3>.';
  let doubt = '';
  const answer = attempt('size-error', () => reso.explain(state.size, { ...modelOptions(), warn: (text) => (doubt = text) }));
  const table = attempt('model-error', () => reso.table(modelOptions()));
  if (table === undefined) return;
  if (answer === undefined) {
    for (const name of ['answer', 'notes', 'candidates', 'ways', 'side']) byId(name).replaceChildren();
    drawBuckets(table, undefined, undefined);
  } else {
    error.textContent = doubt;
    showAnswer(answer);
    const { request, result } = answer;
    const asked = request.height === null ? undefined : { height: request.height, width: request.width };
    drawBuckets(table, asked, result);
    const sides = asked ?? result;
    for (const name of ['height', 'width']) {
      byId(name).max = Math.max(pictureRange(), sides[name]);
      byId(name).value = sides[name];
      byId(name).setAttribute('aria-valuetext', `${sides[name]} pixels`);
    }
    if (byId('side').closest('details').open) showSideBySide();
    showCrop(answer);
  }
  showTarget();
}

export function startSize() {
  const asked = {};
  const ask = onceAFrame(() => setState({ size: pair(asked.height, asked.width) }));
  onDrag((size) => {
    Object.assign(asked, size);
    ask();
  });
  for (const name of ['height', 'width']) {
    byId(name).addEventListener('input', () => {
      Object.assign(asked, { height: Number(byId('height').value), width: Number(byId('width').value) });
      ask();
    });
  }
  byId('side').closest('details').addEventListener('toggle', showSize);
  onFile('image', 'image-drop', async (file) => {
    try {
      picture?.close();
      picture = undefined;
      picture = await createImageBitmap(file);
      byId('image-error').textContent = '';
    } catch {
      showError('image-error', new Refusal(`'${file.name}' is no picture that this browser can read (${grouped(file.size)} bytes)`, 1));
    }
    showSize();
  });
}
