import { compareStrings } from '../../../value/index.ts';
import { escapeQuery } from '../../encoding/urlquery.ts';
import { type PrintfArgument, sprintf } from '../printf.ts';
import { type Data, isList, isMap, isTrue, NumberText, printed } from './data.ts';

type TemplateFunction = (args: readonly Data[]) => Data;

/** A value that two can be compared by; numbers of JSON are text to Go and are compared as such. */
const comparable = (data: Data): string | number | boolean | null => {
  if (data instanceof NumberText) return data.text;
  if (data === undefined || isList(data) || isMap(data)) throw new Error('incompatible types for comparison');
  return data;
};

const isEqual = (a: Data, b: Data): boolean => comparable(a) === comparable(b);

const order = (a: Data, b: Data): number => {
  const [left, right] = [comparable(a), comparable(b)];
  if (typeof left === 'string' && typeof right === 'string') return compareStrings(left, right);
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  throw new Error('incompatible types for comparison');
};

const two =
  (compare: (a: Data, b: Data) => Data): TemplateFunction =>
  (args) => {
    if (args.length !== 2) throw new Error(`wrong number of args: want 2 got ${args.length}`);
    return compare(args[0], args[1]);
  };

const index: TemplateFunction = ([collection, ...keys]) =>
  keys.reduce<Data>((found, key) => {
    if (isMap(found)) return found.get(String(comparable(key)));
    const text = isList(found) ? found : undefined;
    const position = Number(comparable(key));
    if (text === undefined) throw new Error("can't index item");
    if (!Number.isInteger(position) || position < 0 || position >= text.length) {
      throw new Error(`error calling index: reflect: slice index out of range`);
    }
    return text[position];
  }, collection);

const slice: TemplateFunction = ([collection, from = 0, to]) => {
  const [start, end] = [Number(comparable(from)), to === undefined ? undefined : Number(comparable(to))];
  if (typeof collection === 'string') return collection.slice(start, end);
  if (isList(collection)) return collection.slice(start, end);
  throw new Error("can't slice item");
};

const length: TemplateFunction = ([data]) => {
  if (typeof data === 'string') return Buffer.byteLength(data);
  if (data instanceof NumberText) return data.text.length;
  if (isList(data)) return data.length;
  if (isMap(data)) return data.size;
  throw new Error('len of type that has no length');
};

const printfArgument = (data: Data): PrintfArgument => {
  if (typeof data === 'number') {
    return Number.isInteger(data) ? { type: 'int', value: BigInt(data) } : { type: 'float64', value: data };
  }
  return { type: 'string', value: printed(data) };
};

/** `fmt.Sprint`: a blank between two that are both no strings. */
const print: TemplateFunction = (args) =>
  args.reduce<string>((text, data, position) => {
    const before = args[position - 1];
    const isText = (each: Data): boolean => typeof each === 'string' || each instanceof NumberText;
    return text + (position > 0 && !isText(data) && !isText(before) ? ' ' : '') + printed(data);
  }, '');

const HTML: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
};

const JAVASCRIPT: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

/** The longest text that `printf` makes within a template. */
const MAX_PRINTF = 1_000_000;

/** What pipelines may call, besides `and` and `or`, which do not look at all their arguments. */
export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['not', ([data]) => !isTrue(data)],
  ['len', length],
  ['index', index],
  ['slice', slice],
  ['print', print],
  ['println', (args) => `${args.map(printed).join(' ')}\n`],
  ['printf', ([format, ...args]) => sprintf(printed(format), args.map(printfArgument), MAX_PRINTF)],
  ['html', (args) => String(print(args)).replace(/["'&<>\0]/g, (char) => HTML[char]!)],
  ['js', (args) => String(print(args)).replace(/[\\'"<>&=]/g, (char) => JAVASCRIPT[char]!)],
  ['urlquery', (args) => escapeQuery(String(print(args)))],
  ['eq', ([first, ...others]) => others.some((other) => isEqual(first, other))],
  ['ne', two((a, b) => !isEqual(a, b))],
  ['lt', two((a, b) => order(a, b) < 0)],
  ['le', two((a, b) => order(a, b) <= 0)],
  ['gt', two((a, b) => order(a, b) > 0)],
  ['ge', two((a, b) => order(a, b) >= 0)],
]);
