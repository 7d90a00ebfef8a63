// SPDX-License-Identifier: MIT
// Unpacks what build.mjs put into the page, the module and the scripts, and starts them.

/** The bytes that build.mjs wrote as text: seven bits a character. */
function bytesOf(text) {
  const bytes = new Uint8Array((text.length * 7) >> 3);
  let held = 0;
  let count = 0;
  let size = 0;
  for (let i = 0; i < text.length; ++i) {
    let seven = text.charCodeAt(i);
    if (seven === 92) seven = '\0\r<\\'.charCodeAt(text.charCodeAt(++i) - 97);
    held = (held << 7) | seven;
    count += 7;
    if (count >= 8) {
      count -= 8;
      bytes[size++] = held >> count;
      held &= (1 << count) - 1;
    }
  }
  return bytes.subarray(0, size);
}
async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function start() {
  const packed = await inflated(bytesOf(document.getElementById('packed').textContent));
  const size = new DataView(packed.buffer).getUint32(0);
  const script = new Blob([packed.subarray(4 + size)], { type: 'text/javascript' });
  globalThis.explorer = { wasm: packed.slice(4, 4 + size), script: URL.createObjectURL(script) };
  await import(globalThis.explorer.script);
  await globalThis.explorer.started;
}

start().catch((error) => {
  document.getElementById('loading').textContent = `This browser cannot run the page: ${error.message}`;
});
