// SPDX-License-Identifier: MIT
// The panel Prompt: ids by colour, the sequence as a strip of parts, positions, the attention mask.
import { attempt, byId, el, factsOf, grouped, onFile, showError } from './ui.mjs';
import { modelOptions, reso, shown, sizesOf, state } from './state.mjs';
import { Refusal } from '../module/load.mjs';

let hasTokenizer = false;
let parts = [];
let chosen = 0;

const kindNames = { text: 'text', special: 'special tokens', generated: 'picture to generate',
  vae: 'conditioning picture (VAE)', vit: 'conditioning picture (ViT)' };
const mostIds = 2000;
const fields = 96;

/** The prompt's ids; without a tokenizer a byte b is 1000 + b, as the tool's stand-in has it. */
function idsOf(text) {
  if (hasTokenizer) return Array.from(reso.encode(text), (id) => [id, reso.tokenBytes(id)]);
  return Array.from(new TextEncoder().encode(text), (byte) => [1000 + byte, Uint8Array.of(byte)]);
}

const strict = new TextDecoder('utf-8', { fatal: true });
function visible(bytes) {
  try {
    return strict.decode(bytes).replace(/\n/g, '\u21b5').replace(/ /g, '\u00b7');
  } catch {
    return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
  }
}

function showIds() {
  const ids = idsOf(state.prompt);
  const shownIds = ids.slice(0, mostIds).map(([id, bytes], i) =>
    el('span', { class: `c${i % 5}` }, visible(bytes), el('small', {}, ` ${id}`)));
  const rest = ids.length > mostIds ? [el('p', {}, `and ${grouped(ids.length - mostIds)} more`)] : [];
  byId('ids').replaceChildren(el('p', {}, `${grouped(ids.length)} ${hasTokenizer ? 'ids' : 'ids (a byte each, without a tokenizer)'}`),
    ...shownIds, ...rest);
}

/** Neighbours of one kind, from the runs of tokens and the image runs of a row. */
function partsOf(row) {
  const found = [];
  let at = 0;
  for (const [id, count] of row.tokens) {
    const image = row.image_runs.find((run) => at >= run.slice[0] && at < run.slice[1]);
    const name = image === undefined ? reso.specialToken(id, state) : '';
    const kind = image?.kind ?? (name === '' ? 'text' : 'special');
    const last = found.at(-1);
    // Padding slots of a ViT run may be several runs of tokens; scalars are shown one by one.
    if (last !== undefined && last.kind === kind && kind !== 'special' && last.image === image) {
      last.stop += count;
    } else {
      found.push({ kind, name, image, start: at, stop: at + count });
    }
    at += count;
  }
  return found;
}

function describe(part, row, positions) {
  const last = part.stop - 1;
  const position = (i) => `(${positions[2 * i]}, ${positions[2 * i + 1]})`;
  const where = part.start === last ? `at ${part.start}` : `${part.start} to ${last}, ${grouped(part.stop - part.start)} tokens`;
  const grid = part.image?.token_height ? `, grid ${shown(part.image.token_height, part.image.token_width)}` : '';
  const sliceOf = row.full_slices?.find(([start, stop]) => part.start >= start && part.start < stop);
  const sees = sliceOf === undefined ? 'sees what stands before it' : `sees all of ${sliceOf[0]} to ${sliceOf[1] - 1}`;
  const again = row.refeed_slices?.some(([start, stop]) => part.start < stop && part.stop > start)
    ? '; fed again in later steps' : '';
  const rope = positions === undefined ? '' : `; rotary position (y, x) ${position(part.start)}` +
    (part.start === last ? '' : ` to ${position(last)}`);
  return `${part.name || kindNames[part.kind]}, ${where}${grid}: ${sees}${rope}${again}.`;
}

function choose(number) {
  chosen = Math.max(0, Math.min(parts.length - 1, number));
  byId('strip').querySelectorAll('[role="option"]').forEach((node, i) => node.setAttribute('aria-selected', String(i === chosen)));
  if (parts.length === 0) return;
  byId('strip').setAttribute('aria-activedescendant', `part-${chosen}`);
  byId('part').textContent = parts[chosen].text;
}

function drawMask(row) {
  const shares = attempt('prompt-error', () => reso.attentionMask(row, fields, state));
  if (shares === undefined) return;
  const canvas = byId('mask');
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => {
    const hex = style.getPropertyValue(name).trim().slice(1);
    const full = hex.length === 3 ? [...hex].map((c) => c + c).join('') : hex;
    return [0, 2, 4].map((i) => parseInt(full.slice(i, i + 2), 16));
  };
  const [ground, ink] = [colour('--raised'), colour('--accent')];
  const brush = canvas.getContext('2d');
  const image = brush.createImageData(fields, fields);
  shares.forEach((share, i) => {
    for (let k = 0; k < 3; ++k) image.data[4 * i + k] = ground[k] + ((ink[k] - ground[k]) * share) / 255;
    image.data[4 * i + 3] = 255;
  });
  brush.putImageData(image, 0, 0);
  const slices = (row.full_slices ?? []).map(([start, stop]) => `${start} to ${stop - 1}`).join(', ');
  byId('mask-text').textContent = `The attention mask: queries down, keys to the right, ${grouped(row.length)} of each; coloured ` +
    `where a query may attend. Causal, and full inside ${slices === '' ? 'no slice' : slices}.`;
}

export function showSequence() {
  showIds();
  const strip = byId('strip');
  const cond = sizesOf(state.cond);
  const request = { prompt: state.prompt, gen: state.size };
  if (state.system !== '') request.system = state.system;
  if (cond.length > 0) request.cond = [cond];
  const answer = attempt('prompt-error', () => reso.sequence(request, { ...modelOptions(), tokenizer: hasTokenizer }));
  parts = [];
  if (answer === undefined) {
    strip.replaceChildren();
    byId('part').textContent = '';
    byId('sequence-facts').replaceChildren();
    byId('mask-text').textContent = '';
    byId('mask').getContext('2d').clearRect(0, 0, fields, fields);
    return;
  }
  const row = answer.rows[0];
  const positions = attempt('prompt-error', () => reso.positions(row, state));
  parts = partsOf(row);
  for (const part of parts) part.text = describe(part, row, positions);
  strip.replaceChildren(...parts.map((part, i) => {
    const node = el('div', { role: 'option', id: `part-${i}`, class: `k-${part.kind}`, 'aria-label': part.text, 'aria-selected': 'false' });
    node.style.flexGrow = Math.sqrt(part.stop - part.start);
    return node;
  }));
  choose(Math.min(chosen, parts.length - 1));
  const kinds = [...new Set(parts.map((part) => part.kind))];
  byId('sequence-facts').replaceChildren(
    el('p', {}, kinds.map((kind) =>
      el('span', { class: 'entry' }, el('span', { class: `key k-${kind}`, 'aria-hidden': 'true' }), `${kindNames[kind]} `))),
    factsOf([
      ['Length', `${grouped(row.length)} of at most ${grouped(answer.limits.max_length)} tokens`],
      ['Encoder', answer.encoder === 'bytes' ? 'bytes, a stand-in' : 'tokenizer.json'],
      ['Pictures', String(row.image_runs.length)],
      ['Timestep at', row.gen_timestep_positions.join(', ') || 'none'],
      ['Guidance at', row.guidance_positions.join(', ') || 'none'],
    ]));
  drawMask(row);
}

async function takeTokenizer(file) {
  byId('tokenizer-error').textContent = '';
  try {
    if (file.size === 0) throw new Refusal(`'${file.name}' is empty (0 bytes), expected a tokenizer.json`, 1);
    if (file.size > 256 * 1024 * 1024) {
      throw new Refusal(`'${file.name}' has ${grouped(file.size)} bytes, expected a tokenizer.json of at most 256 MiB`, 1);
    }
    byId('tokenizer-state').textContent = `Reading ${file.name} ...`;
    const bytes = new Uint8Array(await file.arrayBuffer());
    const { notes } = reso.loadTokenizer(bytes, { profile: state.profile });
    hasTokenizer = true;
    byId('tokenizer-state').textContent = `${file.name}: its special tokens are those of ${state.profile}. ${notes}`;
  } catch (error) {
    hasTokenizer = false;
    byId('tokenizer-state').textContent = 'Without it every byte of a text counts as one token.';
    showError('tokenizer-error', error instanceof Refusal ? error : new Refusal(`'${file.name}' cannot be read: ${error.message}`, 1));
  }
  showSequence();
}

export function startSequence() {
  const strip = byId('strip');
  strip.addEventListener('pointermove', (event) => {
    const number = [...strip.children].indexOf(event.target);
    if (number >= 0) choose(number);
  });
  strip.addEventListener('keydown', (event) => {
    const next = { ArrowRight: chosen + 1, ArrowLeft: chosen - 1, Home: 0, End: parts.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    choose(next);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', showSequence);
  onFile('tokenizer', 'tokenizer-drop', takeTokenizer);
}
