// SPDX-License-Identifier: MIT
// The WebAssembly module and its memory: texts and arrays in and out, and what the module asks of its host.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A request that is refused, with the tool's sentence. `status`: 1 for the input, 2 for options that make no sense. */
export class Refusal extends Error {
  constructor(text, status) {
    super(text.replace(/^hunyuan-reso: /, '').replace(/\nhunyuan-reso: /g, '\n').trimEnd());
    this.name = 'Refusal';
    this.status = status;
  }
}

/** What hunyuan_reso_host_stop throws through the module's frames. */
class Stop {
  constructor(status, text) {
    this.status = status;
    this.text = text;
  }
}

/** Refused calls leave a little memory behind: after so many the module starts anew. */
const mostStops = 500;

export class Instance {
  #module;
  #exports;
  #files = new Map();
  #stops = 0;
  #call = null; // what the running call reads and writes

  /** `module`: a WebAssembly.Module of hunyuan_reso.wasm. */
  constructor(module) {
    this.#module = module;
    this.#start();
  }

  get exports() {
    return this.#exports;
  }

  #start() {
    const text = (at, size) => this.bytes(at, size);
    const file = (at, size) => this.#files.get(decoder.decode(text(at, size)));
    const host = {
      write: (descriptor, at, size) => this.#call.write(descriptor, text(at, size).slice()),
      read: (at, size) => this.#call.read(text(at, size)),
      file_size: (at, size) => file(at, size)?.length ?? -1,
      file_read: (at, size, out) => void this.bytes(out, file(at, size).length).set(file(at, size)),
      number: (at, size) => Number(decoder.decode(text(at, size))),
      stop: (status, at, size) => {
        throw new Stop(status, decoder.decode(text(at, size)));
      },
    };
    const wasi = {
      clock_time_get: (clock, precision, out) => {
        const now = BigInt(Math.round(performance.now() * 1e6));
        new DataView(this.#exports.memory.buffer).setBigUint64(out, now, true);
        return 0;
      },
      proc_exit: (status) => {
        throw new Error(`the module ended with ${status}`);
      },
    };
    const env = { emscripten_notify_memory_growth: () => {} };
    this.#exports = new WebAssembly.Instance(this.#module, { host, env, wasi_snapshot_preview1: wasi }).exports;
    this.#exports._initialize();
    this.#stops = 0;
  }

  /** A view of the module's memory, good until the next call. */
  bytes(at, size) {
    return new Uint8Array(this.#exports.memory.buffer, at, size);
  }
  text(at) {
    const memory = new Uint8Array(this.#exports.memory.buffer);
    return decoder.decode(memory.subarray(at, memory.indexOf(0, at)));
  }

  /** Calls `use` with the address of a copy of an array, of `size` bytes if that is more. */
  with(array, use, size = array.byteLength) {
    const at = this.#exports.allocate(Math.max(size, 1));
    if (at === 0) throw new Refusal('there is not enough memory for this', 1);
    try {
      this.bytes(at, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      return use(at);
    } finally {
      this.#exports.release(at);
    }
  }
  /** The text of a number below zero that a function refused with. */
  check(result) {
    if (result < 0) throw new Refusal(this.text(this.#exports.message_of(result)), 1);
    return result;
  }

  /** A file that commands may name. */
  setFile(name, bytes) {
    this.#files.set(name, bytes);
    this.#exports.forget_files();
  }

  /**
   * Runs a command of the tool. `read(target)` fills in bytes of the input and returns how many, 0 at its end;
   * `write(descriptor, bytes)` takes the result (1), errors (2) and files (3). Returns the exit status.
   */
  run(words, read, write) {
    if (words.some((word) => word.includes('\0'))) throw new Refusal('a text has a zero byte', 1);
    const packed = encoder.encode(words.map((word) => word + '\0').join(''));
    const stack = this.#exports.stackSave();
    this.#call = { read, write };
    try {
      return this.with(packed, (at) => this.#exports.call(at, packed.length));
    } catch (error) {
      if (!(error instanceof Stop)) {
        this.#start(); // nobody knows what it left behind
        if (!(error instanceof WebAssembly.RuntimeError)) throw error;
        throw new Refusal('there is not enough memory for this', 1);
      }
      write(2, encoder.encode(error.text));
      this.#exports.stackRestore(stack);
      if (++this.#stops === mostStops) this.#start();
      return error.status;
    } finally {
      this.#call = null;
    }
  }

  /** The same with the whole input as a text or bytes, and all results as texts. */
  runWhole(words, input = '') {
    const bytes = typeof input === 'string' ? encoder.encode(input) : input;
    let at = 0;
    const read = (target) => {
      const part = bytes.subarray(at, at + target.length);
      target.set(part);
      at += part.length;
      return part.length;
    };
    const parts = [[], [], [], []];
    const status = this.run(words, read, (descriptor, chunk) => parts[descriptor].push(chunk));
    const [, out, errors, file] = parts.map((chunks) => {
      const text = new TextDecoder();
      return chunks.map((chunk) => text.decode(chunk, { stream: true })).join('') + text.decode();
    });
    return { status, out, errors, file };
  }
}
