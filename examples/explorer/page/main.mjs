// SPDX-License-Identifier: MIT
// Starts the page, or, where there is no page, the worker.
import { load } from '../module/load.mjs';
import { byId, el, onceAFrame } from './ui.mjs';
import { onChange, readFragment, reso, setReso, setState, state } from './state.mjs';
import { showSize, startSize } from './size.mjs';
import { showPlan } from './plan.mjs';
import { startList } from './list.mjs';
import { showSequence, startSequence } from './sequence.mjs';
import { startWorker } from './worker.mjs';

const tabNames = ['size', 'plan', 'list', 'prompt'];
/** Fields and what they set; two fields of one key show the same. */
const bound = { profile: 'profile', base: 'base', extras: 'extras', grid: 'grid', order: 'order', size: 'size',
  target: 'target', 'plan-size': 'size', tokens: 'tokens', steps: 'steps', batch: 'batch', precision: 'precision', cond: 'cond',
  prompt: 'prompt', system: 'system', 'prompt-size': 'size', 'prompt-cond': 'cond' };

function fillChoices() {
  byId('profile').replaceChildren(...reso.profiles.map((profile) => el('option', { value: profile.name }, profile.name)));
  const profile = reso.profiles.find((candidate) => candidate.name === state.profile) ?? reso.profiles[1];
  if (profile.name !== state.profile) state.profile = profile.name;
  const trained = el('option', { value: '' }, `${profile.trainedBaseSize} (trained)`);
  const sizes = profile.baseSizes.filter((size) => size !== profile.trainedBaseSize);
  // A base size from an address need not have a token: it is shown, and the answer says what is wrong with it.
  if (state.base !== '' && !sizes.includes(Number(state.base))) sizes.push(state.base);
  byId('base').replaceChildren(trained, ...sizes.map((size) => el('option', { value: size }, String(size))));
}

function show() {
  if (!tabNames.includes(state.tab)) state.tab = 'size';
  fillChoices();
  for (const [id, key] of Object.entries(bound)) {
    const field = byId(id);
    if (field !== document.activeElement || field.value !== state[key]) field.value = state[key];
    if (field.value !== state[key]) field.value = state[key] = [...field.options].find((o) => o.defaultSelected)?.value ?? field.options[0].value;
  }
  for (const name of tabNames) {
    const selected = name === state.tab;
    byId(`tab-${name}`).setAttribute('aria-selected', String(selected));
    byId(`tab-${name}`).tabIndex = selected ? 0 : -1;
    byId(`panel-${name}`).hidden = !selected;
  }
  if (state.tab === 'size') showSize();
  if (state.tab === 'plan') showPlan();
  if (state.tab === 'prompt') showSequence();
}

function startTabs() {
  for (const name of tabNames) byId(`tab-${name}`).addEventListener('click', () => setState({ tab: name }));
  byId('tabs').addEventListener('keydown', (event) => {
    const last = tabNames.length - 1;
    const at = tabNames.indexOf(state.tab);
    const next = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setState({ tab: tabNames[next] });
    byId(`tab-${tabNames[next]}`).focus();
  });
}

async function startPage() {
  setReso(await load(globalThis.explorer.wasm));
  startSize();
  startSequence();
  startList();
  startTabs();
  for (const [id, key] of Object.entries(bound)) {
    byId(id).addEventListener('input', () => setState({ [key]: byId(id).value }));
  }
  for (const form of document.forms) form.addEventListener('submit', (event) => event.preventDefault());
  // A file that misses its field must not replace the page.
  for (const name of ['dragover', 'drop']) document.addEventListener(name, (event) => event.preventDefault());
  byId('skip').addEventListener('click', (event) => {
    event.preventDefault();
    byId('main').focus();
  });
  readFragment();
  onChange(onceAFrame(show));
  addEventListener('hashchange', readFragment);
  show();
  byId('loading').remove();
  document.documentElement.dataset.ready = 'yes';
}

if (typeof document === 'undefined') {
  startWorker();
} else {
  globalThis.explorer.started = startPage(); // no await here: a worker of this script is no module
}
