import type { EvaluateOptions } from '../evaluate/session.ts';
import type { Policy } from '../policy.ts';
import { type Json, toJson, type Value } from '../value/index.ts';

/** The outcome of a query, as `opa eval` prints it. */
export interface EvalOutput {
  readonly result?: readonly EvalResult[];
}

export interface EvalResult {
  readonly expressions: readonly { readonly value: Json; readonly text: string }[];
  readonly bindings?: Readonly<Record<string, Json>>;
}

/**
 * Answers a query. A single expression has its value, statements with variables their bindings; nothing at all when
 * the query is undefined.
 * Throws a RegoError.
 */
export const evalQuery = (
  policy: Policy,
  text: string,
  input?: Value,
  options?: EvaluateOptions,
): EvalOutput => {
  const query = policy.query(text);
  const results = query.results(input, options);
  const hasBindings = results.some((bindings) => bindings.size > 0);
  if (!hasBindings) {
    const value = query.value(input, options);
    return value === undefined ? {} : { result: [{ expressions: [{ value: toJson(value), text }] }] };
  }
  const all = results.map((bindings) => ({
    expressions: [{ value: true, text }],
    bindings: Object.fromEntries([...bindings].map(([name, value]) => [name, toJson(value)])),
  }));
  return { result: all };
};
