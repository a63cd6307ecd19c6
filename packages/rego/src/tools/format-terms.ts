import type { Location } from '../ast/location.ts';
import { type CallTerm, isWildcard, type RefTerm, type Term } from '../ast/term.ts';
import { numberText } from '../value/index.ts';
import { formatExpr } from './format.ts';

/** Operators by how tightly they bind; an operand that binds less tightly needs parentheses. */
const BINDING: Readonly<Record<string, number>> = {
  ':=': 0,
  '=': 0,
  in: 1,
  '==': 2,
  '!=': 2,
  '<': 2,
  '<=': 2,
  '>': 2,
  '>=': 2,
  '|': 3,
  '&': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '%': 6,
};

/** Where a term stands: at the top of a statement `k, v in xs` needs no parentheses. */
type Position = 'statement' | 'term';

/** A term as Rego text. */
export const formatTerm = (term: Term, indent = 0, position: Position = 'term'): string => {
  switch (term.type) {
    case 'scalar':
      return formatScalar(term);
    case 'var':
      return isWildcard(term.name) ? '_' : term.name;
    case 'ref':
      return formatRef(term, indent);
    case 'call':
      return formatCall(term, indent, position);
    case 'array':
      return list('[', ']', term.items, term.location, indent);
    case 'set':
      return term.items.length === 0 ? 'set()' : list('{', '}', term.items, term.location, indent);
    case 'object':
      return block(
        '{',
        '}',
        term.entries.map(
          ([key, value]) =>
            (at: number) =>
              `${operand(key, at)}: ${operand(value, at)}`,
        ),
        term.location,
        indent,
      );
    case 'array comprehension':
      return comprehension('[', ']', operand(term.term, indent), term, indent);
    case 'set comprehension':
      return comprehension('{', '}', operand(term.term, indent), term, indent);
    case 'object comprehension':
      return comprehension(
        '{',
        '}',
        `${operand(term.key, indent)}: ${operand(term.value, indent)}`,
        term,
        indent,
      );
    case 'template':
      return formatTemplate(term, indent);
    default:
      return term satisfies never;
  }
};

/** A number, string or template part is written as the source has it where that matters: raw strings stay raw. */
const formatScalar = (term: Extract<Term, { type: 'scalar' }>): string => {
  const { value } = term;
  if (typeof value !== 'string')
    return value === null || typeof value === 'boolean' ? String(value) : numberText(value);
  const { source, start, end } = term.location;
  return source.text[start] === '`' ? source.text.slice(start, end) : JSON.stringify(value);
};

const formatRef = (term: RefTerm, indent: number): string => {
  const head =
    term.head.type === 'call' && term.head.infix !== undefined
      ? `(${formatTerm(term.head, indent)})`
      : formatTerm(term.head, indent);
  return term.path.reduce((text, part) => {
    const named =
      part.type === 'scalar' && typeof part.value === 'string' && /^[A-Za-z_]\w*$/.test(part.value);
    return named ? `${text}.${part.value}` : `${text}[${formatTerm(part, indent)}]`;
  }, head);
};

const formatCall = (term: CallTerm, indent: number, position: Position): string => {
  const { infix, args } = term;
  if (infix === undefined) {
    const items = args.map((arg) => (at: number) => operand(arg, at));
    return block(`${formatTerm(term.operator)}(`, ')', items, term.location, indent);
  }
  const binding = BINDING[infix] ?? 0;
  const operands = args.map((arg, index) =>
    infixOperand(arg, binding, index === args.length - 1 || args.length === 3, indent),
  );
  const [first, second, third] = operands;
  if (third === undefined) return `${first} ${infix} ${second}`;
  const membership = `${first}, ${second} in ${third}`;
  return position === 'statement' ? membership : `(${membership})`;
};

const infixOperand = (arg: Term, binding: number, last: boolean, indent: number): string => {
  const text = formatTerm(arg, indent);
  if (arg.type !== 'call' || arg.infix === undefined || arg.args.length === 3) return text;
  const inner = BINDING[arg.infix] ?? 0;
  return inner < binding || (inner === binding && last) ? `(${text})` : text;
};

/** An element between commas, where an unparenthesised union would begin a comprehension. */
const operand = (term: Term, indent: number): string => {
  const text = formatTerm(term, indent);
  return term.type === 'call' && term.infix === '|' ? `(${text})` : text;
};

const list = (
  open: string,
  close: string,
  items: readonly Term[],
  location: Location,
  indent: number,
): string =>
  block(
    open,
    close,
    items.map((item) => (at: number) => operand(item, at)),
    location,
    indent,
  );

/** Elements on one line, or each on its own when the source had the first on another line than the bracket. */
const block = (
  open: string,
  close: string,
  items: readonly ((indent: number) => string)[],
  location: Location,
  indent: number,
): string => {
  if (items.length === 0 || !breaks(location))
    return `${open}${items.map((item) => item(indent)).join(', ')}${close}`;
  const tabs = '\t'.repeat(indent + 1);
  const lines = items.map((item) => `${tabs}${item(indent + 1)},\n`).join('');
  return `${open}\n${lines}${'\t'.repeat(indent)}${close}`;
};

/** Whether a line ends right after the first bracket. */
const breaks = ({ source, start, end }: Location): boolean =>
  /^[^\n([{]*[([{][ \t]*(?:#[^\n]*)?\r?\n/.test(source.text.slice(start, Math.min(end, start + 1000)));

const comprehension = (
  open: string,
  close: string,
  head: string,
  term: Extract<Term, { readonly body: unknown }>,
  indent: number,
): string => {
  const { source, start, end } = term.location;
  if (term.body.length === 1 && !source.text.slice(start, end).includes('\n')) {
    return `${open}${head} | ${formatExpr(term.body[0]!, indent)}${close}`;
  }
  const tabs = '\t'.repeat(indent + 1);
  const lines = term.body.map((expr) => `${tabs}${formatExpr(expr, indent + 1)}\n`).join('');
  return `${open}${head} |\n${lines}${'\t'.repeat(indent)}${close}`;
};

const formatTemplate = (term: Extract<Term, { type: 'template' }>, indent: number): string => {
  const quote = term.multiline ? '`' : '"';
  const parts = term.parts.map((part) => {
    if (typeof part !== 'string') return `{${formatExpr(part, indent)}}`;
    const text = term.multiline ? part : JSON.stringify(part).slice(1, -1);
    return text.replaceAll('{', '\\{');
  });
  return `$${quote}${parts.join('')}${quote}`;
};
