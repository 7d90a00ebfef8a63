// SPDX-License-Identifier: MIT
// The speed of a batch in WebAssembly beside the native library: in turns, a b b a, the best round of each. A million
// sizes a round; the module's time holds the copies in and out of its memory.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { explorer, loadModule } from './support.mjs';

const reso = await loadModule();
const count = 1000000;
const rounds = 20;
let state = 1;
const side = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state >>> 20) + 1;
};
const [widths, heights] = [new Int32Array(count), new Int32Array(count)];
for (let i = 0; i < count; ++i) {
  widths[i] = side();
  heights[i] = side();
}

function wasm() {
  let best = Infinity;
  let rows;
  for (let i = 0; i < rounds; ++i) {
    const start = performance.now();
    rows = reso.snapBatch(widths, heights);
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return { best, sum: rows.reduce((sum, row) => sum + row, 0) };
}
function machine() {
  const lines = spawnSync(join(explorer, 'tools/native_speed'), { encoding: 'utf8' }).stdout.trimEnd().split('\n');
  return { best: Math.min(...lines.slice(0, -1).map(Number)), sum: Number(lines.at(-1).split(' ')[1]) };
}

const results = { native: [machine()], wasm: [wasm(), wasm()] };
results.native.push(machine());
if (new Set([...results.native, ...results.wasm].map((result) => result.sum)).size !== 1) throw new Error('the answers differ');
for (const [name, list] of Object.entries(results)) {
  console.log(`${name}: ${list.map(({ best }) => (count / best / 1e6).toFixed(0)).join(' and ')} million sizes a second`);
}
