// SPDX-License-Identifier: MIT
// Unpacks what build.mjs put into the page, the module and the scripts, and starts them.

/** The bytes that build.mjs wrote as text: seven bits a character, or fourteen. */
function bytesOf({ textContent, dataset }) {
  const bytes = new Uint8Array(dataset.size);
  let held = 0;
  let count = 0;
  let size = 0;
  const take = (seven) => {
    held = (held << 7) | seven;
    count += 7;
    if (count < 8) return;
    count -= 8;
    bytes[size++] = held >> count;
    held &= (1 << count) - 1;
  };
  for (let i = 0; i < textContent.length; ++i) {
    const code = textContent.charCodeAt(i);
    if (code >= 128) take([0, 13, 60][(code - 128) >> 7]);
    take(code & 127);
  }
  return bytes;
}
async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function start() {
  const packed = await inflated(bytesOf(document.getElementById('packed')));
  const size = new DataView(packed.buffer).getUint32(0);
  const script = new Blob([packed.subarray(4 + size)], { type: 'text/javascript' });
  globalThis.explorer = { wasm: packed.slice(4, 4 + size), script: URL.createObjectURL(script) };
  await import(globalThis.explorer.script);
  await globalThis.explorer.started;
}

start().catch((error) => {
  document.getElementById('loading').textContent = `This browser cannot run the page: ${error.message}`;
});
