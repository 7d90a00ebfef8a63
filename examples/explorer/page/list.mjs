// SPDX-License-Identifier: MIT
// The panel List: a list is read by a worker; histogram, crop statistics and the answers to download.
import { byId, el, factsOf, grouped, onFile, percent, showError, tableOf } from './ui.mjs';
import { modelOptions, shown } from './state.mjs';
import { Refusal } from '../module/load.mjs';

let worker;
let download;

/** By the end of the file's name; the reader of JSON lines takes arrays of objects, too. */
function formatOf(name) {
  const end = name.toLowerCase().split('.').pop();
  return { csv: 'csv', tsv: 'tsv', tab: 'tsv', json: 'jsonl', jsonl: 'jsonl', ndjson: 'jsonl' }[end] ?? 'sizes';
}

function finish() {
  worker?.terminate();
  worker = undefined;
  byId('running').hidden = true;
}

/** A bar a bucket; its length is set by a property, since styles in attributes are not allowed here. */
function barTable(rows) {
  const most = Math.max(...rows.map((row) => row.count), 1);
  const bar = (row) => {
    const node = el('span', { class: 'bar', 'aria-hidden': 'true' });
    node.style.width = `${Math.max(1, (160 * row.count) / most)}px`;
    return [node, ` ${percent(row.share)}`];
  };
  return tableOf([
    { head: 'Bucket', number: true, of: (row) => String(row.ratio_index) },
    { head: 'Size', of: (row) => shown(row.height, row.width) },
    { head: 'Pictures', number: true, of: (row) => grouped(row.count) },
    { head: 'Share', of: bar },
  ], rows.filter((row) => row.count > 0));
}

function showList({ answer, seconds }, parts, name, format) {
  const { summary, errors } = answer;
  const { crop } = summary;
  const facts = [
    ['Read as', (summary.read_from ?? []).join('; ')],
    ['Sizes', grouped(summary.size_count)],
    ['Refused', grouped(summary.refused_count)],
    ['Time', `${seconds.toFixed(2)} s, ${grouped(Math.round((summary.size_count + summary.refused_count) / Math.max(seconds, 1e-3)))} lines a second`],
  ];
  if (crop !== null) {
    facts.push(['Cropped', `${percent(crop.mean_share)} of the pixels on average, ${percent(crop.median_share)} in the middle, ` +
      `at most ${percent(crop.largest_share)} (line ${crop.largest_line}${crop.largest_name ? `, ${crop.largest_name}` : ''})`],
    ['Enlarged', `${grouped(crop.enlarged_count)} of the pictures, ${percent(crop.enlarged_share)}`]);
  }
  if (download !== undefined) URL.revokeObjectURL(download);
  const blob = new Blob(parts, { type: format === 'csv' ? 'text/csv' : 'application/jsonl' });
  download = URL.createObjectURL(blob);
  const target = `${name.replace(/\.[^.]*$/, '')}-buckets.${format === 'csv' ? 'csv' : 'jsonl'}`;
  byId('list-answer').replaceChildren(factsOf(facts),
    el('p', {}, el('a', { href: download, download: target, id: 'download' }, `Download ${target}`), ` (${grouped(blob.size)} bytes)`),
    el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Pictures by bucket' }, barTable(summary.histogram)));
  byId('list-error').textContent = errors;
}

function readList(file) {
  finish();
  byId('list-answer').replaceChildren();
  byId('list-error').textContent = '';
  if (file.size === 0) return showError('list-error', new Refusal(`'${file.name}' is empty (0 bytes), expected a list of sizes`, 1));
  const format = byId('answers').value;
  const options = {
    ...modelOptions(), from: byId('from').value || formatOf(file.name), columns: byId('list-columns').value.trim(), format,
    crop: byId('with-crop').checked,
  };
  if (options.from === 'sizes' || options.from === 'identify') delete options.columns;
  const parts = [];
  worker = new Worker(globalThis.explorer.script);
  byId('running').hidden = false;
  byId('progress').value = 0;
  byId('progress-text').textContent = '';
  worker.onmessage = ({ data }) => {
    if (data.part !== undefined) parts.push(data.part);
    if (data.bytes !== undefined) {
      byId('progress').value = data.bytes / file.size;
      byId('progress-text').textContent = `${grouped(data.bytes)} of ${grouped(file.size)} bytes`;
    }
    if (data.answer === undefined && data.error === undefined) return;
    finish();
    if (data.error !== undefined) return showError('list-error', new Refusal(data.error, 1));
    showList(data, parts, file.name, format);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    finish();
    showError('list-error', new Refusal(`the list could not be read: ${event.message ?? 'the worker did not start'}`, 1));
  };
  worker.postMessage({ wasm: globalThis.explorer.wasm, file, options });
}

export function startList() {
  onFile('list', 'list-drop', readList);
  byId('cancel').addEventListener('click', () => {
    finish();
    byId('list-error').textContent = 'Stopped.';
  });
}
