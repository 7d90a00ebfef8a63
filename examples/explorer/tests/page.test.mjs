// SPDX-License-Identifier: MIT
// The page in Debian's Chromium, opened as a file: every panel, errors beside their field, keyboard, axe-core, and no
// message on the console in all of it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { deflateSync, crc32 } from 'node:zlib';
import { explorer, loadModule, native, numbers, scratch, tokenizerJson, tool } from './support.mjs';

const { chromium } = tool('playwright-core');
const address = pathToFileURL(join(explorer, 'index.html')).href;
const pictures = join(explorer, 'screenshots');
const axe = readFileSync(tool.resolve('axe-core/axe.min.js'), 'utf8');
let browser;
const messages = [];
const requests = [];

before(async () => {
  mkdirSync(pictures, { recursive: true });
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
});
after(() => browser.close());
afterEach(() => {
  assert.deepEqual(messages.splice(0), [], 'the console stays empty');
  assert.deepEqual(requests.splice(0).filter((url) => !/^(file|blob|data):/.test(url)), [], 'nothing is fetched');
});

async function open(fragment = '', options = {}) {
  const context = await browser.newContext({ viewport: { width: 1180, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.on('console', (message) => messages.push(message.text()));
  page.on('pageerror', (error) => messages.push(String(error)));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(address + fragment);
  await page.waitForSelector('html[data-ready]');
  return page;
}
const text = (page, id) => page.locator(`#${id}`).innerText();
const settled = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
async function set(page, id, value) {
  await page.fill(`#${id}`, value);
  await settled(page);
}
function file(name, content) {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
}
/** A file that says it has 2 GB. */
function hugeFile(name) {
  const path = join(scratch, name);
  const descriptor = openSync(path, 'w');
  ftruncateSync(descriptor, 2 ** 31);
  closeSync(descriptor);
  return path;
}
/** A grey PNG. */
function png(width, height) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(8 + body.length);
    out.writeUInt32BE(data.length);
    body.copy(out, 4);
    out.writeUInt32BE(crcOf(body), 4 + body.length);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([8, 0, 0, 0, 0], 8);
  const rows = Buffer.alloc((width + 1) * height, 128);
  for (let y = 0; y < height; ++y) rows[y * (width + 1)] = 0;
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}
function crcOf(bytes) {
  if (crc32) return crc32(bytes);
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let i = 0; i < 8; ++i) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

test('one file under 300 kB, with the module that the other tests compare', async () => {
  assert.ok(statSync(join(explorer, 'index.html')).size < 300000);
  const page = await open();
  const inside = await page.evaluate(() => Array.from(globalThis.explorer.wasm));
  const hash = (bytes) => createHash('sha256').update(Uint8Array.from(bytes)).digest('hex');
  assert.equal(hash(inside), hash(readFileSync(join(explorer, 'hunyuan_reso.wasm'))));
  await page.context().close();
});

test('a size: the answer, its reasons and the address follow what is typed', async () => {
  const page = await open();
  for (const [request, words] of [['1080x1920', []], ['4:3', ['--base-size', '2048']], ['2.39:1', []], ['<img_ratio_3>', []]]) {
    await page.selectOption('#base', words[1] ?? '');
    await set(page, 'size', request);
    const answer = JSON.parse(native(['explain', '--format', 'json', ...words, request]).out);
    const shown = await text(page, 'answer');
    assert.ok(shown.includes(`${answer.result.height} \u00d7 ${answer.result.width}`), shown);
    assert.ok(shown.includes(`= ${answer.result.ratio_token_id}`), shown);
    assert.deepEqual(await page.locator('#notes li').allInnerTexts(), answer.notes);
    assert.equal(await page.locator('#candidates tbody tr').count(), answer.candidates.length);
    assert.equal(await page.locator('#ways tbody tr').count(), answer.ways.length);
    assert.equal(await page.locator('#picture .dot').count(), 38);
  }
  assert.match(page.url(), /#size=%3Cimg_ratio_3%3E$/);
  await page.selectOption('#order', 'wh');
  await set(page, 'size', '1920x1080');
  assert.ok((await text(page, 'answer')).includes('1280 \u00d7 720'));
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  assert.equal(await page.inputValue('#size'), '1920x1080');
  assert.ok((await text(page, 'answer')).includes('1280 \u00d7 720'));
  await page.locator('summary', { hasText: 'side by side' }).click();
  await settled(page);
  assert.equal(await page.locator('#side tbody tr').count(), 10);
  assert.equal(await page.locator('#side tbody tr').nth(3).locator('td').nth(2).innerText(), '1280 \u00d7 720');
  await page.context().close();
});

test('errors stand beside their field, and go away', async () => {
  const page = await open('#base=1000&target=big');
  assert.match(await text(page, 'model-error'), /--base-size 1000/);
  await page.selectOption('#base', '');
  await set(page, 'size', '4K');
  assert.match(await text(page, 'size-error'), /this names no height and width/);
  assert.equal(await text(page, 'answer'), '');
  await set(page, 'size', '16:9');
  assert.equal(await page.locator('#size-error').innerText(), '');
  assert.match(await text(page, 'target-error'), /--target/);
  await set(page, 'size', '01024x768');
  assert.match(await text(page, 'size-error'), /begins with 0/);
  for (const fragment of ['#size=%zz&nothing=1&tab=9&profile=x&precision=x&grid=%20', '#tab=plan&steps=-1', '#tab=prompt&cond=x', `#size=${'9'.repeat(5000)}`]) {
    await page.goto(address + fragment);
    await settled(page);
    assert.notEqual((await page.locator('.error:visible').allInnerTexts()).join('') + fragment, '#');
  }
  await page.context().close();
});

test('dragging and sliders', async () => {
  const page = await open();
  const box = await page.locator('#picture').boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.3);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.35, box.y + box.height * 0.2, { steps: 5 });
  await page.mouse.up();
  await settled(page);
  assert.match(await page.inputValue('#size'), /^\d+x\d+$/);
  const [height, width] = (await page.inputValue('#size')).split('x').map(Number);
  assert.ok(height > width && height % 16 === 0 && width % 16 === 0);
  await page.focus('#height');
  await page.keyboard.press('ArrowRight');
  await settled(page);
  assert.equal(await page.inputValue('#size'), `${height + 16}x${width}`);
  await page.context().close();
});

test('a picture is cropped as the tool says', async () => {
  const page = await open();
  await page.setInputFiles('#image', file('a.png', png(1200, 700)));
  await page.waitForSelector('#crop:not([hidden])');
  const [row] = JSON.parse(native(['snap', '--format', 'json', '700x1200']).out).sizes;
  const shown = await text(page, 'crop-text');
  assert.ok(shown.includes(`resized to ${row.resized_height} \u00d7 ${row.resized_width} and cut from top ${row.crop_top}, left ${row.crop_left}`), shown);
  for (const bad of [file('empty.png', ''), file('binary.png', Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 37) % 256))), hugeFile('huge.png')]) {
    await page.setInputFiles('#image', bad);
    await page.waitForFunction(() => /is no picture/.test(document.getElementById('image-error').textContent));
    assert.ok(await page.locator('#crop').isHidden());
    await page.setInputFiles('#image', file('a.png', png(12, 7)));
    await page.waitForSelector('#crop:not([hidden])');
  }
  await page.context().close();
});

test('a final size, with its tiles', async () => {
  const page = await open('#target=4K');
  const plan = JSON.parse(native(['plan', '--format', 'json', '16:9', '--target', '4K']).out);
  const shown = await text(page, 'target-answer');
  assert.ok(shown.includes(`${plan.target.height} \u00d7 ${plan.target.width}`), shown);
  assert.ok(shown.replace(/\D/g, '').includes(`${plan.model_calls}`), shown);
  assert.equal(await page.locator('.tile').count(), plan.layout.tiles.length);
  await set(page, 'target', '512x512');
  assert.equal(await page.locator('.tile').count(), 0);
  await page.context().close();
});

test('a plan with its findings', async () => {
  const page = await open('#tab=plan&base=2048');
  for (const [fields, words] of [[{ 'plan-size': '2048x2048', cond: '3024x4032, 900x1600', tokens: '500' }, ['--conditioning', '3024x4032', '--conditioning', '900x1600', '--prompt-tokens', '500']],
    [{ cond: '', tokens: '30000' }, ['--prompt-tokens', '30000']]]) {
    for (const [id, value] of Object.entries(fields)) await set(page, id, value);
    const plan = JSON.parse(native(['plan', '--format', 'json', '--base-size', '2048', '2048x2048', ...words]).out);
    const shown = await text(page, 'plan');
    assert.equal(await page.locator('#plan li').count(), plan.diagnostics.length);
    for (const item of plan.diagnostics) assert.ok(shown.includes(item.message), item.message);
    assert.equal(shown.startsWith('Feasible'), plan.feasible);
  }
  await set(page, 'steps', '1e3');
  assert.match(await text(page, 'plan-error'), /--steps: expected a whole number/);
  await page.context().close();
});

test('a million lines in the background', async () => {
  const random = numbers(9);
  const lines = ['name,width,height'];
  for (let i = 0; i < 1000000; ++i) lines.push(`img/${i}.jpg,${random(4096) + 1},${random(4096) + 1}`);
  const list = lines.join('\n');
  const page = await open('#tab=list');
  await page.evaluate(() => {
    globalThis.slowest = 0;
    let last = performance.now();
    const tick = () => {
      const now = performance.now();
      globalThis.slowest = Math.max(globalThis.slowest, now - last);
      last = now;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    globalThis.seen = 0;
    new MutationObserver(() => ++globalThis.seen).observe(document.getElementById('progress-text'), { childList: true });
  });
  await page.setInputFiles('#list', file('million.csv', list));
  await page.waitForSelector('#download', { timeout: 120000 });
  assert.ok((await page.evaluate(() => globalThis.seen)) > 3, 'progress is shown');
  console.log(`a million lines: ${(await page.locator('#list-answer dd').allInnerTexts())[3]}; the page stood still for ` +
    `${Math.round(await page.evaluate(() => globalThis.slowest))} ms at most`);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')]);
  assert.equal(download.suggestedFilename(), 'million-buckets.csv');
  const expected = native(['snap', '--from', 'csv', '--format', 'csv', '--quiet', 'million.csv']);
  assert.ok(readFileSync(await download.path(), 'utf8') === expected.out, 'the download is what the tool writes');
  const summary = JSON.parse(native(['snap', '--from', 'csv', '--format', 'json', '--summary', 'million.csv']).out);
  const counts = summary.histogram.filter((row) => row.count > 0).map((row) => row.count);
  assert.deepEqual((await page.locator('#list-answer tbody td:nth-child(3)').allInnerTexts()).map((t) => Number(t.replace(/\D/g, ''))), counts);
  await page.context().close();
});

test('other lists, and files that are none', async () => {
  const page = await open('#tab=list');
  const take = async (path, pattern) => {
    await page.setInputFiles('#list', path);
    await page.waitForFunction((source) => new RegExp(source).test(document.getElementById('list-error').textContent), pattern.source);
  };
  await take(file('empty.csv', ''), /is empty \(0 bytes\)/);
  await take(file('binary.csv', Buffer.from(Array.from({ length: 100000 }, (_, i) => (i * 89 + 7) % 256))), /line 1|no column/);
  await take(file('noheader.csv', 'a,1,2\n'), /no column for width and height/);
  await take(file('packed.csv', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0])), /compressed by gzip/);
  await take(file('some.jsonl', '{"file": "a", "width": 100, "height": 50}\n{"width": 3}\n'), /line 2: the height is missing/);
  assert.ok((await text(page, 'list-answer')).includes('some-buckets.csv'));
  await page.selectOption('#answers', 'json');
  await page.check('#with-crop');
  await page.setInputFiles('#list', file('plain.txt', '1080x1920\n16:9\n'));
  await page.waitForSelector('#download:has-text("plain-buckets.jsonl")');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')]);
  assert.equal(readFileSync(await download.path(), 'utf8'), native(['snap', '--format', 'json', '--crop', '--quiet', '-'], '1080x1920\n16:9\n').out);
  await page.setInputFiles('#list', hugeFile('huge.csv'));
  await page.waitForFunction(() => /2\D?147\D?483\D?648 bytes/.test(document.getElementById('progress-text').textContent));
  await page.click('#cancel');
  assert.equal(await text(page, 'list-error'), 'Stopped.');
  assert.ok(await page.locator('#running').isHidden());
  await page.context().close();
});

test('a prompt: ids, the sequence, positions, the mask', async () => {
  const reso = await loadModule();
  const page = await open('#tab=prompt&cond=3024x4032');
  const row = () => JSON.parse(native(['sequence', '--format', 'json', '-'], JSON.stringify({ prompt: 'a cat', gen: '16:9', cond: [['3024x4032']] })).out).rows[0];
  assert.ok((await text(page, 'sequence-facts')).replace(/\D*/, '').startsWith(String(row().length).replace(/\B(?=(\d{3})+$)/g, '\u202f')));
  for (const bad of [file('empty.json', ''), file('binary.json', Buffer.from([0xff, 0xfe, 0, 1, 2])), file('none.json', '{}'), hugeFile('huge.json'),
    file('base.json', tokenizerJson(reso, 'instruct').replaceAll('"<boi>"', '"<boo>"'))]) {
    await page.setInputFiles('#tokenizer', bad);
    await page.waitForFunction(() => document.getElementById('tokenizer-error').textContent !== '');
    assert.match(await text(page, 'tokenizer-error'), /0 bytes|UTF-16|expected the key model|special tokens|2\D147\D483\D648|<boi>/);
    await page.evaluate(() => (document.getElementById('tokenizer-error').textContent = ''));
  }
  await page.setInputFiles('#tokenizer', file('tokenizer.json', tokenizerJson(reso, 'instruct')));
  await page.waitForFunction(() => /special tokens are those of instruct/.test(document.getElementById('tokenizer-state').textContent));
  await set(page, 'prompt', 'a cat \u4e2d <boi>');
  const ids = JSON.parse(native(['encode', '--tokenizer', 'tokenizer.json', 'a cat \u4e2d <boi>']).out);
  assert.deepEqual((await page.locator('#ids small').allInnerTexts()).map(Number), ids);
  await page.focus('#strip');
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Home');
  assert.match(await text(page, 'part'), /^<\|startoftext\|>, at 0/);
  await page.hover('#strip .k-generated');
  const generated = row().image_runs.at(-1);
  assert.match(await text(page, 'part'), /^picture to generate, \d+ to \d+, 3\D600 tokens, grid 45 \u00d7 80: sees all of/);
  assert.equal(generated.token_height, 45);
  assert.match(await text(page, 'mask-text'), /full inside \d+ to \d+, \d+ to \d+/);
  await set(page, 'prompt-size', 'nothing');
  assert.match(await text(page, 'prompt-error'), /nothing/);
  await page.context().close();
});

test('tabs and the skip link by keyboard', async () => {
  const page = await open();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.focus('#tab-size');
  for (const name of ['plan', 'list', 'prompt', 'size']) {
    await page.keyboard.press('ArrowRight');
    await settled(page);
    assert.equal(await page.evaluate(() => document.activeElement.id), `tab-${name}`);
    assert.ok(await page.locator(`#panel-${name}`).isVisible());
  }
  await page.context().close();
});

test('axe-core finds nothing, light and dark, wide and 320 pixels', async () => {
  let checked = 0;
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1180, 320]) {
      for (const [name, fragment] of [['size', '#size=4:3&base=2048&target=4K'], ['plan', '#tab=plan&base=2048&precision=int8'], ['list', '#tab=list'],
        ['prompt', '#tab=prompt&cond=3024x4032'], ['errors', '#size=4K&target=x']]) {
        const page = await open(fragment, { colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
        if (name === 'size') await page.locator('summary', { hasText: 'side by side' }).click();
        if (name === 'size') await page.setInputFiles('#image', file('a.png', png(1200, 700)));
        if (name === 'list') await page.setInputFiles('#list', file('few.csv', 'name,width,height\na,100,200\nb,x,1\n'));
        if (name === 'list') await page.waitForSelector('#download');
        await settled(page);
        await page.evaluate(axe);
        const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
        assert.deepEqual(violations.map((v) => [v.id, v.nodes.map((n) => n.html)]), [], `${name} ${colorScheme} ${width}`);
        assert.ok(passes.length > 20);
        checked += 1;
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, `${name}: nothing is wider than the page`);
        await page.screenshot({ path: join(pictures, `${name}-${colorScheme}-${width}.png`), fullPage: true });
        await page.context().close();
      }
    }
  }
  console.log(`axe-core: 0 violations in ${checked} states`);
});
