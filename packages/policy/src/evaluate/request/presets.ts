import type { Endpoint, RequestRule } from '../../policy.ts';
import type { SqlEffect } from '../../request.ts';

/** A rule as presets write it: they alone can speak of what a statement does rather than of its words. */
export interface ExpandedRule extends RequestRule {
  readonly effect?: SqlEffect;
}

const onEveryPath = (methods: readonly string[]): readonly ExpandedRule[] =>
  methods.map((method) => ({ method, path: '**' }));

const READ = ['GET', 'HEAD', 'OPTIONS'];
const WRITE = [...READ, 'POST', 'PUT', 'PATCH'];
const EVERYTHING = onEveryPath(['*']);

type Access = NonNullable<Endpoint['access']>;

const PRESETS: {
  readonly [protocol in Endpoint['protocol']]?: { readonly [access in Access]: readonly ExpandedRule[] };
} = {
  rest: { 'read-only': onEveryPath(READ), 'read-write': onEveryPath(WRITE), full: EVERYTHING },
  websocket: {
    'read-only': onEveryPath(['GET']),
    'read-write': onEveryPath(['GET', 'WEBSOCKET_TEXT']),
    full: EVERYTHING,
  },
  graphql: {
    'read-only': [{ operationType: 'query' }],
    'read-write': [{ operationType: 'query' }, { operationType: 'mutation' }],
    full: [{ operationType: '*' }],
  },
  sql: {
    'read-only': [{ effect: 'read' }],
    'read-write': [{ effect: 'read' }, { effect: 'write' }],
    full: [{ effect: 'read' }, { effect: 'write' }, { effect: 'other' }],
  },
};

/** What a preset stands for. JSON-RPC and MCP have none. */
export const presetRules = (protocol: Endpoint['protocol'], access: Access): readonly ExpandedRule[] =>
  PRESETS[protocol]?.[access] ?? [];
