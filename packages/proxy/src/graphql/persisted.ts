import { createHash } from 'node:crypto';
import type { GraphqlOperation, GraphqlOptions } from '@openshell/policy';
import { malformed, type Reading, understood } from '../json/reading.ts';
import type { DocumentReader } from './document.ts';
import type { GraphqlParameters } from './parameters.ts';

/**
 * The operation that parameters ask for: of their query, or of the registered query that they name. A query is judged by
 * itself, and an identifier next to it must be its hash: otherwise a server could execute what it knows by that identifier.
 */
export function resolveOperation(
  parameters: GraphqlParameters,
  options: GraphqlOptions,
  documents: DocumentReader,
): Reading<GraphqlOperation> {
  const { query, operationName, identifiers } = parameters;
  if (query === undefined) return registeredOperation(parameters, options);
  if (identifiers.length > 0) {
    const hash = createHash('sha256').update(query, 'utf8').digest('hex');
    if (identifiers.some((identifier) => identifier.replace(/^sha256:/, '').toLowerCase() !== hash))
      return malformed('the identifier of the query is not the SHA-256 hash of the query that comes with it');
  }
  return documents.read(query, operationName);
}

function registeredOperation(
  { identifiers, operationName }: GraphqlParameters,
  options: GraphqlOptions,
): Reading<GraphqlOperation> {
  const [identifier, ...others] = new Set(identifiers);
  if (identifier === undefined) return malformed('there is no query');
  if (others.length > 0) return malformed('the request names different persisted queries');
  const query = Object.hasOwn(options.registered, identifier) ? options.registered[identifier] : undefined;
  if (options.persistedQueries === 'deny' || !query?.operationType)
    return malformed('persisted query is not registered');
  if (
    operationName !== undefined &&
    query.operationName !== undefined &&
    operationName !== query.operationName
  )
    return malformed('operationName is not the operation of the registered query');
  return understood({
    type: query.operationType,
    ...(query.operationName === undefined ? {} : { name: query.operationName }),
    fields: query.fields,
    persisted: identifier,
  });
}
