// SPDX-License-Identifier: MIT
// What the tests share: where the build is, the native tool, numbers that are the same in every run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from '../module/load.mjs';

/** Set by tests/run. */
export const build = process.env.HUNYUAN_RESO_BUILD;
export const explorer = join(build, 'examples/explorer');
export const nativeTool = process.env.HUNYUAN_RESO_TOOL;
export const scratch = mkdtempSync(join(tmpdir(), 'hunyuan-reso-'));
/** Programs of npm are installed beside the build, not beside the sources. */
export const tool = createRequire(join(explorer, 'tools/'));

export const loadModule = () => load(readFileSync(join(explorer, 'hunyuan_reso.wasm')));

/** The native tool: { status, out, errors }. */
export function native(words, input = '') {
  const done = spawnSync(nativeTool, words, { input, cwd: scratch, maxBuffer: 1 << 30, encoding: 'utf8' });
  if (done.error && done.error.code !== 'EPIPE') throw done.error; // it refused before it had read everything
  return { status: done.status, out: done.stdout, errors: done.stderr };
}

/** Whole numbers 0 .. below - 1, in a fixed order (a multiplicative generator). */
export function numbers(seed) {
  let state = BigInt(seed) * 2n + 1n;
  return (below) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number((state >> 33n) % BigInt(below));
  };
}

/** A small tokenizer.json: bytes with their own values as ids, "cat" and " cat", and a profile's special tokens. */
export function tokenizerJson(reso, profile) {
  const plain = (byte) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const vocab = {};
  let next = 256;
  for (let byte = 0; byte < 256; ++byte) vocab[String.fromCodePoint(plain(byte) ? byte : next++)] = byte;
  Object.assign(vocab, { ca: 256, cat: 257, '\u0120cat': 258 });
  const added = [];
  for (let id = 127000; id < 134000; ++id) {
    const content = reso.specialToken(id, { profile });
    if (content === '') continue;
    vocab[content] = id;
    added.push({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });
  }
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return JSON.stringify({ added_tokens: added, normalizer: { type: 'NFC' }, pre_tokenizer: byteLevel, decoder: byteLevel,
    model: { type: 'BPE', vocab, merges: ['c a', 'ca t', '\u0120 cat'] } });
}
