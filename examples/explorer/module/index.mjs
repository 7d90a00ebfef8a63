// SPDX-License-Identifier: MIT
// The module as it is imported: the file beside it is read once, and every function has its own name.
import { load, Refusal } from './load.mjs';

const file = new URL('./hunyuan_reso.wasm', import.meta.url);

async function read() {
  if (file.protocol !== 'file:') return WebAssembly.compileStreaming(fetch(file));
  const { readFile } = await import('node:fs/promises');
  return WebAssembly.compile(await readFile(file));
}

const functions = await load(await read());

export { load, Refusal };
export const {
  profiles, table, explain, snap, snapBatch, snapList, plan, sequence, loadTokenizer, encode, tokenBytes, specialToken,
  attentionMask, positions, enlarge, tiles, run,
} = functions;
