// SPDX-License-Identifier: MIT
// The module as others get it: packed, installed from the tarball, imported, and type-checked.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { explorer, scratch, tool } from './support.mjs';

const home = join(scratch, 'consumer');
mkdirSync(home);
const npm = (words) => execFileSync('npm', words, { cwd: home, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

test('packed, installed from the tarball and used', () => {
  writeFileSync(join(home, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  npm(['pack', '--silent', join(explorer, 'hunyuan-reso'), '--pack-destination', home]);
  const tarball = readdirSync(home).find((name) => name.endsWith('.tgz'));
  npm(['install', '--silent', '--no-audit', '--no-fund', '--offline', `./${tarball}`]);
  const files = readdirSync(join(home, 'node_modules/hunyuan-reso')).sort();
  assert.deepEqual(files, ['LICENSE', 'README.md', 'hunyuan_reso.wasm', 'index.d.ts', 'index.mjs', 'instance.mjs', 'load.mjs', 'package.json']);
  writeFileSync(join(home, 'use.ts'), `
import { snap, snapBatch, plan, sequence, explain, profiles, Refusal, load, type Explanation } from 'hunyuan-reso';
const size: { height: number; width: number } = snap('16:9');
const indices: Uint8Array = snapBatch(Int32Array.of(1920, 1080), Int32Array.of(1080, 1920));
const notes: string[] = (explain({ height: 3, width: 4 }, { profile: 'base', baseSize: 2048 }) satisfies Explanation).notes;
const feasible: boolean = plan('1:1').feasible;
const length: number = sequence({ prompt: 'a cat', gen: '1:1' }).rows[0].length;
const same: Promise<{ snap: typeof snap }> = load(new Uint8Array());
same.catch(() => 0);
let refused = '';
try { snap('4K'); } catch (error) { if (error instanceof Refusal) refused = error.message; }
// @ts-expect-error: widths are an Int32Array
try { snapBatch([1], [1]); } catch {}
console.log(JSON.stringify([size.height, size.width, [...indices], notes.length, feasible, length, profiles.length, refused.length > 0]));
`);
  const compiler = tool.resolve('typescript/bin/tsc');
  execFileSync('node', [compiler, '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom', '--skipLibCheck', 'false', 'use.ts'], { cwd: home, stdio: 'inherit' });
  const answer = JSON.parse(execFileSync('node', ['use.js'], { cwd: home, encoding: 'utf8' }));
  assert.deepEqual(answer.slice(0, 3), [720, 1280, [36, 34]]);
  assert.ok(answer[3] > 0 && answer[5] > 4096);
  assert.deepEqual([answer[4], answer[6], answer[7]], [true, 4, true]);
});

test('the example of its README', () => {
  const readme = tool('node:fs').readFileSync(join(home, 'node_modules/hunyuan-reso/README.md'), 'utf8');
  const code = readme.split('```js\n')[1].split('```')[0];
  writeFileSync(join(home, 'readme.mjs'), `${code}\nif (snap('16:9').ratio_index !== 36) throw new Error('another bucket');
if (String(snapBatch(Int32Array.of(1920, 1080), Int32Array.of(1080, 1920))) !== '36,34') throw new Error('other buckets');\n`);
  execFileSync('node', ['readme.mjs'], { cwd: home, stdio: 'inherit' });
});
