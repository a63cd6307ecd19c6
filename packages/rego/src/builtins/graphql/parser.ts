import {
  type ArgumentNode,
  type ChildValue,
  type DirectiveNode,
  GraphqlError,
  type TypeNode,
  VALUE_KIND,
  type ValueNode,
} from './ast.ts';
import { describe, Lexer, type Token } from './lexer.ts';

/** How deep a document may nest, and how many tokens it may have. */
const MAX_DEPTH = 200;
const MAX_TOKENS = 200_000;

/** What queries and schemas have in common: tokens, values, types, arguments and directives. */
export class GraphqlParser {
  readonly #lexer: Lexer;
  readonly #spend: (steps: number) => void;
  #current: Token;
  #previous: Token;
  #depth = 0;
  #tokens = 0;

  constructor(text: string, spend: (steps: number) => void) {
    this.#lexer = new Lexer(text);
    this.#spend = spend;
    this.#current = this.#lexer.next();
    this.#previous = this.#current;
  }

  get token(): Token {
    return this.#current;
  }

  get previous(): Token {
    return this.#previous;
  }

  next(): Token {
    this.#previous = this.#current;
    if (++this.#tokens > MAX_TOKENS) throw new GraphqlError('too many tokens', this.#current.position);
    this.#spend(1);
    this.#current = this.#lexer.next();
    return this.#previous;
  }

  at(punctuation: string): boolean {
    return this.#current.kind === 'punctuation' && this.#current.text === punctuation;
  }

  atKeyword(word: string): boolean {
    return this.#current.kind === 'Name' && this.#current.text === word;
  }

  skip(punctuation: string): boolean {
    if (!this.at(punctuation)) return false;
    this.next();
    return true;
  }

  expect(punctuation: string): Token {
    if (!this.at(punctuation)) throw this.expected(punctuation);
    return this.next();
  }

  expectKeyword(word: string): Token {
    if (!this.atKeyword(word)) throw this.expected(`"${word}"`);
    return this.next();
  }

  name(): string {
    if (this.#current.kind !== 'Name') throw this.expected('Name');
    return this.next().text;
  }

  expected(what: string): GraphqlError {
    return new GraphqlError(`Expected ${what}, found ${describe(this.#current)}`, this.#current.position);
  }

  unexpected(token = this.#current): GraphqlError {
    return new GraphqlError(`Unexpected ${describe(token)}`, token.position);
  }

  /** Items between two marks, where the first is there. */
  many<Item>(open: string, close: string, read: () => Item): Item[] {
    if (!this.skip(open)) return [];
    if (++this.#depth > MAX_DEPTH)
      throw new GraphqlError('document nests too deeply', this.#current.position);
    const items: Item[] = [];
    while (!this.at(close)) items.push(read());
    this.next();
    this.#depth--;
    return items;
  }

  /** As `many`, but between the marks there must be something. */
  some<Item>(open: string, close: string, read: () => Item): Item[] {
    const here = this.at(open);
    const items = this.many(open, close, read);
    if (here && items.length === 0) {
      throw new GraphqlError(`expected at least one definition, found ${close}`, this.#previous.position);
    }
    return items;
  }

  arguments(isConstant: boolean): ArgumentNode[] {
    return this.many('(', ')', () => {
      const Position = this.token.position;
      const Name = this.name();
      this.expect(':');
      return { Name, Value: this.value(isConstant), Position };
    });
  }

  directives(isConstant: boolean): DirectiveNode[] {
    const directives: DirectiveNode[] = [];
    while (this.at('@')) {
      const Position = this.next().position;
      directives.push({ Name: this.name(), Arguments: this.arguments(isConstant), Location: '', Position });
    }
    return directives;
  }

  value(isConstant: boolean): ValueNode {
    const token = this.token;
    const Position = token.position;
    switch (token.kind) {
      case 'Int':
        return this.#scalar(VALUE_KIND.int);
      case 'Float':
        return this.#scalar(VALUE_KIND.float);
      case 'String':
        return this.#scalar(VALUE_KIND.string);
      case 'BlockString':
        return this.#scalar(VALUE_KIND.block);
      case 'Name':
        return this.#scalar(kindOfWord(token.text));
      case 'punctuation':
        break;
      default:
        throw this.unexpected();
    }
    if (token.text === '[') {
      const read = (): ChildValue => ({ Name: '', Value: this.value(isConstant) });
      const Children = this.many('[', ']', read);
      return { Raw: '', Kind: VALUE_KIND.list, Children, ExpectedTypeHasDefault: false, Position };
    }
    if (token.text === '{') {
      const Children = this.many('{', '}', () => this.#objectField(isConstant));
      return { Raw: '', Kind: VALUE_KIND.object, Children, ExpectedTypeHasDefault: false, Position };
    }
    if (token.text !== '$' || isConstant) throw this.unexpected();
    this.next();
    return { Raw: this.name(), Kind: VALUE_KIND.variable, ExpectedTypeHasDefault: false, Position };
  }

  type(): TypeNode {
    const Position = this.token.position;
    if (!this.skip('[')) return { NamedType: this.name(), NonNull: this.skip('!'), Position };
    if (++this.#depth > MAX_DEPTH) throw new GraphqlError('document nests too deeply', Position);
    const Elem = this.type();
    this.expect(']');
    this.#depth--;
    return { NamedType: '', Elem, NonNull: this.skip('!'), Position };
  }

  #scalar(Kind: number): ValueNode {
    const { text, position } = this.next();
    return { Raw: text, Kind, ExpectedTypeHasDefault: false, Position: position };
  }

  #objectField(isConstant: boolean): ChildValue {
    const Position = this.token.position;
    const Name = this.name();
    this.expect(':');
    return { Name, Value: this.value(isConstant), Position };
  }
}

const kindOfWord = (word: string): number => {
  if (word === 'true' || word === 'false') return VALUE_KIND.boolean;
  return word === 'null' ? VALUE_KIND.null : VALUE_KIND.enum;
};
