// SPDX-License-Identifier: MIT
// node make_cases.mjs FOLDER > data/cases.json: small tokenizer files and the ids that the npm package tokenizers, which
// is installed in FOLDER, gives for some texts. Vocabularies are trained here, on the texts below.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const require = createRequire(join(resolve(process.argv[2]), 'package.json'));
const { Tokenizer } = require('tokenizers');

const characterOf = [];
for (let byte = 0, next = 256; byte < 256; ++byte) {
  const itself = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  characterOf[byte] = String.fromCharCode(itself ? byte : next++);
}
const written = (text) => Array.from(Buffer.from(text), (byte) => characterOf[byte]).join('');

const sample = "the tower and the water at the top, they stop; Abst Abstract Customer Customers custom ') ') ' ' |( |( ( 视频 视觉 ▁ ▁ ∴ 。。 。。 é é ſ stop\n\n\n\n    1234 12 " +
  'eine kleine Stadt am Wasser der Turm';
const vocab = Object.fromEntries(characterOf.map((c, byte) => [c, byte]));
const merges = [];
const words = sample.match(/ ?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+|\s+/gu).map((word) => [...written(word)]);
while (merges.length < 110) {
  const counts = new Map();
  for (const word of words) for (let i = 0; i + 1 < word.length; ++i) counts.set(`${word[i]} ${word[i + 1]}`, (counts.get(`${word[i]} ${word[i + 1]}`) ?? 0) + 1);
  if (counts.size === 0) break;
  const [best] = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0];
  const [left, right] = best.split(' ');
  merges.push([left, right]);
  vocab[left + right] ??= Object.keys(vocab).length;
  for (const word of words) for (let i = 0; i + 1 < word.length; ++i) if (word[i] === left && word[i + 1] === right) word.splice(i, 2, left + right);
}
// Tokens that no merge reaches: they count only with ignore_merges.
for (const text of ["')|('", '▁Abst', '视▁', '▁∴\\', ' they', '。。', '1234', '\n\n\n', '。。\n\n']) vocab[written(text)] ??= Object.keys(vocab).length;

const qwen = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const byteLevel = (prefix, regex) => ({ type: 'ByteLevel', add_prefix_space: prefix, trim_offsets: true, use_regex: regex });
const split = (pattern, behavior = 'Isolated', invert = false) => ({ type: 'Split', pattern, behavior, invert });
const steps = (...pretokenizers) => ({ type: 'Sequence', pretokenizers });
const added = (id, content, flags = {}) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false, ...flags });
const file = (change) => ({
  version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: { type: 'NFC' }, pre_tokenizer: steps(split({ Regex: qwen }), byteLevel(false, false)),
  post_processor: null, decoder: byteLevel(true, true),
  model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab, merges },
  ...change,
});
const model = (change) => ({ model: { ...file({}).model, ...change } });
const traps = ["')|('", '▁Abst', '视▁∴\\Customer', "a'ſtop", "a'stop", 'e\u0301', '\u00e9', '。。\n\n', '。。', '\n\n', '\n\n\n\n', ' they', 'the tower at the top', '12345', "I'LL", '', ' ', '   x', '가나', '\u1100\u1161'];
const marked = ['<a><b>', 'x <l> y', 'x <r> y', '<lr>  <lr>', 'a word, words word_ word', 'sword', '<a', '\u00e9 e\u0301', '<special> <a> \u00a0<l>'];
const tokens = [added(900, '<a>'), added(0, '<a><b>'), added(0, '<b>'), added(0, '<l>', { lstrip: true }), added(0, '<r>', { rstrip: true }), added(0, '<lr>', { lstrip: true, rstrip: true }),
  added(0, 'word', { single_word: true }), added(0, '\u00e9', { normalized: true }), added(0, '<special>', { special: true })];
const variants = [
  ['qwen', file({}), traps],
  ['merges as strings', file(model({ merges: merges.map((pair) => pair.join(' ')) })), traps.slice(0, 8)],
  ['ignore_merges', file(model({ ignore_merges: true })), traps],
  ['no normalizer', file({ normalizer: null }), traps],
  ['ByteLevel alone', file({ normalizer: null, pre_tokenizer: byteLevel(false, true) }), traps],
  ['prefix space', file({ pre_tokenizer: byteLevel(true, true) }), traps],
  ['split at a string, removed', file({ pre_tokenizer: steps(split({ String: 't' }, 'Removed'), byteLevel(false, false)) }), traps],
  ['digits and letters only', file({ pre_tokenizer: steps(split({ Regex: '\\p{N}{1,3}' }), split({ Regex: '\\p{L}+|\\p{N}+' }, 'Removed', true), byteLevel(true, false)) }), traps],
  ['added tokens', file({ ...model({ vocab: { ...vocab, '<a>': 900 } }), added_tokens: tokens }), marked],
  ['added tokens, no normalizer', file({ normalizer: null, added_tokens: tokens }), marked],
];
const out = [];
for (const [name, content, texts] of variants) {
  const source = JSON.stringify(content);
  const tokenizer = Tokenizer.fromString(source);
  const cases = [];
  for (const text of texts) {
    const ids = (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
    cases.push({ text, ids, decoded: await tokenizer.decode(ids, false) });
  }
  const ids = content.added_tokens.map((token) => tokenizer.tokenToId(token.content));
  out.push(`{"name": ${JSON.stringify(name)}, "added_ids": ${JSON.stringify(ids)}, "file": ${source},\n "cases": [\n  ${cases.map((c) => JSON.stringify(c)).join(',\n  ')}]}`);
}
process.stdout.write(`[\n${out.join(',\n')}\n]\n`);
