// SPDX-License-Identifier: MIT
// Lists in all formats: rows, summary and errors are the native tool's, also where quotes and JSON are broken.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadModule, native, numbers, scratch } from './support.mjs';

const reso = await loadModule();
const random = numbers(4);
const pick = (list) => list[random(list.length)];

function compare(words, input) {
  const bytes = Buffer.from(input);
  const answer = reso.run(['snap', ...words, '--summary-out', 'summary', '-'], bytes);
  writeFileSync(join(scratch, 'summary'), '');
  const expected = native(['snap', ...words, '--summary-out', 'summary', '-'], bytes);
  assert.deepEqual({ status: answer.status, out: answer.out, errors: answer.errors }, expected, JSON.stringify(input).slice(0, 500));
  const summary = readFileSync(join(scratch, 'summary'), 'utf8');
  if (summary === '') return assert.equal(answer.file, '');
  const { merge, ...withoutMerge } = JSON.parse(summary);
  assert.deepEqual(JSON.parse(answer.file), withoutMerge);
}

/** Fields with everything that quotes can do to them. */
function field() {
  return pick(['640', '"480"', ' 32 ', '"a ""b"" c"', 'a"b', '"a"b', '"two\nlines"', '""', '', '"open', ' "x" ', '"x"  ', '1024.0', '"1,5"', '\u4e2d', 'x\ty', '"\r\n"']);
}

test('tables with quotes, as libcsv reads them', () => {
  for (let i = 0; i < 250; ++i) {
    const [format, sign] = pick([['csv', ','], ['csv', ','], ['tsv', '\t']]);
    const end = pick(['\n', '\r\n']);
    const lines = Array.from({ length: random(12) + 1 }, () => {
      const sides = random(3) === 0 ? [field(), field()] : [String(random(4000)), String(random(4000))];
      return [pick(['a.png', field(), field()]), ...sides].join(sign);
    });
    compare(['--from', format, '--format', pick(['csv', 'json']), ...pick([[], ['--crop']])], ['name,width,height'.replaceAll(',', sign), ...lines].join(end) + pick(['', end]));
  }
});

test('JSON lines, arrays and the other formats', () => {
  const object = () => pick([
    () => JSON.stringify({ file: `a${random(9)}.png`, width: random(4000), height: random(4000) }),
    () => JSON.stringify({ path: 'b "q" \u4e2d', w: random(4000), h: random(4000), orientation: random(9) }),
    () => '{"width": 1, "height": }', () => '{"width": 100}', () => '[1]', () => '', () => '{"width": "100", "height": 1e2}',
    () => '{"width": 5, "height": 7, "width": 9}', () => '{"width": 1e999, "height": 7}',
  ])();
  for (let i = 0; i < 80; ++i) {
    const lines = Array.from({ length: random(10) + 1 }, object);
    compare(['--from', 'jsonl', '--format', pick(['csv', 'json'])], lines.join('\n'));
    compare(['--from', 'jsonl', '--format', 'csv'], `[${lines.join(',\n')}]`);
  }
  compare(['--from', 'identify', '--format', 'csv'], 'a.png PNG 640x480 640x480+0+0 8-bit sRGB 1KB 0.000u 0:00.000\nb c.jpg JPEG 3024x4032 3024x4032+0+0 8-bit\nnonsense\n');
  compare(['--from', 'exiftool', '--format', 'csv'], 'SourceFile,ImageWidth,ImageHeight,Orientation\na.jpg,4032,3024,Rotate 90 CW\nb.jpg,1,2,6\n');
  compare(['--from', 'exiftool', '--format', 'json'], '[{"SourceFile": "a.jpg", "ImageSize": "4032x3024"}]');
});

test('plain lists, filters and reports', () => {
  const lines = Array.from({ length: 20000 }, () => pick([`${random(5000)}x${random(5000)}`, `${random(5000)},${random(5000)}`, `${random(20) + 1}:9`, '# note', '', 'nonsense', '<img_ratio_3>']));
  for (const words of [['--format', 'csv'], ['--format', 'json', '--crop'], ['--format', 'text'], ['--order', 'wh', '--batch', '8', '--worst', '3'], ['--quiet', '--format', 'csv']]) {
    compare(words, lines.join('\n'));
  }
  compare(['--summary', '--format', 'json'], lines.join('\r\n'));
  const table = ['name,width,height', ...Array.from({ length: 5000 }, (_, i) => `p${i}.png,${random(5000)},${random(5000)}`)].join('\n');
  compare(['--from', 'csv', '--min-side', '512', '--max-crop', '25', '--no-enlarge', '--format', 'csv', '--crop'], table);
});

test('what is no list is refused in the same words', () => {
  const utf16 = Buffer.from('\ufeffname,width,height\n', 'utf16le');
  for (const from of ['csv', 'tsv', 'jsonl', 'sizes', 'identify', 'exiftool']) {
    for (const input of ['', '\0\0\0\0', utf16, Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10]), 'PK\x03\x04abc', 'name,depth\na,1\n',
      'width,w,height\n1,2,3\n', `name,width,height\n${'x'.repeat(1 << 21)},1,2\nb,3,4\n`, '\ufeffname,width,height\na,1,2']) {
      compare(['--from', from, '--format', 'csv'], input);
    }
  }
});

test('reading fails half-way: an error, and no answer', () => {
  let calls = 0;
  const read = (target) => {
    if (++calls === 3) return -1;
    const part = Buffer.from('name,width,height\n'.padEnd(64, '\n'));
    target.set(part);
    return part.length;
  };
  assert.throws(() => reso.snapList({ from: 'csv' }, read, () => {}), { name: 'Refusal', message: /could not be read/ });
});
