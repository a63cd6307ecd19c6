import { isUtf8 } from 'node:buffer';
import type { GraphqlOperation, QueryParameter, RequestContent } from '@openshell/policy';
import { isJsonArray, type JsonValue } from '../json/json-value.ts';
import { isJsonType, readableMediaType } from '../json/media-type.ts';
import { malformed, type Reading, understood } from '../json/reading.ts';
import { parseStrictJson } from '../json/strict-json.ts';
import type { DocumentReader } from './document.ts';
import type { GraphqlHttpRequest, GraphqlLimits } from './graphql-reader.ts';
import { type GraphqlParameters, PARAMETER_NAMES, readParameters } from './parameters.ts';
import { resolveOperation } from './persisted.ts';

/** GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/), batches and `application/graphql` included. */
export function readHttpRequest(
  request: GraphqlHttpRequest,
  documents: DocumentReader,
  limits: GraphqlLimits,
): RequestContent {
  const parameters = readAll(request, limits);
  if (parameters.kind === 'malformed') return parameters;
  const operations: GraphqlOperation[] = [];
  for (const one of parameters.value) {
    const operation = resolveOperation(one, request.options, documents);
    if (operation.kind === 'malformed') return operation;
    operations.push(operation.value);
  }
  return { kind: 'graphql', operations };
}

function readAll(request: GraphqlHttpRequest, limits: GraphqlLimits): Reading<readonly GraphqlParameters[]> {
  const url = urlParameters(request.query);
  if (url.kind === 'malformed') return url;
  switch (request.method) {
    // A HEAD may be executed like the GET it stands for (RFC 9110 section 9.3.2).
    case 'GET':
    case 'HEAD': {
      if (request.body.length > 0) return malformed(`a ${request.method} with a body`);
      const parameters = readUrl(url.value, limits);
      return parameters.kind === 'malformed' ? parameters : understood([parameters.value]);
    }
    case 'POST': {
      const parameters = readBody(request, limits);
      return parameters.kind === 'malformed' ? parameters : agreeing(url.value, parameters.value);
    }
    default:
      return malformed('GraphQL is asked for with GET or POST');
  }
}

/** What comes before the first `[` or `.`: frameworks build arrays and objects of `query[]` and `query.x`. */
const BASE_NAME = /^[^[.\0]*/;

/** The parameters of a URL that GraphQL servers look at, each once. */
function urlParameters(query: readonly QueryParameter[]): Reading<ReadonlyMap<string, string>> {
  const parameters = new Map<string, string>();
  for (const [name, value] of query) {
    const base = BASE_NAME.exec(name.trim())?.[0] ?? '';
    const known = PARAMETER_NAMES.has(base) ? base : PARAMETER_NAMES.mistakable([base]);
    if (known === undefined) continue;
    if (name !== known) return malformed(`a parameter of the URL could be taken for "${known}"`);
    if (parameters.has(name)) return malformed(`"${name}" appears twice in the URL`);
    parameters.set(name, value);
  }
  return understood(parameters);
}

function readUrl(parameters: ReadonlyMap<string, string>, limits: GraphqlLimits): Reading<GraphqlParameters> {
  const members = new Map<string, JsonValue>(parameters);
  for (const name of ['variables', 'extensions']) {
    const text = parameters.get(name);
    if (text === undefined) continue;
    const result = text === '' ? undefined : parseStrictJson(text, limits);
    if (result?.kind === 'fault')
      return malformed(`"${name}" in the URL is not acceptable JSON: ${result.reason}`);
    members.set(name, result?.value ?? null);
  }
  return readParameters(members);
}

function readBody(request: GraphqlHttpRequest, limits: GraphqlLimits): Reading<readonly GraphqlParameters[]> {
  const mediaType = readableMediaType(request.fields);
  if (mediaType.kind === 'malformed') return mediaType;
  if (mediaType.value === 'application/graphql') {
    if (!isUtf8(request.body)) return malformed('the query is not valid UTF-8');
    return understood([{ query: request.body.toString('utf8'), operationName: undefined, identifiers: [] }]);
  }
  if (mediaType.value === undefined || !isJsonType(mediaType.value))
    return malformed('the content type is neither application/json nor application/graphql');
  const result = parseStrictJson(request.body, limits);
  if (result.kind === 'fault')
    return malformed(`the body is not acceptable JSON: ${result.reason} (byte ${result.offset})`);
  const batch = isJsonArray(result.value) ? result.value : [result.value];
  if (batch.length === 0) return malformed('an empty batch');
  if (batch.length > limits.graphqlOperations)
    return malformed(`a batch of more than ${limits.graphqlOperations} operations`);
  const all: GraphqlParameters[] = [];
  for (const value of batch) {
    const parameters = readParameters(value);
    if (parameters.kind === 'malformed') return parameters;
    all.push(parameters.value);
  }
  return understood(all);
}

/**
 * Some servers take parameters of a POST from its URL first, some from its body: they must not differ. `query` and `operationName` may be
 * repeated, as clients do to find requests in logs; the others have no reason to be there.
 */
function agreeing(
  url: ReadonlyMap<string, string>,
  body: readonly GraphqlParameters[],
): Reading<readonly GraphqlParameters[]> {
  const [only, ...more] = body;
  for (const [name, value] of url) {
    const same =
      (name === 'query' || name === 'operationName') && more.length === 0 && only?.[name] === value;
    if (!same) return malformed(`"${name}" of the URL is not what the body says`);
  }
  return understood(body);
}
