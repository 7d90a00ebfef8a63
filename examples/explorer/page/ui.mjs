// SPDX-License-Identifier: MIT
// Small helpers: elements, tables, errors beside their field, files.
import { Refusal } from '../module/load.mjs';

export const byId = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== undefined));
  return node;
}
export const el = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
export const svg = (name, attributes = {}, ...children) =>
  fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);

/** Columns: { head, number, of(row) }; `of` gives a text or nodes. */
export function tableOf(columns, rows, classOf = () => undefined) {
  const cell = (column, content) => el('td', { class: column.number ? 'number' : undefined }, content);
  return el('table', {},
    el('thead', {}, el('tr', {}, columns.map((c) => el('th', { scope: 'col', class: c.number ? 'number' : undefined }, c.head)))),
    el('tbody', {}, rows.map((row) => el('tr', { class: classOf(row) }, columns.map((c) => cell(c, c.of(row)))))));
}
export const factsOf = (pairs) => el('dl', {}, pairs.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));

export const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, '\u202f');
export const percent = (share) => `${(100 * share).toFixed(2)} %`;
export const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(2)} GB`;

/** Runs an action; a refusal is shown in the element of this id, in the page's words, and gives undefined. */
export function attempt(id, action) {
  try {
    const result = action();
    byId(id).textContent = '';
    return result;
  } catch (error) {
    showError(id, error);
    return undefined;
  }
}
export function showError(id, error) {
  if (!(error instanceof Refusal)) console.error(error);
  byId(id).textContent = error.message.replace(/\nhunyuan-reso \S* ?--help.*/s, '');
}

/** A file from an input, or dropped on the element around it. */
export function onFile(inputId, dropId, use) {
  const input = byId(inputId);
  input.addEventListener('change', () => input.files.length > 0 && use(input.files[0]));
  const drop = byId(dropId);
  const over = (event, on) => {
    event.preventDefault();
    drop.classList.toggle('over', on);
  };
  drop.addEventListener('dragover', (event) => over(event, true));
  drop.addEventListener('dragleave', (event) => over(event, false));
  drop.addEventListener('drop', (event) => {
    over(event, false);
    if (event.dataTransfer.files.length > 0) use(event.dataTransfer.files[0]);
  });
}

/** Once a frame, however often it is asked for. */
export function onceAFrame(action) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      action();
    });
  };
}
