import { globMatches } from '@openshell/policy';
import type { BodySource } from '../exchange/body.ts';
import { wholeBody } from '../inspect/whole-body.ts';
import { isJsonArray, isJsonObject, type JsonValue } from '../json/json-value.ts';
import { type JsonLimits, parseStrictJson } from '../json/strict-json.ts';
import { type ByteBudget, Holding } from '../tenant/byte-budget.ts';
import type { CompiledRoute } from './route-table.ts';

/** An entry of the list, with what both OpenAI's and Anthropic's clients look for in it. */
interface ModelEntry {
  readonly id: string;
  readonly object: 'model';
  readonly type: 'model';
  readonly display_name: string;
  readonly created: 0;
  readonly created_at: string;
  readonly owned_by: 'openshell';
}

export const modelEntry = (id: string): ModelEntry => ({
  id,
  object: 'model',
  type: 'model',
  display_name: id,
  created: 0,
  created_at: '1970-01-01T00:00:00Z',
  owned_by: 'openshell',
});

/** The whole list, which is one page. */
export const modelList = (ids: readonly string[]): object => ({
  object: 'list',
  data: ids.map(modelEntry),
  has_more: false,
  first_id: ids[0] ?? null,
  last_id: ids.at(-1) ?? null,
});

/** Whether the route has models that only its backend can name. */
export const isDiscovered = ({ route, patterns }: CompiledRoute): boolean =>
  route.protocols.includes('model_discovery') && patterns.some(({ literal }) => literal === undefined);

/** Bounds what a backend's list may make of ours. */
const MOST_MODELS = 1000;
const MOST_BYTES = 1_048_576;

/** The route's models among those that its backend lists. Nothing where the list cannot be read. */
export async function discovered(
  route: CompiledRoute,
  body: BodySource,
  { limits, budget }: { readonly limits: JsonLimits; readonly budget: ByteBudget },
): Promise<string[]> {
  const held = new Holding(budget);
  const whole = await wholeBody(body, MOST_BYTES, held);
  held.release();
  if (whole.kind !== 'whole') return [];
  const result = parseStrictJson(whole.bytes, limits);
  const list = result.kind === 'value' && isJsonObject(result.value) ? result.value.get('data') : undefined;
  if (!isJsonArray(list)) return [];
  const ids = list.map(idOf).filter((id) => id !== undefined);
  return ids.filter((id) => route.patterns.some((pattern) => globMatches(pattern, id))).slice(0, MOST_MODELS);
}

function idOf(entry: JsonValue): string | undefined {
  const id = isJsonObject(entry) ? entry.get('id') : undefined;
  return typeof id === 'string' && /^[\x20-\x7e]{1,256}$/.test(id) ? id : undefined;
}
