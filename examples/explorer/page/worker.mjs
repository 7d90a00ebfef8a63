// SPDX-License-Identifier: MIT
// The same script in a worker: reads a list in parts, and posts progress and parts of the answers.
import { load } from '../module/load.mjs';

const chunk = 1 << 22; // bytes read from the file at once

function readerOf(file, onProgress) {
  const files = new FileReaderSync();
  let held = new Uint8Array(0);
  let at = 0;
  return (target) => {
    try {
      if (held.length === 0 && at < file.size) {
        held = new Uint8Array(files.readAsArrayBuffer(file.slice(at, at + chunk)));
        at += held.length;
        onProgress(at);
      }
    } catch {
      return -1;
    }
    const part = held.subarray(0, target.length);
    target.set(part);
    held = held.subarray(part.length);
    return part.length;
  };
}

export function startWorker() {
  self.onmessage = async ({ data }) => {
    try {
      const reso = await load(data.wasm);
      const start = performance.now();
      const read = readerOf(data.file, (bytes) => self.postMessage({ bytes }));
      const answer = reso.snapList(data.options, read, (part) => self.postMessage({ part }, [part.buffer]));
      self.postMessage({ answer, seconds: (performance.now() - start) / 1000 });
    } catch (error) {
      self.postMessage({ error: error.message });
    }
  };
}
