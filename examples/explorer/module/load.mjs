// SPDX-License-Identifier: MIT
// The functions of the module, over an instance of hunyuan_reso.wasm.
import { Instance, Refusal } from './instance.mjs';

export { Refusal };

const kinds = ['generated', 'vae', 'vit'];
const tokenizerName = 'tokenizer.json';
/** Larger files are refused before they are read: the tokenizer of the releases has 11 MB. */
const mostTokenizerBytes = 256 * 1024 * 1024;

/** A size as the tool reads it: a text as it is, { height, width } in the order in force. */
function sizeText(size, order) {
  if (typeof size === 'string') return size;
  return order === 'wh' ? `${size.width}x${size.height}` : `${size.height}x${size.width}`;
}

function option(words, name, value) {
  if (value !== undefined && value !== null && value !== '') words.push(name, String(value));
}

function modelWords(options, withGridMode = true) {
  const words = [];
  option(words, '--profile', options.profile);
  option(words, '--base-size', options.baseSize);
  option(words, '--extras', options.extras);
  option(words, '--order', options.order);
  if (withGridMode) option(words, '--grid-mode', options.gridMode);
  for (const [index, id] of Object.entries(options.ratioTokens ?? {})) words.push('--ratio-token', `${index}=${id}`);
  return words;
}

/** Makes the functions from the bytes of hunyuan_reso.wasm, or from a WebAssembly.Module of them. */
export async function load(source) {
  const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
  return new Functions(new Instance(module));
}

class Functions {
  #instance;
  #profiles;
  #tokenizer; // the options that it was loaded with
  #readBy; // the instance that has read it

  constructor(instance) {
    this.#instance = instance;
    const wasm = instance.exports;
    this.#profiles = Array.from({ length: wasm.profile_count() }, (_, i) => {
      const baseSizes = [];
      for (let k = 0; wasm.base_size(i, k) !== 0; ++k) baseSizes.push(wasm.base_size(i, k));
      return Object.freeze({
        name: instance.text(wasm.profile_name(i)),
        trainedBaseSize: wasm.trained_base_size(i),
        baseSizes: Object.freeze(baseSizes),
        tokenPixels: wasm.token_pixels(i),
      });
    });
    // Usable without the object in front: const { snap } = await load(...)
    for (const name of Object.getOwnPropertyNames(Functions.prototype)) {
      if (name !== 'constructor' && name !== 'profiles') this[name] = this[name].bind(this);
    }
  }

  get profiles() {
    return this.#profiles;
  }

  #profileNumber(name = 'instruct') {
    const number = this.#profiles.findIndex((profile) => profile.name === name);
    if (number >= 0) return number;
    throw new Refusal(`profile: expected ${this.#profiles.map((p) => p.name).join(', ')}, but got '${name}'`, 2);
  }

  /** The JSON answer of a command. Where there is one, a status other than 0 is part of it. */
  #answer(words, options, input) {
    const { status, out, errors } = this.#instance.runWhole(words, input);
    if (out === '') throw new Refusal(errors, status);
    if (errors !== '' && status === 0) options.warn?.(new Refusal(errors, 0).message);
    return JSON.parse(out);
  }

  /** Any command of the tool that the module has: { status, out, errors, file }. */
  run(words, input) {
    return this.#instance.runWhole(words, input);
  }

  table(options = {}) {
    return this.#answer(['table', '--format', 'json', ...modelWords(options, false)], options);
  }

  explain(request, options = {}) {
    const words = ['explain', '--format', 'json', ...modelWords(options)];
    for (const size of options.conditioning ?? []) words.push('--conditioning', sizeText(size, options.order));
    option(words, '--target', options.target && sizeText(options.target, options.order));
    option(words, '--max-pixels', options.maxPixels);
    return this.#answer([...words, '--', sizeText(request, options.order)], options);
  }

  snap(size, options = {}) {
    const text = sizeText(size, options.order);
    if (text === '-') this.explain(text, options); // which refuses it; snap would read a list
    const words = ['snap', '--format', 'json', ...modelWords(options), '--', text];
    const { status, out, errors } = this.#instance.runWhole(words);
    const answer = out === '' ? undefined : JSON.parse(out).sizes[0];
    if (answer === undefined) throw new Refusal(errors, status);
    if (errors !== '') options.warn?.(new Refusal(errors, 0).message);
    return answer;
  }

  snapBatch(widths, heights, options = {}) {
    if (!(widths instanceof Int32Array) || !(heights instanceof Int32Array)) {
      throw new TypeError('snapBatch: expected two Int32Array, widths and heights');
    }
    if (widths.length !== heights.length) {
      throw new RangeError(`snapBatch: ${widths.length} widths and ${heights.length} heights`);
    }
    const profile = this.#profileNumber(options.profile);
    const baseSize = options.baseSize ?? this.#profiles[profile].trainedBaseSize;
    const scaled = options.extras === 'scaled' ? 1 : 0;
    const { exports } = this.#instance;
    return this.#instance.with(widths, (w) =>
      this.#instance.with(heights, (h) =>
        this.#instance.with(new Uint8Array(0), (out) => {
          this.#instance.check(exports.snap_batch(profile, baseSize, scaled, w, h, out, widths.length));
          return this.#instance.bytes(out, widths.length).slice();
        }, widths.length)));
  }

  snapList({ from = 'sizes', columns, format = 'csv', crop, ignoreOrientation, ...options }, read, write) {
    const words = ['snap', '--from', from, '--format', format, '--summary-out', 'summary', '--quiet'];
    words.push(...modelWords(options));
    option(words, '--columns', columns);
    if (crop) words.push('--crop');
    if (ignoreOrientation) words.push('--ignore-orientation');
    const texts = { 2: '', 3: '' };
    const decoders = { 2: new TextDecoder(), 3: new TextDecoder() };
    const status = this.#instance.run([...words, '-'], read, (descriptor, bytes) => {
      if (descriptor === 1) return write(bytes);
      texts[descriptor] += decoders[descriptor].decode(bytes, { stream: true });
    });
    if (texts[3] === '') throw new Refusal(texts[2], status);
    return { summary: JSON.parse(texts[3]), errors: texts[2] === '' ? '' : new Refusal(texts[2], status).message };
  }

  plan(size, options = {}) {
    const words = ['plan', '--format', 'json', ...modelWords(options)];
    option(words, '--prompt-tokens', options.promptTokens);
    option(words, '--chain-of-thought-tokens', options.chainOfThoughtTokens);
    option(words, '--task', options.task);
    for (const image of options.conditioning ?? []) words.push('--conditioning', sizeText(image, options.order));
    if (options.alignOutput) words.push('--align-output');
    option(words, '--steps', options.steps);
    option(words, '--guidance', options.guidance);
    option(words, '--batch', options.batch);
    option(words, '--precision', options.precision);
    if (options.eagerMoeMask) words.push('--eager-moe-mask');
    if (options.prompt !== undefined) words.push('--tokenizer', tokenizerName, '--prompt', options.prompt);
    if (options.prompt !== undefined) option(words, '--system', options.system);
    return this.#answer([...words, '--', sizeText(size, options.order)], options);
  }

  sequence(request, options = {}) {
    const words = ['sequence', '--format', 'json', ...modelWords(options)];
    if (options.tokenizer) words.push('--tokenizer', tokenizerName);
    return this.#answer([...words, '-'], options, JSON.stringify(request));
  }

  loadTokenizer(bytes, options = {}) {
    if (bytes.length > mostTokenizerBytes) {
      throw new Refusal(`the file has ${bytes.length} bytes, expected a tokenizer.json of at most 256 MiB`, 1);
    }
    this.#instance.setFile(tokenizerName, bytes);
    this.#tokenizer = { profile: options.profile };
    try {
      return this.#readTokenizer();
    } catch (error) {
      this.#tokenizer = undefined;
      this.#instance.setFile(tokenizerName, new Uint8Array(0));
      throw error;
    }
  }

  /** The smallest command that loads it: the profile's special tokens are compared with the file's. */
  #readTokenizer() {
    const words = ['plan', ...modelWords(this.#tokenizer), '--tokenizer', tokenizerName, '--prompt', '', '1:1'];
    const { status, errors, out } = this.#instance.runWhole(words);
    if (out === '') throw new Refusal(errors, status);
    this.#readBy = this.#instance.exports;
    return { notes: errors === '' ? '' : new Refusal(errors, 0).message };
  }
  #needTokenizer() {
    if (this.#tokenizer === undefined) throw new Refusal('no tokenizer.json was loaded: call loadTokenizer first', 2);
    if (this.#readBy !== this.#instance.exports) this.#readTokenizer(); // the module has started anew
  }

  encode(text) {
    this.#needTokenizer();
    const bytes = new TextEncoder().encode(text);
    const { exports } = this.#instance;
    // A token has a byte at least, but normalization can make a text longer.
    const room = 4 * bytes.length + 16;
    return this.#instance.with(bytes, (at) =>
      this.#instance.with(new Uint8Array(0), (out) => {
        const count = exports.encode(at, bytes.length, out, room);
        return new Int32Array(this.#instance.bytes(out, 4 * count).slice().buffer);
      }, 4 * room));
  }

  specialToken(id, options = {}) {
    const profile = this.#profileNumber(options.profile);
    return this.#instance.text(this.#instance.exports.special_text(profile, id));
  }

  tokenBytes(id) {
    this.#needTokenizer();
    const { exports } = this.#instance;
    return this.#instance.bytes(exports.token_bytes(id), exports.token_size(id)).slice();
  }

  #withRuns(row, use) {
    const numbers = row.image_runs.flatMap((run) => [
      ...run.slice, kinds.indexOf(run.kind), run.in_joint_block ? 1 : 0, run.token_height ?? 0, run.token_width ?? 0]);
    return this.#instance.with(Int32Array.from(numbers), (at) => use(at, row.image_runs.length));
  }

  attentionMask(row, fields, options = {}) {
    const profile = this.#profileNumber(options.profile);
    return this.#withRuns(row, (runs, count) =>
      this.#instance.with(new Uint8Array(0), (out) => {
        this.#instance.check(this.#instance.exports.mask(profile, runs, count, row.length, fields, out));
        return this.#instance.bytes(out, fields * fields).slice();
      }, fields * fields));
  }

  positions(row, options = {}) {
    const profile = this.#profileNumber(options.profile);
    return this.#withRuns(row, (runs, count) =>
      this.#instance.with(new Uint8Array(0), (out) => {
        this.#instance.check(this.#instance.exports.positions(profile, runs, count, row.length, out));
        return new Int32Array(this.#instance.bytes(out, 8 * row.length).slice().buffer);
      }, 8 * row.length));
  }

  enlarge(target, { request, tile, overlap, strength, ...options } = {}) {
    const words = ['plan', '--format', 'json', ...modelWords({ ...options, gridMode: undefined })];
    words.push('--target', sizeText(target, options.order));
    option(words, '--precision', options.precision);
    option(words, '--steps', options.steps);
    option(words, '--tile', tile && sizeText(tile, options.order));
    option(words, '--overlap', overlap);
    option(words, '--strength', strength);
    if (request !== undefined) words.push('--', sizeText(request, options.order));
    return this.#answer(words, options);
  }

  tiles(target, { tile, overlap, ...options } = {}) {
    const words = ['tiles', '--format', 'json'];
    option(words, '--profile', options.profile);
    option(words, '--order', options.order);
    option(words, '--tile', tile && sizeText(tile, options.order));
    option(words, '--overlap', overlap);
    return this.#answer([...words, '--', sizeText(target, options.order)], options);
  }
}
