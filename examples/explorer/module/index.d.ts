// SPDX-License-Identifier: MIT
// Sizes are height before width, as upstream writes them; fields have the names of `hunyuan-reso ... --format json`.

/** A request that is refused: the message is the tool's. `status`: 1 for the input, 2 for options. */
export class Refusal extends Error {
  readonly status: number;
}

export interface Size {
  height: number;
  width: number;
}
/** `1024x768` (height first, with `order: 'wh'` width first), `16:9`, `<img_ratio_3>`, `auto`; or a Size. */
export type Request = string | Size;

export interface Profile {
  readonly name: string;
  readonly trainedBaseSize: number;
  readonly baseSizes: readonly number[];
  /** Pixels of a token along the height. */
  readonly tokenPixels: number;
}
export type ProfileName = 'base' | 'instruct' | 'instruct-distil' | 'panorama';

export interface GroupOptions {
  /** Default: instruct. */
  profile?: ProfileName | (string & {});
  /** Default: the profile's trained one. */
  baseSize?: number;
  extras?: 'absolute' | 'scaled';
}
export interface ModelOptions extends GroupOptions {
  gridMode?: 'snap' | 'follow_request' | 'follow_request_by_area';
  order?: 'hw' | 'wh';
  /** Ids of ratio tokens that no release names: { 37: 130108 }. */
  ratioTokens?: Record<number, number>;
  /** Takes sentences on what was read, but looks like a slip. */
  warn?: (text: string) => void;
}

export interface Crop {
  resized_height: number;
  resized_width: number;
  crop_top: number;
  crop_left: number;
}

export interface Bucket {
  ratio_index: number;
  height: number;
  width: number;
  ratio: number;
  pixel_count: number;
  megapixels: number;
  image_token_length: number;
  ratio_token_id: number | null;
  common_ratio: string;
  snaps_above_ratio: number | null;
  snaps_up_to_ratio: number | null;
  snaps_up_to_height: number | null;
  snaps_up_to_width: number | null;
  kind: 'generated' | 'extra';
  is_published: boolean;
}
export interface Table {
  profile: string;
  base_size: number;
  extras: string;
  order: string;
  step: number;
  align: number;
  rows: Bucket[];
}

export interface Snapped extends Partial<Crop> {
  request: string;
  kind: 'pixels' | 'ratio' | 'ratio_index';
  request_height: number | null;
  request_width: number | null;
  request_ratio: number | null;
  ratio_index: number;
  height: number;
  width: number;
  common_ratio: string;
  megapixels: number;
  image_token_length: number;
  ratio_token_id: number | null;
  base_size: number;
  trained: boolean;
  cropped_share: number | null;
}

export interface Way {
  in_force: boolean;
  way: string;
  height: number | null;
  width: number | null;
  megapixels: number | null;
  image_token_length: number | null;
  ratio_index: number | null;
  base_size: number | null;
  trained: boolean | null;
  refused: string | null;
}
export interface Explanation {
  profile: string;
  base_size: number;
  request: { text: string; kind: string; height: number | null; width: number | null; ratio: number | null };
  result: {
    height: number; width: number; token_height: number; token_width: number; image_token_length: number;
    base_size: number; size_token_id: number | null; ratio_index: number; ratio_token_id: number | null;
    kind: 'generated' | 'extra'; trained: boolean; trained_base_size: boolean; trained_grid: boolean;
    trained_ratio_token: boolean;
  };
  candidates: {
    chosen: boolean; ratio_index: number; height: number; width: number; ratio: number; distance: number; kind: string;
  }[];
  tie: 'none' | 'exact' | 'rounded';
  notes: string[];
  ways: Way[];
  crop: Crop | null;
  max_pixels: number | null;
  target: (Crop & {
    wish: string; height: number; width: number; generate_height: number; generate_width: number; base_size: number;
    ratio_index: number; decoded_height: number; decoded_width: number; factor: number; cropped_share: number;
  }) | null;
  conditioning: (Crop & Size & {
    ratio_index: number; vit_token_height: number; vit_token_width: number; vit_token_length: number;
  })[];
  output_alignment: { base_size: number; resize: boolean; height: number; width: number;
    conditioning_number: number | null }[];
}
export interface ExplainOptions extends ModelOptions {
  conditioning?: Request[];
  /** A size, or 1K, 2K, 4K, 8K. */
  target?: Request;
  maxPixels?: number;
}

export interface Diagnostic {
  code: string;
  severity: 'note' | 'warning' | 'error';
  source: 'measured' | 'published' | 'computed';
  value: number;
  limit: number;
  message: string;
  advice: string;
}
export interface TileLayout {
  canvas: Size;
  tile: Size;
  overlap: number;
  overlap_reached: Size;
  rows: number;
  columns: number;
  tiles: (Size & { top: number; left: number })[];
  [key: string]: unknown;
}
export interface EnlargeOptions extends GroupOptions {
  /** Gives the ratio where the target is a name (4K). */
  request?: Request;
  order?: 'hw' | 'wh';
  precision?: PlanOptions['precision'];
  steps?: number;
  tile?: Request;
  overlap?: number;
  /** Share of the schedule that the refinement runs: above 0, at most 1. */
  strength?: number;
}
export interface Enlargement {
  feasible: boolean;
  target: NonNullable<Explanation['target']>;
  layout: TileLayout | null;
  model_calls: number;
  bytes: { total: number; [key: string]: number };
  [key: string]: unknown;
}
/** The answer of `plan`: examples/cli/README.md lists the fields. */
export interface Plan {
  request: string;
  feasible: boolean;
  image: Size & { image_token_length: number; base_size: number; ratio_index: number; [key: string]: unknown };
  steps: number;
  tokens: { text: number; sequence_length: number; [key: string]: unknown };
  bytes: { weights: number; vae: number; kv_cache: number; dense_mask: number };
  flop: { first_step: number; later_step: number; total: number };
  diagnostics: Diagnostic[];
  [key: string]: unknown;
}
export interface PlanOptions extends ModelOptions {
  promptTokens?: number;
  chainOfThoughtTokens?: number;
  task?: string;
  conditioning?: Request[];
  alignOutput?: boolean;
  steps?: number;
  guidance?: number;
  batch?: number;
  precision?: 'fp32' | 'bf16' | 'fp16' | 'int8' | 'fp8' | 'nf4';
  eagerMoeMask?: boolean;
  /** Counted by the tokenizer that was loaded. */
  prompt?: string;
  system?: string;
}

export interface ImageRun {
  slice: [start: number, stop: number];
  kind: 'generated' | 'vae' | 'vit';
  in_joint_block: boolean;
  token_height: number | null;
  token_width: number | null;
  first_position: [y: number, x: number] | null;
}
export interface SequenceRow {
  /** Pairs of an id and how often it follows itself. */
  tokens: [id: number, count: number][];
  length: number;
  real_length: number;
  image_runs: ImageRun[];
  full_slices: [number, number][] | null;
  refeed_slices: [number, number][] | null;
  [key: string]: unknown;
}
export interface Sequences {
  profile: string;
  limits: { max_length: number; position_table: number };
  encoder: 'bytes' | 'tokenizer';
  length: number;
  rows: SequenceRow[];
}

export interface ListOptions extends ModelOptions {
  from?: 'sizes' | 'csv' | 'tsv' | 'jsonl' | 'identify' | 'exiftool';
  /** name=2,width=4,height=5: by number or by name. */
  columns?: string;
  format?: 'csv' | 'json' | 'text';
  crop?: boolean;
  ignoreOrientation?: boolean;
}
export interface ListAnswer {
  /** As `snap --summary --format json`. */
  summary: { size_count: number; refused_count: number; [key: string]: unknown };
  /** What could not be read, the first ten lines in full; empty where nothing was. */
  errors: string;
}

/** The checkpoints that the library knows. */
export const profiles: readonly Profile[];

/** The buckets of a model. */
export function table(options?: ModelOptions): Table;
/** Which size a request gives, and why. */
export function explain(request: Request, options?: ExplainOptions): Explanation;
/** The bucket of a size. */
export function snap(size: Request, options?: ModelOptions): Snapped;
/** The ratio index of each size (pixels), 255 where a side is below 1. */
export function snapBatch(widths: Int32Array, heights: Int32Array, options?: GroupOptions): Uint8Array;
/**
 * A list, streamed: `read` fills in bytes and returns how many (0 at the end), `write` takes parts of the answers.
 * Memory does not grow with the list.
 */
export function snapList(options: ListOptions, read: (target: Uint8Array) => number,
  write: (part: Uint8Array) => void): ListAnswer;
/** What a generation needs, and which limits it meets. A plan that is not feasible is an answer too. */
export function plan(size: Request, options?: PlanOptions): Plan;
/** The token sequence of a request (examples/cli/README.md lists its keys). `tokenizer`: encode with the one loaded. */
export function sequence(request: object, options?: ModelOptions & { tokenizer?: boolean }): Sequences;
/** Loads the bytes of a tokenizer.json whose special tokens are those of the profile. `notes`: what is odd about it. */
export function loadTokenizer(bytes: Uint8Array, options?: { profile?: string }): { notes: string };
/** The ids of a text. */
export function encode(text: string): Int32Array;
/** The bytes that a token adds to a text: not always whole characters. */
export function tokenBytes(id: number): Uint8Array;
/** The text of a special token (`<boi>`); empty for every other id. */
export function specialToken(id: number, options?: { profile?: string }): string;
/** The attention mask in fields * fields fields: 0 where no pair of query (down) and key may attend, 255 where all may. */
export function attentionMask(row: Pick<SequenceRow, 'image_runs' | 'length'>, fields: number,
  options?: { profile?: string }): Uint8Array;
/** The rotary positions of all tokens: y and x of each in turn. */
export function positions(row: Pick<SequenceRow, 'image_runs' | 'length'>, options?: { profile?: string }): Int32Array;
/** A picture beyond the trained scale: what to generate, how to enlarge it, the tiles, what it takes (`plan --target`). */
export function enlarge(target: Request, options?: EnlargeOptions): Enlargement;
/** Overlapping tiles over a canvas, in pixels; `target`: a size, or 1K .. 8K, 8MP, 1440p. */
export function tiles(target: Request, options?: { profile?: string; order?: 'hw' | 'wh'; tile?: Request;
  overlap?: number }): TileLayout;
/** Any command of the tool that the module has (table, snap, explain, plan, tiles, sequence), with its options as words. */
export function run(words: string[], input?: string | Uint8Array):
  { status: number; out: string; errors: string; file: string };

/** All of the above as one object, from the bytes of hunyuan_reso.wasm: for pages that bring them along. */
export function load(source: BufferSource | WebAssembly.Module): Promise<{
  profiles: typeof profiles; table: typeof table; explain: typeof explain; snap: typeof snap;
  snapBatch: typeof snapBatch; snapList: typeof snapList; plan: typeof plan; sequence: typeof sequence;
  loadTokenizer: typeof loadTokenizer; encode: typeof encode; tokenBytes: typeof tokenBytes; specialToken: typeof specialToken;
  attentionMask: typeof attentionMask; positions: typeof positions; enlarge: typeof enlarge; tiles: typeof tiles; run: typeof run;
}>;
