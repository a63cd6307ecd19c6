import type { GraphqlOperation } from '@openshell/policy';
import type {
  DocumentNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql/language';
import { malformed, type Reading, understood } from '../json/reading.ts';
import type { GraphqlLimits } from './graphql-reader.ts';

type Language = typeof import('graphql/language');

/** Finds the one operation of a document that would be executed, and every root field it could select. */
export class DocumentReader {
  readonly #language: Language;
  readonly #limits: Pick<GraphqlLimits, 'graphqlTokens' | 'graphqlDepth'>;

  constructor(language: Language, limits: Pick<GraphqlLimits, 'graphqlTokens' | 'graphqlDepth'>) {
    this.#language = language;
    this.#limits = limits;
  }

  /** `operationName`: undefined selects the only operation. */
  read(source: string, operationName: string | undefined): Reading<GraphqlOperation> {
    const document = this.#parse(source);
    if (document.kind === 'malformed') return document;
    const definitions = sort(document.value);
    if (definitions.kind === 'malformed') return definitions;
    const operation = select(definitions.value.operations, operationName);
    if (operation.kind === 'malformed') return operation;
    const fields = rootFields(operation.value.selectionSet, definitions.value.fragments);
    if (fields.kind === 'malformed') return fields;
    const name = operation.value.name?.value;
    return understood({
      type: operation.value.operation,
      ...(name === undefined ? {} : { name }),
      fields: fields.value,
    });
  }

  #parse(source: string): Reading<DocumentNode> {
    try {
      const excess = this.#excess(source);
      if (excess) return malformed(excess);
      return understood(
        this.#language.parse(source, {
          noLocation: true,
          maxTokens: this.#limits.graphqlTokens,
          allowEmptySelectionSets: false,
        }),
      );
    } catch (error) {
      const [place] = (error as { locations?: readonly { line: number; column: number }[] }).locations ?? [];
      // Its own message quotes the document.
      return malformed(
        `the query is not valid GraphQL${place ? ` at line ${place.line}, column ${place.column}` : ''}`,
      );
    }
  }

  /** The parser calls itself for every level, so depth is counted on the tokens before it runs. */
  #excess(source: string): string | undefined {
    const { Lexer, Source, TokenKind } = this.#language;
    const { graphqlTokens, graphqlDepth } = this.#limits;
    const lexer = new Lexer(new Source(source));
    let depth = 0;
    for (let tokens = 0; lexer.advance().kind !== TokenKind.EOF; tokens += 1) {
      if (tokens >= graphqlTokens) return `the query has more than ${graphqlTokens} tokens`;
      switch (lexer.token.kind) {
        case TokenKind.BRACE_L:
        case TokenKind.BRACKET_L:
        case TokenKind.PAREN_L:
          depth += 1;
          break;
        case TokenKind.BRACE_R:
        case TokenKind.BRACKET_R:
        case TokenKind.PAREN_R:
          depth -= 1;
          break;
      }
      if (depth > graphqlDepth) return `the query is nested more than ${graphqlDepth} deep`;
    }
    return undefined;
  }
}

interface Definitions {
  readonly operations: readonly OperationDefinitionNode[];
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

/** Servers that do not validate would each pick another one of two equal names. */
function sort(document: DocumentNode): Reading<Definitions> {
  const operations: OperationDefinitionNode[] = [];
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    switch (definition.kind) {
      case 'OperationDefinition':
        operations.push(definition);
        break;
      case 'FragmentDefinition':
        if (fragments.has(definition.name.value))
          return malformed('two fragments of the query have one name');
        fragments.set(definition.name.value, definition);
        break;
      default:
        return malformed('the query contains definitions of a schema');
    }
  }
  const names = new Set(operations.map((operation) => operation.name?.value));
  if (names.size < operations.length) return malformed('two operations of the query have one name');
  if (operations.length > 1 && names.has(undefined))
    return malformed('an operation without name is not the only one of the query');
  return understood({ operations, fragments });
}

/** GraphQL section 6.1, GetOperation. */
function select(
  operations: readonly OperationDefinitionNode[],
  name: string | undefined,
): Reading<OperationDefinitionNode> {
  if (operations.length > 1 && name === undefined)
    return malformed('the query has several operations, and operationName does not say which');
  const selected =
    name === undefined ? operations[0] : operations.find((operation) => operation.name?.value === name);
  return selected ? understood(selected) : malformed('the query does not have the operation to be executed');
}

/** A work list, not recursion: fragments can be chained as long as a document is. */
function rootFields(
  selectionSet: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): Reading<readonly string[]> {
  const fields = new Set<string>();
  const followed = new Set<string>();
  const open: SelectionNode[] = [...selectionSet.selections].reverse();
  const follow = (selections: readonly SelectionNode[]): void => {
    for (const selection of selections.toReversed()) open.push(selection);
  };
  for (let selection = open.pop(); selection; selection = open.pop()) {
    switch (selection.kind) {
      case 'Field':
        fields.add(selection.name.value);
        break;
      case 'InlineFragment':
        follow(selection.selectionSet.selections);
        break;
      case 'FragmentSpread': {
        const name = selection.name.value;
        const fragment = fragments.get(name);
        if (!fragment) return malformed('the query uses a fragment that it does not have');
        if (!followed.has(name)) follow(fragment.selectionSet.selections);
        followed.add(name);
        break;
      }
      default: {
        const unreachable: never = selection;
        return unreachable;
      }
    }
  }
  // Only fragments that lead in a circle.
  if (fields.size === 0) return malformed('the query selects no field');
  return understood([...fields]);
}
