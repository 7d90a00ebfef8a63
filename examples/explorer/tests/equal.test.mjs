// SPDX-License-Identifier: MIT
// The module's answers are the native tool's, byte for byte: results, errors and exit statuses.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadModule, native, numbers, scratch, tokenizerJson } from './support.mjs';

const reso = await loadModule();
reso.loadTokenizer(new TextEncoder().encode(tokenizerJson(reso, 'instruct')));
const random = numbers(17);
const pick = (list) => list[random(list.length)];

function compare(words, input = '') {
  const { file, ...answer } = reso.run(words, input);
  const expected = native(words, input);
  // The terminal's hint at --help has no place in a page.
  expected.errors = expected.errors.replace(/\nhunyuan-reso [a-z]+ --help shows the options and examples\.\n/, '\n');
  assert.deepEqual(answer, expected, words.join(' ').slice(0, 300));
}

function side() {
  return pick([1, 15, 16, 512, 1024, 2047, 4096, random(4096) + 1, random(4096) + 1, random(4096) + 1, random(65536) + 1, random(2147483647) + 1]);
}
/** A size, mostly well formed: what people type, and what they mistype. */
function sizeText() {
  const [a, b] = [side(), side()];
  return pick([
    () => `${a}x${b}`, () => `${a}x${b}`, () => `${a}x${b}`, () => `${a}:${b}`, () => `${a} x ${b}px`, () => `${a}\u00d7${b}`,
    () => `[${a}, ${b}]`, () => `${a}*${b}`, () => `${random(40) + 1}:${random(40) + 1}`, () => `${random(5)}.${random(100)}:1`,
    () => `<img_ratio_${random(42)}>`, () => `0${a}x${b}`, () => `${a}x${b}x3`, () => `${a}`, () => `${a}\u0445${b}`, () => `-${a}x${b}`,
    () => `${a}x`, () => 'portrait', () => `${a}\uff1a${b}`, () => '', () => `4K`, () => `\ud83d\ude00${a}`,
  ])();
}

test('10,000 sizes, as text and as JSON, in all models', () => {
  const models = [[], ['--profile', 'base'], ['--base-size', '2048'], ['--base-size', '2048', '--extras', 'scaled'],
    ['--order', 'wh'], ['--grid-mode', 'follow_request'], ['--grid-mode', 'follow_request_by_area'],
    ['--profile', 'panorama', '--ratio-token', '37=130108'], ['--profile', 'instruct-distil', '--base-size', '512'], ['--profile', 'panorama']];
  let count = 0;
  for (const model of models) {
    for (let part = 0; part < 2; ++part) {
      const sizes = Array.from({ length: 500 }, sizeText);
      count += sizes.length;
      for (const format of ['text', 'json']) compare(['snap', ...model, '--format', format, '--', ...sizes]);
    }
  }
  assert.equal(count, 10000);
});

test('explanations, plans and tables', () => {
  const models = [[], ['--base-size', '2048'], ['--profile', 'base', '--base-size', '512', '--extras', 'scaled'],
    ['--order', 'wh', '--grid-mode', 'follow_request'], ['--profile', 'panorama'], ['--base-size', '1000'], ['--base-size', '1e3']];
  const tails = [[], ['--target', '4K'], ['--target', '3000x5000', '--max-pixels', '9000000'], ['--conditioning', '3024x4032', '--conditioning', '1x9'],
    ['--target', 'big'], ['--max-pixels', '1048576']];
  for (const model of models) {
    for (const format of ['text', 'json']) {
      compare(['table', ...model.filter((word) => !/grid-mode|follow/.test(word)), '--format', format]);
      for (let i = 0; i < 4; ++i) {
        compare(['explain', ...model, ...pick(tails), '--format', format, '--', sizeText()]);
        const plan = pick([[], ['--prompt-tokens', '5000'], ['--steps', '0'], ['--batch', '4', '--precision', 'int8'],
          ['--conditioning', '3024x4032', '--align-output'], ['--guidance', '2.5', '--eager-moe-mask'], ['--task', 'think_recaption']]);
        compare(['plan', ...model, ...plan, '--format', format, '--', pick([sizeText(), 'auto'])]);
      }
    }
  }
});

test('pictures beyond the trained scale', () => {
  for (const model of [[], ['--profile', 'base'], ['--order', 'wh'], ['--profile', 'panorama'], ['--base-size', '2048']]) {
    for (const target of ['4K', '2160x3840', '1440p', '2.5MP', '512x512', 'big', '70000x70000']) {
      for (const format of ['text', 'json']) {
        compare(['plan', '--target', target, ...model, '--tflops', '400', '--format', format]);
        compare(['plan', '--target', target, ...model, '--overlap', '128', '--format', format, '--', '4:3']);
        if (!model.includes('2048')) compare(['tiles', ...model, '--tile', '768', '--format', format, '--', target]);
      }
    }
  }
});

test('options that make no sense are refused in the same words', () => {
  for (const words of [['explain', '--profile', 'big', '1:1'], ['explain', '--grid-mode', 'x', '1:1'], ['plan', '--precision', 'int4', '1:1'],
    ['plan', '--task', 'paint', '1:1'], ['snap', '--from', 'xlsx', '-'], ['explain', '--format', 'csv', '1:1'], ['explain']]) {
    compare(words);
  }
});

test('sequences, with bytes and with a tokenizer', () => {
  for (const [name, profile] of [['tokenizer.json', 'instruct'], ['base.json', 'base']]) {
    const text = tokenizerJson(reso, profile);
    writeFileSync(join(scratch, name), text);
  }
  const requests = [
    { prompt: 'a cat', gen: '16:9' }, { prompt: ['a hat', 'a coat \u4e2d \ud83d\ude00'], gen: '1:1', cfg_factor: 2 },
    { prompt: 'a hat', cond: [['3024x4032', '900x1600']], gen: '3:4' }, { prompt: 'x', gen: 'auto' }, { promt: 'x' }, { prompt: 'x', gen: 12 },
    { messages: [{ role: 'user', content: 'what is <think>this</think>?' }], mode: 'gen_text' }, { prompt: 'x', gen: '1:1', max_length: 9 }, [],
  ];
  for (const request of requests) {
    for (const format of ['text', 'json']) {
      compare(['sequence', '--format', format, '-'], JSON.stringify(request));
      compare(['sequence', '--format', format, '--tokenizer', 'tokenizer.json', '-'], JSON.stringify(request));
    }
    compare(['sequence', '--text', '-'], JSON.stringify(request));
  }
  for (const broken of ['{"prompt": }', '{"prompt": "a", "prompt": "b"}', '', '[', '{"gen": 1e999}', '{"a":'.repeat(80)]) {
    compare(['sequence', '-'], broken);
  }
  compare(['plan', '--tokenizer', 'tokenizer.json', '--prompt', 'a cat', '16:9', '--format', 'json']);
  compare(['plan', '--profile', 'panorama', '--tokenizer', 'tokenizer.json', '--prompt', 'a cat', '16:9']);
  for (const line of ['a cat', ' cat\n\ncats', 'e\u0301 \u4e2d\u6587 <boi> \ud83d\ude00', '']) {
    const expected = JSON.parse(native(['encode', '--tokenizer', 'tokenizer.json', '--json-lines', '-'], JSON.stringify(line) + '\n').out);
    assert.deepEqual([...reso.encode(line)], expected);
  }
});

test('batches are what single sizes are, and so are the bytes of tokens', () => {
  const count = 100000;
  const widths = Int32Array.from({ length: count }, () => side());
  const heights = Int32Array.from({ length: count }, (_, i) => (i % 1000 === 0 ? -random(3) : side()));
  for (const [options, words] of [[{}, []], [{ profile: 'base', baseSize: 2048 }, ['--profile', 'base', '--base-size', '2048']],
    [{ baseSize: 512, extras: 'scaled' }, ['--base-size', '512', '--extras', 'scaled']]]) {
    const indices = reso.snapBatch(widths, heights, options);
    const list = Array.from(widths, (width, i) => `${heights[i]}x${width}`).join('\n');
    const { out } = native(['snap', '-', '--format', 'csv', ...words], list);
    const expected = new Uint8Array(count).fill(255);
    for (const line of out.trimEnd().split('\n').slice(1)) {
      const cells = line.split(',');
      expected[cells[0] - 1] = cells[3];
    }
    assert.deepEqual(indices, expected);
  }
  assert.deepEqual([...reso.tokenBytes(258)], [...Buffer.from(' cat')]);
  assert.throws(() => reso.snapBatch(widths, heights, { baseSize: 1000 }), { name: 'Refusal', status: 1 });
  assert.throws(() => reso.snapBatch(widths, heights.subarray(1)), RangeError);
});

test('positions and masks are those of the sequence', () => {
  const row = reso.sequence({ prompt: 'a cat', gen: '1:1', cond: [['640x480']] }, { baseSize: 256 }).rows[0];
  const positions = reso.positions(row);
  assert.equal(positions.length, 2 * row.length);
  for (const run of row.image_runs) assert.deepEqual([...positions.subarray(2 * run.slice[0], 2 * run.slice[0] + 2)], run.first_position);
  // A field a token: the mask of the definition, causal and full inside the slices that the tool lists.
  const small = { ...row, length: row.image_runs[0].slice[0] + 40, image_runs: [] };
  assert.deepEqual(reso.attentionMask(small, small.length),
    Uint8Array.from({ length: small.length ** 2 }, (_, i) => (i % small.length <= Math.floor(i / small.length) ? 255 : 0)));
  const all = reso.attentionMask(row, row.length);
  const full = (query, key) => row.full_slices.some(([start, stop]) => query >= start && query < stop && key >= start && key < stop);
  for (let i = 0; i < 100000; ++i) {
    const [query, key] = [random(row.length), random(row.length)];
    assert.equal(all[query * row.length + key], key <= query || full(query, key) ? 255 : 0);
  }
});

test('many refusals leave the module as it was', () => {
  for (let i = 0; i < 1200; ++i) assert.throws(() => reso.explain('nothing'), { name: 'Refusal', status: 1 });
  assert.equal(reso.explain('1:1').result.width, 1024);
  assert.deepEqual([...reso.encode(' cat')], [258]);
});
