// SPDX-License-Identifier: MIT
// What was chosen, kept in the address's fragment: #size=16:9&base=2048. Values that are the default are left out.

/** The functions of the module. */
export let reso;
export function setReso(functions) {
  reso = functions;
}

const defaults = {
  tab: 'size', profile: 'instruct', base: '', extras: 'absolute', grid: 'snap', order: 'hw', size: '16:9', target: '',
  tokens: '', steps: '', batch: '', precision: 'bf16', cond: '', prompt: 'a cat', system: '',
};

export const state = { ...defaults };
const listeners = [];

/** Called after every change. */
export function onChange(listener) {
  listeners.push(listener);
}

export function setState(changes) {
  Object.assign(state, changes);
  const kept = Object.entries(state).filter(([key, value]) => value !== defaults[key]);
  const fragment = kept.map(([key, value]) => `${key}=${encodeURIComponent(value).replace(/%3A/g, ':')}`).join('&');
  history.replaceState(null, '', fragment === '' ? location.pathname + location.search : `#${fragment}`);
  for (const listener of listeners) listener();
}

export function readFragment() {
  Object.assign(state, defaults);
  for (const pair of location.hash.slice(1).split('&')) {
    const [key, value = ''] = pair.split(/=(.*)/s);
    if (!Object.hasOwn(defaults, key)) continue;
    try {
      state[key] = decodeURIComponent(value);
    } catch {
      state[key] = value; // a % that somebody typed
    }
  }
  for (const listener of listeners) listener();
}

/** What the module's functions take. */
export function modelOptions() {
  return {
    profile: state.profile, baseSize: state.base, extras: state.extras, gridMode: state.grid, order: state.order,
  };
}
/** The sizes of conditioning pictures: "3024x4032, 900x1600". */
export const sizesOf = (text) => text.split(/[,;\n]/).map((part) => part.trim()).filter((part) => part !== '');
export const pair = (height, width) => (state.order === 'wh' ? `${width}x${height}` : `${height}x${width}`);
/** The same to be read, with the sign between the sides. */
export const shown = (height, width) => pair(height, width).replace('x', ' \u00d7 ');
