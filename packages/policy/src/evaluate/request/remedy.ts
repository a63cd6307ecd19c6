import { escapeGlob } from '../../glob/glob.ts';
import type { AccessPreset, Endpoint } from '../../policy.ts';
import { HTTP_METHODS } from '../../protocols.ts';
import type { RequestFacts } from '../../request.ts';
import type { InspectedEndpoint } from './endpoint.ts';
import { operationAt } from './graphql-matcher.ts';
import { presetRules } from './presets.ts';
import { flow } from './yaml-flow.ts';

const ACCESSES: readonly AccessPreset[] = ['read-only', 'read-write', 'full'];

/** What would make an endpoint allow a part of a request: the line to add, or the preset that covers it. */
export function remedyFor(endpoint: InspectedEndpoint, facts: RequestFacts, index: number): string {
  const { access } = endpoint.endpoint;
  if (access) {
    const wider = ACCESSES.slice(ACCESSES.indexOf(access) + 1).find((preset) =>
      endpoint.wouldAllow(presetRules(endpoint.endpoint.protocol, preset), facts, index),
    );
    if (wider) return `Set ${endpoint.place}.access to ${wider}, or write rules in its place.`;
  }
  const rule = ruleFor(endpoint.endpoint, facts, index);
  if (!rule) return `Requests of this kind are not possible at ${endpoint.place}.`;
  if (access) return `Replace ${endpoint.place}.access by rules that have: - allow: ${flow(rule)}`;
  return `Add to ${endpoint.place}.rules: - allow: ${flow(rule)}`;
}

/** The narrowest rule, as a file writes it, for a part of a request. Undefined: no rule could allow it. */
export function ruleFor(
  { protocol }: Pick<Endpoint, 'protocol'>,
  facts: RequestFacts,
  index: number,
): object | undefined {
  const { content, method, path } = facts;
  const from = facts.from === 'server' ? { from: 'server' } : {};
  switch (protocol) {
    case 'rest':
      return HTTP_METHODS.includes(method) ? { method, path: escapeGlob(path) } : undefined;
    case 'websocket': {
      const operation = operationAt(content, index);
      if (operation) return graphqlRule(operation);
      if (content.kind === 'message') return { ...from, method, path: escapeGlob(path) };
      return method === 'GET' ? { method, path: escapeGlob(path) } : undefined;
    }
    case 'graphql': {
      const operation = operationAt(content, index);
      return operation && graphqlRule(operation);
    }
    case 'json-rpc':
    case 'mcp': {
      const message = content.kind === 'rpc' ? content.messages[index] : undefined;
      if (!message || message.kind === 'response' || isPattern(message.method)) return undefined;
      const tool = message.tool === undefined ? {} : { tool: escapeGlob(message.tool) };
      return { ...from, method: message.method, ...tool };
    }
    case 'sql': {
      const statement = content.kind === 'sql' ? content.statements[index] : undefined;
      if (!statement) return undefined;
      const tables = statement.tables.map(escapeGlob);
      return { command: escapeGlob(statement.command), ...(tables.length > 0 ? { tables } : {}) };
    }
    case '':
    case 'tcp':
      return undefined;
    default:
      return protocol satisfies never;
  }
}

/** Methods are written as they are, and a method that looks like a pattern must not become one. */
const isPattern = (method: string): boolean => method === '' || escapeGlob(method) !== method;

function graphqlRule({ type, name, fields }: NonNullable<ReturnType<typeof operationAt>>): object {
  return {
    operation_type: type,
    ...(name === undefined ? {} : { operation_name: escapeGlob(name) }),
    ...(fields.length > 0 ? { fields: fields.map(escapeGlob) } : {}),
  };
}
