import type { GraphqlOptions, RequestContent } from '@openshell/policy';
import { isJsonObject } from '../json/json-value.ts';
import { KnownNames } from '../json/known-names.ts';
import { malformed } from '../json/reading.ts';
import { parseStrictJson } from '../json/strict-json.ts';
import type { DocumentReader } from './document.ts';
import type { GraphqlLimits } from './graphql-reader.ts';
import { readParameters } from './parameters.ts';
import { resolveOperation } from './persisted.ts';

const MESSAGE_NAMES = new KnownNames(['type', 'id', 'payload']);
/** Which messages carry an operation: `subscribe` of graphql-transport-ws, `start` of the older graphql-ws. */
const OPERATION_TYPES: ReadonlySet<string> = new Set(['subscribe', 'start']);
const OPERATION_CONTROL_TYPES: ReadonlySet<string> = new Set(['complete', 'stop']);
const CONNECTION_CONTROL_TYPES: ReadonlySet<string> = new Set([
  'connection_init',
  'connection_terminate',
  'ping',
  'pong',
]);

/** One message of a client in either protocol of GraphQL over WebSocket. */
export function readSocketMessage(
  text: string,
  options: GraphqlOptions,
  documents: DocumentReader,
  limits: GraphqlLimits,
): RequestContent {
  const result = parseStrictJson(text, limits);
  if (result.kind === 'fault')
    return malformed(`the message is not acceptable JSON: ${result.reason} (byte ${result.offset})`);
  const message = result.value;
  if (!isJsonObject(message)) return malformed('a message of GraphQL over WebSocket is a JSON object');
  const name = MESSAGE_NAMES.mistakable(message.keys());
  if (name !== undefined) return malformed(`a name differs from "${name}" only in case`);
  const type = message.get('type');
  if (typeof type !== 'string') return malformed('the message has no type');

  if (CONNECTION_CONTROL_TYPES.has(type)) return { kind: 'message', graphql: 'control' };
  const id = message.get('id');
  if (typeof id !== 'string' || id === '') return malformed('the message has no id');
  if (OPERATION_CONTROL_TYPES.has(type)) return { kind: 'message', graphql: 'control' };
  if (!OPERATION_TYPES.has(type)) return malformed('the message has an unknown type');
  const parameters = readParameters(message.get('payload'));
  if (parameters.kind === 'malformed') return parameters;
  const operation = resolveOperation(parameters.value, options, documents);
  return operation.kind === 'malformed' ? operation : { kind: 'message', graphql: operation.value };
}
