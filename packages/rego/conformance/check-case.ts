import {
  compile,
  type EvaluateOptions,
  fromJson,
  isArray,
  type Json,
  jsonText,
  RegoError,
  toJson,
  type Value,
} from '../src/index.ts';
import type { Case } from './case.ts';

/** What is wrong with the outcome of a case; nothing when it is as it should be. */
export const checkCase = (testCase: Case): string | undefined => {
  let results: readonly ReadonlyMap<string, Value>[];
  try {
    results = evaluate(testCase);
  } catch (error) {
    if (!(error instanceof RegoError)) return `threw ${error instanceof Error ? error.stack : String(error)}`;
    return checkError(testCase, error);
  }
  if (testCase.want_error_code !== undefined || testCase.want_error !== undefined) {
    return `want error ${testCase.want_error_code ?? ''} ${testCase.want_error ?? ''}, got ${show(results)}`;
  }
  return testCase.want_result === undefined || testCase.want_result === null
    ? undefined
    : checkResults(testCase, results);
};

/** The suite looks up no other name, and must pass without a network. */
const lookupIpAddr = (name: string): readonly string[] => {
  if (name !== 'localhost') throw new Error(`lookup ${name}: no such host`);
  return ['127.0.0.1', '::1'];
};

const evaluate = (testCase: Case): readonly ReadonlyMap<string, Value>[] => {
  const modules = Object.fromEntries(
    (testCase.modules ?? []).map((text, index) => [`test-${index}.rego`, text]),
  );
  const policy = compile(modules, { data: testCase.data ?? {}, granted: { lookupIpAddr } });
  const options: EvaluateOptions = { strictBuiltinErrors: testCase.strict_error === true };
  return policy.query(testCase.query).results(inputOf(testCase), options);
};

const inputOf = ({ input, input_term }: Case): Value | undefined => {
  if (input_term !== undefined && input_term !== null) return compile({}).query(input_term).value();
  return input === undefined ? undefined : fromJson(input);
};

const checkError = (testCase: Case, error: RegoError): string | undefined => {
  const { want_error_code: code, want_error: text } = testCase;
  if (code === undefined && text === undefined) return `error: ${error.describe()}`;
  if (code !== undefined && error.code !== code) return `want error ${code}, got ${error.line}`;
  return text === undefined || error.line.includes(text)
    ? undefined
    : `want error "${text}", got "${error.line}"`;
};

const checkResults = (testCase: Case, results: readonly ReadonlyMap<string, Value>[]): string | undefined => {
  const sort = testCase.sort_bindings === true;
  const want = (testCase.want_result ?? []).map((bindings) => canonical(fromJson(bindings), sort)).sort();
  const got = results.map((bindings) => canonical(fromJson(bindingsJson(bindings)), sort)).sort();
  return want.join('\n') === got.join('\n') ? undefined : `want ${want.join(' ')}\n  got  ${got.join(' ')}`;
};

const bindingsJson = (bindings: ReadonlyMap<string, Value>): Json =>
  Object.fromEntries([...bindings].map(([name, value]) => [name, toJson(value)]));

/** Text that is the same for equal bindings; with `sort`, for bindings whose arrays have equal elements. */
const canonical = (value: Value, sort: boolean): string => {
  if (!sort) return jsonText(value);
  const json = toJson(value) as Readonly<Record<string, Json>>;
  const sorted = Object.entries(json).map(([name, member]) => [name, sortArray(member)] as const);
  return jsonText(fromJson(Object.fromEntries(sorted)));
};

const sortArray = (json: Json): Json => {
  const value = fromJson(json);
  return isArray(value) ? value.map(jsonText).sort() : json;
};

const show = (results: readonly ReadonlyMap<string, Value>[]): string =>
  jsonText(fromJson(results.map(bindingsJson)));
