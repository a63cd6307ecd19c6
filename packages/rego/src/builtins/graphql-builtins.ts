import { type BuiltinContext, type BuiltinDeclaration, BuiltinError, operandError } from '../builtin.ts';
import { ANY, anyOf, BOOLEAN, objectOf, STRING, tuple } from '../types/index.ts';
import { fromJson, isObject, type Json, RegoObject, toJson, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { wrapped } from './encoding.ts';
import type { QueryDocument, SchemaDocument } from './graphql/ast.ts';
import { parseQueryDocument } from './graphql/query-parser.ts';
import { buildSchema } from './graphql/schema.ts';
import { parseSchemaDocument } from './graphql/schema-parser.ts';
import { validateQuery } from './graphql/validate.ts';
import { stringAt } from './operands.ts';

type Parse<Document> = (text: string, spend: (steps: number) => void) => Document;

const spendOf =
  (context: BuiltinContext) =>
  (steps: number): void =>
    context.spend(steps);

/** A document of text, or of the nodes that parsing text once gave. */
const documentAt = <Document>(
  args: readonly Value[],
  index: number,
  parse: Parse<Document>,
  context: BuiltinContext,
): Document => {
  const operand = args[index]!;
  if (typeof operand === 'string') return wrapped(() => parse(operand, spendOf(context)));
  if (isObject(operand)) return toJson(operand) as Document;
  throw operandError(index + 1, operand, 'string', 'object');
};

/** What of a node is shown: neither places nor lists without elements. */
const shown = (node: unknown): Json => {
  if (Array.isArray(node)) return node.map(shown);
  if (typeof node !== 'object' || node === null) return node as Json;
  const entries = Object.entries(node).filter(
    ([name, member]) =>
      name !== 'Position' && member !== null && !(Array.isArray(member) && member.length === 0),
  );
  return Object.fromEntries(entries.map(([name, member]) => [name, shown(member)]));
};

const nodesOf = (document: QueryDocument | SchemaDocument): Value => fromJson(shown(document));

const check = (query: QueryDocument, schema: SchemaDocument, context: BuiltinContext): void =>
  validateQuery(buildSchema(schema), query, spendOf(context));

const holds = (work: () => void): boolean => {
  try {
    wrapped(work);
    return true;
  } catch (thrown) {
    if (thrown instanceof BuiltinError) return false;
    throw thrown;
  }
};

const parse = (args: readonly Value[], context: BuiltinContext): Value => {
  const query = documentAt(args, 0, parseQueryDocument, context);
  const schema = documentAt(args, 1, parseSchemaDocument, context);
  wrapped(() => check(query, schema, context));
  return [nodesOf(query), nodesOf(schema)];
};

const parseAndVerify = (args: readonly Value[], context: BuiltinContext): Value => {
  let result: Value = [false, new RegoObject(), new RegoObject()];
  holds(() => {
    result = [true, ...(parse(args, context) as readonly Value[])];
  });
  return result;
};

const isValid = (args: readonly Value[], context: BuiltinContext): Value =>
  holds(() => {
    parse(args, context);
  });

const isValidSchema = (args: readonly Value[], context: BuiltinContext): Value =>
  holds(() => {
    buildSchema(documentAt(args, 0, parseSchemaDocument, context));
  });

const OBJECT = objectOf(ANY, ANY);
const DOCUMENT = anyOf(STRING, OBJECT);

export const graphqlBuiltins: readonly BuiltinDeclaration[] = [
  builtin('graphql.parse', [DOCUMENT, DOCUMENT], tuple(OBJECT, OBJECT), parse),
  builtin('graphql.parse_and_verify', [DOCUMENT, DOCUMENT], tuple(BOOLEAN, OBJECT, OBJECT), parseAndVerify),
  builtin('graphql.parse_query', [STRING], OBJECT, (args, context) => {
    const text = stringAt(args, 0);
    return nodesOf(wrapped(() => parseQueryDocument(text, spendOf(context))));
  }),
  builtin('graphql.parse_schema', [STRING], OBJECT, (args, context) => {
    const text = stringAt(args, 0);
    return nodesOf(wrapped(() => parseSchemaDocument(text, spendOf(context))));
  }),
  builtin('graphql.is_valid', [DOCUMENT, DOCUMENT], BOOLEAN, isValid),
  builtin('graphql.schema_is_valid', [DOCUMENT], BOOLEAN, isValidSchema),
];
