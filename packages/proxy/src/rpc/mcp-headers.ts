import type { HeaderField } from '../http/request-head.ts';
import { isJsonObject } from '../json/json-value.ts';
import type { RpcEntry, RpcText } from './messages.ts';

/** A value that does not fit into a field, as MCP puts it in there: base64 of its UTF-8. */
const ENCODED = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;
const PARAM_PREFIX = 'mcp-param-';
/** What `Mcp-Name` repeats: the name of a tool or prompt, the address of a resource, the id of a task. */
const NAMED_BY = ['name', 'uri', 'taskId'] as const;

/**
 * Fields by which MCP repeats parts of the body, for those who route by them (SEP-2243, MCP 2026-07-28): `Mcp-Method`, `Mcp-Name` and
 * `Mcp-Param-*`. Who reads the body must refuse a difference; otherwise the fields could lead a request elsewhere than the body says.
 * Absent fields are fine: older revisions have none. Gives the reason to refuse.
 */
export function mcpHeaderConflict(fields: readonly HeaderField[], text: RpcText): string | undefined {
  const mirrors = fields.filter(
    ({ lowerName }) =>
      lowerName === 'mcp-method' || lowerName === 'mcp-name' || lowerName.startsWith(PARAM_PREFIX),
  );
  if (mirrors.length === 0) return undefined;
  const [entry] = text.entries;
  if (!entry || text.batch) return 'fields that repeat the body of MCP come with a batch';
  const seen = new Set<string>();
  for (const { lowerName, value } of mirrors) {
    if (seen.has(lowerName)) return 'a field that repeats the body of MCP is given more than once';
    seen.add(lowerName);
    if (!agrees(lowerName, decoded(value), entry))
      return 'a field that repeats the body of MCP does not agree with it';
  }
  return undefined;
}

function agrees(lowerName: string, value: string, { message, value: body }: RpcEntry): boolean {
  if (lowerName === 'mcp-method') return value === message.method;
  if (lowerName.startsWith(PARAM_PREFIX)) {
    // Which argument is repeated is known to the tool's schema only; some argument must have the value.
    return message.params.some(([name, leaf]) => name.startsWith('arguments.') && sameValue(leaf, value));
  }
  const params = body.get('params');
  return NAMED_BY.some((name) => isJsonObject(params) && params.get(name) === value);
}

/** Numbers are compared as numbers: a client may write `1` for the `1.0` of the body. */
const sameValue = (leaf: string, value: string): boolean =>
  leaf === value || (leaf !== '' && value !== '' && Number(leaf) === Number(value));

function decoded(value: string): string {
  const encoded = ENCODED.exec(value)?.[1];
  return encoded === undefined ? value : Buffer.from(encoded, 'base64').toString('utf8');
}
