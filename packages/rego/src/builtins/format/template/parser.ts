import type { Data } from './data.ts';
import { splitTemplate } from './lexer.ts';

/** An operand of a command. */
export type Operand =
  | { readonly kind: 'constant'; readonly value: Data }
  | { readonly kind: 'field'; readonly base: 'dot' | Operand; readonly names: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline };

/** Commands, each given the result of the one before as its last argument; perhaps kept in variables. */
export interface Pipeline {
  readonly variables: readonly string[];
  readonly declares: boolean;
  readonly commands: readonly (readonly Operand[])[];
}

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    }
  | { readonly kind: 'break' | 'continue' }
  | { readonly kind: 'template'; readonly name: string; readonly pipeline: Pipeline | undefined };

export interface ParsedTemplate {
  readonly root: readonly TemplateNode[];
  readonly defined: ReadonlyMap<string, readonly TemplateNode[]>;
}

/** How deep blocks may stand in each other. */
const MAX_DEPTH = 100;

/** Reads a template. Throws where it cannot be read. */
export const parseTemplate = (template: string): ParsedTemplate => new TemplateParser(template).parse();

type End = 'end' | 'else' | undefined;

class TemplateParser {
  readonly #pieces: ReturnType<typeof splitTemplate>;
  readonly #defined = new Map<string, readonly TemplateNode[]>();
  #position = 0;
  #depth = 0;
  /** The words after the `else` that ended the last list. */
  #elseTokens: readonly string[] = [];

  constructor(template: string) {
    this.#pieces = splitTemplate(template);
  }

  parse(): ParsedTemplate {
    const { nodes, end } = this.#list();
    if (end !== undefined) throw new Error(`template: unexpected {{${end}}}`);
    return { root: nodes, defined: this.#defined };
  }

  #list(): { nodes: TemplateNode[]; end: End } {
    if (++this.#depth > MAX_DEPTH) throw new Error('template: nested too deeply');
    const nodes: TemplateNode[] = [];
    while (this.#position < this.#pieces.length) {
      const piece = this.#pieces[this.#position++]!;
      if (piece.kind === 'text') {
        nodes.push(piece);
        continue;
      }
      const [word, ...rest] = piece.tokens;
      if (word === 'end' || word === 'else') {
        this.#elseTokens = rest;
        this.#depth--;
        return { nodes, end: word };
      }
      const node = this.#action(word, rest, piece.tokens);
      if (node !== undefined) nodes.push(node);
    }
    this.#depth--;
    return { nodes, end: undefined };
  }

  #action(
    word: string | undefined,
    rest: readonly string[],
    tokens: readonly string[],
  ): TemplateNode | undefined {
    switch (word) {
      case undefined:
        throw new Error('template: missing value for command');
      case 'if':
      case 'with':
      case 'range':
        return this.#block(word, rest);
      case 'break':
      case 'continue':
        return { kind: word };
      case 'define':
        this.#define(rest[0]);
        return undefined;
      case 'block':
        this.#define(rest[0]);
        return { kind: 'template', name: unquoted(rest[0]), pipeline: pipelineOf(rest.slice(1)) };
      case 'template':
        return {
          kind: 'template',
          name: unquoted(rest[0]),
          pipeline: rest.length > 1 ? pipelineOf(rest.slice(1)) : undefined,
        };
      default:
        return { kind: 'print', pipeline: pipelineOf(tokens) };
    }
  }

  #block(kind: 'if' | 'with' | 'range', tokens: readonly string[]): TemplateNode {
    const pipeline = pipelineOf(tokens);
    const { nodes: body, end } = this.#list();
    if (end === undefined) throw new Error('template: unexpected EOF');
    return { kind, pipeline, body, otherwise: end === 'else' ? this.#otherwise() : [] };
  }

  /** `{{else}}` or `{{else if ...}}`, which shares the end of its block. */
  #otherwise(): readonly TemplateNode[] {
    const [word, ...rest] = this.#elseTokens;
    if (word === 'if' || word === 'with') return [this.#block(word, rest)];
    const { nodes, end } = this.#list();
    if (end !== 'end') throw new Error('template: expected {{end}}');
    return nodes;
  }

  #define(name: string | undefined): void {
    const { nodes, end } = this.#list();
    if (end !== 'end') throw new Error('template: unexpected EOF');
    this.#defined.set(unquoted(name), nodes);
  }
}

const pipelineOf = (tokens: readonly string[]): Pipeline => {
  const assignment = tokens.findIndex((token) => token === ':=' || token === '=');
  if (assignment < 0) return { variables: [], declares: false, commands: commandsOf(tokens) };
  const variables = tokens.slice(0, assignment).filter((token) => token !== ',');
  if (!variables.every((name) => name.startsWith('$')))
    throw new Error('template: unexpected operand in assignment');
  return {
    variables,
    declares: tokens[assignment] === ':=',
    commands: commandsOf(tokens.slice(assignment + 1)),
  };
};

const commandsOf = (tokens: readonly string[]): Operand[][] => {
  const reader = new OperandReader(tokens);
  const commands = reader.commands();
  if (!reader.done) throw new Error(`template: unexpected ${JSON.stringify(reader.token)} in command`);
  return commands;
};

class OperandReader {
  readonly #tokens: readonly string[];
  #position = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get done(): boolean {
    return this.#position >= this.#tokens.length;
  }

  get token(): string | undefined {
    return this.#tokens[this.#position];
  }

  commands(): Operand[][] {
    const commands = [this.#command()];
    while (this.token === '|') {
      this.#position++;
      commands.push(this.#command());
    }
    return commands;
  }

  #command(): Operand[] {
    const operands: Operand[] = [];
    while (!this.done && this.token !== '|' && this.token !== ')') operands.push(this.#operand());
    if (operands.length === 0) throw new Error('template: missing value for command');
    return operands;
  }

  #operand(): Operand {
    const token = this.#tokens[this.#position++]!;
    if (token !== '(') return operandOf(token);
    const commands = this.commands();
    if (this.token !== ')') throw new Error('template: unclosed left paren');
    this.#position++;
    const inner: Operand = { kind: 'pipeline', pipeline: { variables: [], declares: false, commands } };
    const next = this.token;
    if (next === undefined || !/^\.\w/.test(next)) return inner;
    this.#position++;
    return { kind: 'field', base: inner, names: next.slice(1).split('.') };
  }
}

const WORDS: ReadonlyMap<string, Data> = new Map<string, Data>([
  ['true', true],
  ['false', false],
  ['nil', null],
]);

const operandOf = (token: string): Operand => {
  if (token === '.') return { kind: 'field', base: 'dot', names: [] };
  if (token.startsWith('.')) return { kind: 'field', base: 'dot', names: token.slice(1).split('.') };
  if (token.startsWith('$')) {
    const [name = '$', ...names] = token.split('.');
    const variable: Operand = { kind: 'variable', name };
    return names.length === 0 ? variable : { kind: 'field', base: variable, names };
  }
  if (/^["`]/.test(token)) return { kind: 'constant', value: unquoted(token) };
  if (/^'/.test(token)) return { kind: 'constant', value: token.codePointAt(1)! };
  if (/^[+-]?\d/.test(token)) return { kind: 'constant', value: Number(token.replaceAll('_', '')) };
  if (WORDS.has(token)) return { kind: 'constant', value: WORDS.get(token)! };
  if (!/^[A-Za-z_]/.test(token)) throw new Error(`template: unexpected ${JSON.stringify(token)} in operand`);
  return { kind: 'function', name: token };
};

/** A name or text in quotes. */
const unquoted = (token: string | undefined): string => {
  if (token?.startsWith('`')) return token.slice(1, -1);
  if (token?.startsWith('"')) return JSON.parse(token.replaceAll("\\'", "'")) as string;
  throw new Error('template: expected a string');
};
