import {
  compileGlob,
  type Endpoint,
  type ExpandedRule,
  globMatches,
  MCP_METHODS,
  presetRules,
  type RequestRule,
  readsGraphqlMessages,
} from '@openshell/policy';
import type { JsonObject } from '@openshell/rego';
import { present } from './endpoint-data.ts';
import { patternsData } from './patterns-data.ts';

/** How rules are compiled: `every` value must be covered to allow, `some` value is enough to deny. */
type Quantifier = 'every' | 'some';

/**
 * What an inspected endpoint says of requests, prepared for rules: its path and its rules with patterns in the form of `patternsData`.
 * `place` is the endpoint's in the file.
 */
export const requestData = (endpoint: Endpoint, place: string): JsonObject => {
  const { path, protocol } = endpoint;
  const allow = allowRules(endpoint, place);
  return present({
    path: path === '' || path === '**' ? undefined : patternsData([compileGlob(path, '/')]),
    reading: protocol === 'rest' || protocol === 'websocket' ? 'http' : protocol,
    allow,
    deny: (endpoint.denyRules ?? []).map((rule, index) =>
      ruleData(rule, `${place}.deny_rules[${index}]`, 'some', protocol),
    ),
    limits_server: allow.some(({ from }) => from === 'server'),
    allows_operations: protocol === 'websocket' && (endpoint.rules ?? []).some(isAboutOperations),
    reads_operations: readsGraphqlMessages({ endpoint }),
  });
};

const allowRules = (endpoint: Endpoint, place: string): readonly JsonObject[] => {
  const { access, protocol, rules = [], mcp } = endpoint;
  if (access) {
    return presetRules(protocol, access).map((rule) => ruleData(rule, `${place}.access`, 'every', protocol));
  }
  const written = rules.map((rule, index) => ruleData(rule, `${place}.rules[${index}]`, 'every', protocol));
  return mcp?.allowAllKnownMethods ? [...written, knownMethods(rules, place)] : written;
};

/** `allow_all_known_mcp_methods`, which leaves calls of tools to the rules where those are about single ones. */
const knownMethods = (rules: readonly RequestRule[], place: string): JsonObject => {
  const narrows = rules.some(
    ({ from, tools, params, method }) =>
      from === undefined && (tools !== undefined || (params !== undefined && method === 'tools/call')),
  );
  const methods = [...MCP_METHODS].filter((method) => !narrows || method !== 'tools/call');
  return {
    place: `${place}.mcp.allow_all_known_mcp_methods`,
    from: 'client',
    every: true,
    about: 'call',
    method: exactly(methods),
  };
};

const ruleData = (
  rule: ExpandedRule,
  place: string,
  quantifier: Quantifier,
  protocol: Endpoint['protocol'],
): JsonObject =>
  present({
    place,
    from: rule.from ?? 'client',
    every: quantifier === 'every',
    ...conditions(rule, quantifier, protocol),
  });

/** What the rule is about, and what that must be like. A condition that is absent holds. */
const conditions = (rule: ExpandedRule, quantifier: Quantifier, protocol: Endpoint['protocol']) => {
  switch (protocol) {
    case 'rest':
      return { about: 'request', ...headConditions(rule) };
    case 'websocket':
      return isAboutOperations(rule)
        ? { about: 'operation', ...operationConditions(rule) }
        : { about: 'message', ...headConditions(rule) };
    case 'graphql':
      return { about: 'operation', ...operationConditions(rule) };
    case 'json-rpc':
    case 'mcp':
      return { about: 'call', ...callConditions(rule, quantifier, protocol) };
    case 'sql':
      return { about: 'statement', ...statementConditions(rule, quantifier) };
    case '':
    case 'tcp':
      return { about: 'nothing' };
    default:
      return protocol satisfies never;
  }
};

const headConditions = ({ method, path, query }: RequestRule) => ({
  method: method ?? '*',
  path: path === undefined || path === '**' ? undefined : patternsData([compileGlob(path, '/')]),
  query: query && byName(query),
});

const operationConditions = ({ operationType, operationName, fields }: RequestRule) => ({
  type: operationType === '*' ? undefined : operationType,
  name: operationName === undefined ? undefined : values([operationName]),
  fields: fields && values(fields),
});

const callConditions = (rule: RequestRule, quantifier: Quantifier, protocol: Endpoint['protocol']) => ({
  method: methods(rule.method ?? (rule.tools ? 'tools/call' : '*'), quantifier, protocol),
  tools: rule.tools && values(rule.tools),
  params: rule.params && byName(rule.params),
});

/** JSON-RPC knows no patterns but `*`. To allow, those of MCP reach only methods whose meaning is known, so they are written out. */
const methods = (method: string, quantifier: Quantifier, protocol: Endpoint['protocol']): JsonObject => {
  if (protocol !== 'mcp' && method !== '*') return exactly([method]);
  const glob = compileGlob(method, 'none');
  if (glob.literal !== undefined) return exactly([method]);
  if (protocol !== 'mcp' || quantifier === 'some') return patternsData([glob]);
  return exactly([...MCP_METHODS].filter((known) => globMatches(glob, known)));
};

const statementConditions = ({ effect, command, tables }: ExpandedRule, quantifier: Quantifier) => ({
  effect,
  command: command === undefined ? undefined : values([command]),
  ...(quantifier === 'every' ? { tables: tables && values(tables) } : { any_table: tables?.map(tableParts) }),
});

/** A pattern for tables as a whole, and taken apart at its last dot: a deny rule takes a schema that is left out for any. */
const tableParts = (pattern: string): JsonObject => {
  const dot = pattern.lastIndexOf('.');
  return present({
    whole: values([pattern]),
    schema: dot < 0 ? undefined : values([pattern.slice(0, dot)]),
    table: values([pattern.slice(dot + 1)]),
  });
};

const isAboutOperations = (rule: RequestRule): boolean =>
  rule.operationType !== undefined || rule.operationName !== undefined || rule.fields !== undefined;

const values = (sources: readonly string[]): JsonObject =>
  patternsData(sources.map((source) => compileGlob(source, 'none')));

const exactly = (texts: readonly string[]): JsonObject => ({
  exact: Object.fromEntries(texts.map((text) => [text, true])),
  prefixes: [],
  patterns: [],
});

const byName = (patterns: Readonly<Record<string, readonly string[]>>): JsonObject =>
  Object.fromEntries(Object.entries(patterns).map(([name, sources]) => [name, values(sources)]));
