import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { KnownNames } from '../json/known-names.ts';
import { malformed, type Reading, understood } from '../json/reading.ts';

/** What a request says about the operation to be executed. Variables do not matter: no root field depends on them. */
export interface GraphqlParameters {
  readonly query: string | undefined;
  readonly operationName: string | undefined;
  /** Hashes and ids of a persisted query, as given. */
  readonly identifiers: readonly string[];
}

/** By these names servers know persisted queries; the hash inside `extensions` is another. */
const IDENTIFIER_NAMES = ['id', 'documentId', 'queryId', 'docId', 'doc_id', 'hash', 'queryHash'] as const;

/** Names of parameters that decide what is executed, in a body as in a URL. */
export const PARAMETER_NAMES = new KnownNames([
  'query',
  'operationName',
  'variables',
  'extensions',
  ...IDENTIFIER_NAMES,
]);
const EXTENSION_NAMES = new KnownNames(['persistedQuery']);
const PERSISTED_QUERY_NAMES = new KnownNames(['version', 'sha256Hash']);

/** Reads the members of a request (GraphQL over HTTP section 5). Null means absent; so does an empty text, which servers treat differently. */
export function readParameters(value: JsonValue | undefined): Reading<GraphqlParameters> {
  if (!isJsonObject(value)) return malformed('a GraphQL request is a JSON object');
  const name = PARAMETER_NAMES.mistakable(value.keys());
  if (name !== undefined) return malformed(`a name differs from "${name}" only in case`);

  const query = optionalText(value, 'query');
  if (query.kind === 'malformed') return query;
  const operationName = optionalText(value, 'operationName');
  if (operationName.kind === 'malformed') return operationName;
  const variables = value.get('variables') ?? null;
  if (variables !== null && !isJsonObject(variables)) return malformed('"variables" is not an object');

  const identifiers: string[] = [];
  const hash = persistedQueryHash(value.get('extensions') ?? null);
  if (hash.kind === 'malformed') return hash;
  if (hash.value !== undefined) identifiers.push(hash.value);
  for (const identifierName of IDENTIFIER_NAMES) {
    const identifier = optionalText(value, identifierName);
    if (identifier.kind === 'malformed') return identifier;
    if (identifier.value !== undefined) identifiers.push(identifier.value);
  }
  return understood({ query: query.value, operationName: operationName.value, identifiers });
}

function optionalText(object: JsonObject, name: string): Reading<string | undefined> {
  const value = object.get(name) ?? '';
  return typeof value === 'string' ? understood(value || undefined) : malformed(`"${name}" is not a text`);
}

/** `extensions.persistedQuery.sha256Hash`, as automatic persisted queries have it. */
function persistedQueryHash(extensions: JsonValue): Reading<string | undefined> {
  if (extensions === null) return understood(undefined);
  if (!isJsonObject(extensions)) return malformed('"extensions" is not an object');
  const persistedQuery = extensions.get('persistedQuery') ?? null;
  const members = isJsonObject(persistedQuery) ? persistedQuery.keys() : [];
  const name = EXTENSION_NAMES.mistakable(extensions.keys()) ?? PERSISTED_QUERY_NAMES.mistakable(members);
  if (name !== undefined) return malformed(`a name differs from "${name}" only in case`);
  if (persistedQuery === null) return understood(undefined);
  if (!isJsonObject(persistedQuery)) return malformed('"persistedQuery" is not an object');
  const hash = optionalText(persistedQuery, 'sha256Hash');
  return hash.kind === 'understood' && hash.value === undefined
    ? malformed('"persistedQuery" has no hash')
    : hash;
}
