// SPDX-License-Identifier: MIT
// The panel Plan: what a generation needs, and which limits it meets.
import { attempt, byId, el, factsOf, gigabytes, grouped } from './ui.mjs';
import { modelOptions, reso, shown, sizesOf, state } from './state.mjs';

const words = { note: 'Note', warning: 'Warning', error: 'Not feasible' };
const amount = (value) => (Number.isInteger(value) ? grouped(value) : value.toFixed(2));

function finding(item) {
  return el('li', {}, el('strong', { class: item.severity === 'note' ? undefined : 'bad' }, `${words[item.severity]}: `),
    `${item.message}: ${amount(item.value)}, limit ${amount(item.limit)} (${item.source}). `, el('em', {}, item.advice));
}

export function showPlan() {
  const place = byId('plan');
  const plan = attempt('plan-error', () => reso.plan(state.size, {
    ...modelOptions(), promptTokens: state.tokens, steps: state.steps, batch: state.batch, precision: state.precision,
    conditioning: sizesOf(state.cond),
  }));
  place.replaceChildren();
  if (plan === undefined) return;
  const { image, tokens, bytes, flop, rows } = plan;
  place.append(
    el('p', { class: `result ${plan.feasible ? 'good' : 'bad'}` }, plan.feasible ? 'Feasible' : 'Not feasible'),
    factsOf([
      ['Picture', `${shown(image.height, image.width)}${image.ratio_is_predicted ? ' at most: the model predicts the ratio' : ''}`],
      ['Tokens', `${grouped(tokens.sequence_length)} a row: ${grouped(image.image_token_length)} of the picture, ` +
        `${grouped(tokens.text)} of text${tokens.text_is_counted ? '' : ' (estimated)'}, ${grouped(tokens.conditioning)} of conditioning`],
      ['Rows', `${rows.batch} ${rows.batch === 1 ? 'picture' : 'pictures'} x ${rows.cfg_rows} for guidance`],
      ['Steps', `${plan.steps}, guidance ${plan.guidance}, shift ${plan.flow_shift}`],
      ['Weights', `${gigabytes(bytes.weights)} in ${plan.precision}, VAE ${gigabytes(bytes.vae)}`],
      ['Cache', `${gigabytes(bytes.kv_cache)}, a dense mask ${gigabytes(bytes.dense_mask)}`],
      ['Work', `${(flop.total / 1e12).toFixed(0)} TFLOP, ${(flop.later_step / 1e12).toFixed(1)} a step`],
      ['Latents', plan.latent_shape.join(' x ')],
    ]),
    el('h2', {}, plan.diagnostics.length === 0 ? 'No limit is met' : 'Findings'),
    el('ul', { class: 'notes' }, plan.diagnostics.map(finding)));
}
