import type { RpcMessage } from '@openshell/policy';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { KnownNames } from '../json/known-names.ts';
import { malformed, type Reading, understood } from '../json/reading.ts';
import type { JsonLimits } from '../json/strict-json.ts';
import type { Limits } from '../limits.ts';
import { flattenParams, type ParamsLimits } from './params.ts';

export type RpcLimits = JsonLimits & ParamsLimits & Pick<Limits, 'rpcMessages'>;

/** How the messages of an endpoint are read. */
export interface RpcDialect {
  readonly protocol: 'json-rpc' | 'mcp';
  /** MCP: names of tools are of letters, digits, `_`, `-`, `.` and `/`, so that a pattern means what it says. */
  readonly strictToolNames: boolean;
}

export type RpcId = string | number | bigint | null;

/** One message with what policy does not ask for. */
export interface RpcEntry {
  readonly message: RpcMessage;
  /** Undefined for a notification. */
  readonly id: RpcId | undefined;
  readonly value: JsonObject;
}

export interface RpcText {
  readonly batch: boolean;
  readonly entries: readonly RpcEntry[];
}

const MEMBER_NAMES = new KnownNames(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const ENVELOPE_NAMES = new KnownNames(['jsonrpc', 'method', 'params']);
/** By these names the parameters of MCP say what is acted on. */
const MCP_PARAM_NAMES = new KnownNames(['name', 'uri', 'arguments', '_meta']);
const TOOL_CALL = 'tools/call';
const STRICT_TOOL_NAME = /^[A-Za-z0-9_./-]{1,128}$/;
const CONTROL_CHARACTER = /[\x00-\x1f\x7f]/;

/** Reads one message or a batch (JSON-RPC 2.0 sections 4 to 6). Every message must be understood. */
export function readRpcText(value: JsonValue, dialect: RpcDialect, limits: RpcLimits): Reading<RpcText> {
  const batch = isJsonArray(value);
  const values = batch ? value : [value];
  if (values.length === 0) return malformed('an empty batch');
  if (values.length > limits.rpcMessages)
    return malformed(`a batch of more than ${limits.rpcMessages} messages`);
  const entries: RpcEntry[] = [];
  for (const one of values) {
    const entry = readMessage(one, dialect, limits);
    if (entry.kind === 'malformed') return entry;
    entries.push(entry.value);
  }
  return understood({ batch, entries });
}

/** Whether some reader could take a value for a message: it uses, rightly or not, a name that only messages have. */
export const looksLikeMessage = (value: JsonValue): boolean =>
  isJsonArray(value)
    ? value.some(looksLikeMessage)
    : isJsonObject(value) &&
      [...value.keys()].some(
        (name) => ENVELOPE_NAMES.has(name) || ENVELOPE_NAMES.mistakable([name]) !== undefined,
      );

function readMessage(value: JsonValue, dialect: RpcDialect, limits: RpcLimits): Reading<RpcEntry> {
  if (!isJsonObject(value)) return malformed('a JSON-RPC message is a JSON object');
  const name = MEMBER_NAMES.mistakable(value.keys());
  if (name !== undefined) return malformed(`a name differs from "${name}" only in case`);
  if (value.get('jsonrpc') !== '2.0') return malformed('"jsonrpc" is not "2.0"');
  return value.has('method') ? readCall(value, dialect, limits) : readResponse(value, dialect);
}

function readCall(value: JsonObject, dialect: RpcDialect, limits: RpcLimits): Reading<RpcEntry> {
  const method = value.get('method');
  if (value.has('result') || value.has('error')) return malformed('a message is both a call and a response');
  if (typeof method !== 'string' || method === '' || CONTROL_CHARACTER.test(method))
    return malformed('"method" is not a name');
  if (method.length > limits.rpcNameLength)
    return malformed(`"method" is longer than ${limits.rpcNameLength} characters`);
  const id = value.get('id');
  if (value.has('id') && !isId(id, dialect)) return malformed('"id" is not an identifier');

  const params = readParams(value, dialect);
  if (params.kind === 'malformed') return params;
  const tool =
    dialect.protocol === 'mcp' && method === TOOL_CALL ? readTool(params.value, dialect, limits) : undefined;
  if (tool?.kind === 'malformed') return tool;
  const leaves = params.value === undefined ? understood([]) : flattenParams(params.value, limits);
  if (leaves.kind === 'malformed') return leaves;
  return understood({
    message: {
      kind: value.has('id') ? 'request' : 'notification',
      method,
      ...(tool ? { tool: tool.value } : {}),
      params: leaves.value,
    },
    id: id as RpcId | undefined,
    value,
  });
}

/** JSON-RPC 2.0 section 4.2; MCP has objects only. */
function readParams(value: JsonObject, { protocol }: RpcDialect): Reading<JsonValue | undefined> {
  const params = value.get('params');
  if (params === undefined) return understood(undefined);
  if (isJsonArray(params) && protocol === 'json-rpc') return understood(params);
  if (!isJsonObject(params)) return malformed('"params" is not structured as the protocol has it');
  const name = protocol === 'mcp' ? MCP_PARAM_NAMES.mistakable(params.keys()) : undefined;
  return name === undefined ? understood(params) : malformed(`a name differs from "${name}" only in case`);
}

function readTool(
  params: JsonValue | undefined,
  { strictToolNames }: RpcDialect,
  limits: RpcLimits,
): Reading<string> {
  const tool = isJsonObject(params) ? params.get('name') : undefined;
  if (typeof tool !== 'string' || tool === '') return malformed('a call of a tool does not name it');
  if (strictToolNames && !STRICT_TOOL_NAME.test(tool))
    return malformed(
      'the name of the tool has more than 128 characters, or others than letters, digits, "_", "-", "." and "/"',
    );
  if (tool.length > limits.rpcNameLength)
    return malformed(`the name of the tool is longer than ${limits.rpcNameLength} characters`);
  return understood(tool);
}

/** JSON-RPC 2.0 section 5. An error that belongs to no request has no id, or null. */
function readResponse(value: JsonObject, dialect: RpcDialect): Reading<RpcEntry> {
  const failed = value.has('error');
  if (value.has('result') === failed) return malformed('a message is neither a call nor a response');
  if (failed && !isJsonObject(value.get('error'))) return malformed('"error" is not an object');
  if (value.has('params')) return malformed('a response has parameters');
  const id = value.get('id');
  const belongsToNone = failed && (id === undefined || id === null);
  if (!belongsToNone && !isId(id, dialect)) return malformed('"id" is not an identifier');
  return understood({
    message: { kind: 'response', method: '', params: [] },
    id: id as RpcId | undefined,
    value,
  });
}

/** JSON-RPC 2.0 section 4.1; MCP leaves out null and fractions. */
function isId(id: JsonValue | undefined, { protocol }: RpcDialect): boolean {
  if (typeof id === 'string' || typeof id === 'bigint') return true;
  if (typeof id === 'number') return protocol === 'json-rpc' || Number.isInteger(id);
  return id === null && protocol === 'json-rpc';
}
