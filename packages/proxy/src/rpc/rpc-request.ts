import type { RequestContent } from '@openshell/policy';
import type { HeaderField } from '../http/request-head.ts';
import { readableMediaType } from '../json/media-type.ts';
import { malformed } from '../json/reading.ts';
import { parseStrictJson } from '../json/strict-json.ts';
import { mcpHeaderConflict } from './mcp-headers.ts';
import { type RpcDialect, type RpcLimits, readRpcText } from './messages.ts';

export interface RpcHttpRequest {
  readonly method: string;
  readonly fields: readonly HeaderField[];
  /** All of it; the caller has bounded it by the endpoint's `max_body_bytes`. */
  readonly body: Buffer;
  readonly dialect: RpcDialect;
}

const MEDIA_TYPES = {
  'json-rpc': ['application/json', 'application/json-rpc', 'application/jsonrequest'],
  mcp: ['application/json'],
} as const satisfies Record<RpcDialect['protocol'], readonly string[]>;

/**
 * The messages of a request: content of kind `rpc` or `malformed`. MCP's Streamable HTTP also has a GET, which opens the stream from
 * the server, and a DELETE, which ends the session; neither carries messages.
 */
export function readRpcRequest(request: RpcHttpRequest, limits: RpcLimits): RequestContent {
  const { method, dialect } = request;
  if (method === 'POST') return readPost(request, limits);
  if (dialect.protocol !== 'mcp' || (method !== 'GET' && method !== 'DELETE'))
    return malformed(`${dialect.protocol === 'mcp' ? 'MCP' : 'JSON-RPC'} does not have this HTTP method`);
  if (request.body.length > 0) return malformed(`a ${method} with a body`);
  if (method === 'DELETE') return { kind: 'rpc', messages: [], receiveStream: false };
  return acceptsEventStream(request.fields)
    ? { kind: 'rpc', messages: [], receiveStream: true }
    : malformed('a GET that does not accept text/event-stream');
}

function readPost({ fields, body, dialect }: RpcHttpRequest, limits: RpcLimits): RequestContent {
  const mediaType = readableMediaType(fields);
  if (mediaType.kind === 'malformed') return mediaType;
  const accepted: readonly (string | undefined)[] = MEDIA_TYPES[dialect.protocol];
  if (!accepted.includes(mediaType.value)) return malformed('the content type is not application/json');
  const result = parseStrictJson(body, limits);
  if (result.kind === 'fault')
    return malformed(`the body is not acceptable JSON: ${result.reason} (byte ${result.offset})`);
  const text = readRpcText(result.value, dialect, limits);
  if (text.kind === 'malformed') return text;
  const conflict = dialect.protocol === 'mcp' ? mcpHeaderConflict(fields, text.value) : undefined;
  if (conflict !== undefined) return malformed(conflict);
  return { kind: 'rpc', messages: text.value.entries.map(({ message }) => message), receiveStream: false };
}

const acceptsEventStream = (fields: readonly HeaderField[]): boolean =>
  fields
    .filter(({ lowerName }) => lowerName === 'accept')
    .flatMap(({ value }) => value.split(','))
    .some((range) => range.split(';', 1)[0]?.trim().toLowerCase() === 'text/event-stream');
