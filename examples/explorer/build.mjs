// SPDX-License-Identifier: MIT
// node build.mjs MODULE.wasm FOLDER VERSION: puts the page (FOLDER/index.html) and the module for npm
// (FOLDER/hunyuan-reso) together.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const [wasmFile, folder, version] = process.argv.slice(2);
const source = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');

/** In the order in which they need one another. */
const modules = ['module/instance.mjs', 'module/load.mjs', 'page/state.mjs', 'page/ui.mjs', 'page/buckets.mjs',
  'page/size.mjs', 'page/plan.mjs', 'page/list.mjs', 'page/sequence.mjs', 'page/worker.mjs', 'page/main.mjs'];

/**
 * Joins modules to one script. They import only one another, by name, and no two of them declare the same name at the
 * top: an import is then a line to leave out. Comments on lines of their own are left out too.
 */
function joined(names) {
  const lines = names.flatMap((name) => {
    const text = source(name)
      .replace(/^import \{[^}]*\} from '\.[^']*';$/gm, '')
      .replace(/^export \{[^}]*\};$/gm, '')
      .replace(/^export (?=(async )?(function|class|const|let)\b)/gm, '');
    if (/^(import|export)\b/m.test(text)) throw new Error(`${name}: an import or export that cannot be joined`);
    return text.replace(/^\s*\/\*\*[\s\S]*?\*\/$/gm, '').split('\n');
  });
  return lines.map((line) => line.trimEnd().replace(/^ +/, (blanks) => ' '.repeat(blanks.length / 2)))
    .filter((line) => line !== '' && !/^\s*\/\//.test(line)).join('\n');
}

/**
 * Bytes as text: seven bits a character, which UTF-8 keeps in one byte. The three characters that a page does not keep
 * as they are go together with the seven bits behind them into one character of two bytes (page/start.mjs reads it).
 */
function asText(bytes) {
  const unsafe = [0, 13, 60]; // NUL, carriage return, <
  const sevens = [];
  let held = 0;
  let count = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (count += 8; count >= 7; count -= 7) sevens.push((held >> (count - 7)) & 127);
    held &= 127;
  }
  sevens.push((held << (7 - count)) & 127);
  let text = '';
  for (let i = 0; i < sevens.length; ++i) {
    const number = unsafe.indexOf(sevens[i]);
    text += String.fromCharCode(number < 0 ? sevens[i] : 128 + 128 * number + (sevens[++i] ?? 0));
  }
  return text;
}

const wasm = readFileSync(wasmFile);
const script = Buffer.from(joined(modules));
const start = joined(['page/start.mjs']);
const length = Buffer.alloc(4);
length.writeUInt32BE(wasm.length);
const packed = gzipSync(Buffer.concat([length, wasm, script]), { level: 9 });
const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const style = source('page/style.css').replace(/\/\*[\s\S]*?\*\//g, '').replace(/\n\s*/g, '\n').replace(/\n+/g, '\n');
// Nothing is fetched: the page may run these scripts, and start its worker, and that is all.
const policy = `default-src 'none'; script-src ${hash(start)} 'wasm-unsafe-eval' blob:; worker-src blob:; ` +
  `style-src ${hash(style)}; img-src data: blob:; form-action 'none'; base-uri 'none'`;
const parts = {
  POLICY: policy,
  VERSION: version,
  STYLE: style,
  START: start,
  PACKED: asText(packed),
  SIZE: packed.length,
};
const page = source('page/index.html').replace(/@([A-Z]+)@/g, (whole, name) => parts[name] ?? whole);
if (/<\/script|<!--/i.test(parts.PACKED + start)) throw new Error('a script would end the page');
writeFileSync(`${folder}/index.html`, page);

const target = `${folder}/hunyuan-reso`;
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
for (const name of ['instance.mjs', 'load.mjs', 'index.mjs', 'index.d.ts']) {
  writeFileSync(`${target}/${name}`, source(`module/${name}`));
}
copyFileSync(wasmFile, `${target}/hunyuan_reso.wasm`);
copyFileSync(new URL('module/README.md', import.meta.url), `${target}/README.md`);
copyFileSync(new URL('../../LICENSE', import.meta.url), `${target}/LICENSE`);
const manifest = {
  name: 'hunyuan-reso',
  version,
  description: 'Resolution and token layer of HunyuanImage-3.0, compiled to WebAssembly',
  license: 'MIT',
  type: 'module',
  exports: {
    '.': { types: './index.d.ts', default: './index.mjs' },
    './load': { types: './index.d.ts', default: './load.mjs' },
    './hunyuan_reso.wasm': './hunyuan_reso.wasm',
  },
  types: './index.d.ts',
  engines: { node: '>=18' },
};
writeFileSync(`${target}/package.json`, JSON.stringify(manifest, null, 2) + '\n');
const size = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
console.log(`index.html ${size(Buffer.byteLength(page))} (${size(Buffer.byteLength(parts.PACKED))} of it packed); hunyuan_reso.wasm ${size(wasm.length)}`);
