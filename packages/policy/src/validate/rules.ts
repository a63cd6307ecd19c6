import { messageOf } from '@openshell/base';
import { compileGlob, type Separator } from '../glob/glob.ts';
import type { OperationType, Protocol, RequestRule } from '../policy.ts';
import { HTTP_METHODS } from '../protocols.ts';
import { nearestName } from '../schema/nearest.ts';
import type { RawMatcher } from '../schema/policy-schema.ts';
import { checkMcpMatcher, selectsTools } from './mcp-rules.ts';
import { readParams } from './params.ts';
import type { Scope } from './scope.ts';

/** What the rules of an endpoint depend on besides themselves. */
export interface RuleContext {
  readonly protocol: Protocol;
  readonly strictToolNames: boolean;
  readonly allowAllKnownMethods: boolean;
}

type MatcherField = keyof RawMatcher & string;

/** Which fields say something under which protocol; any other would be ignored, so it is refused. */
const FIELDS: Readonly<Record<Protocol, readonly MatcherField[]>> = {
  '': [],
  tcp: [],
  rest: ['method', 'path', 'query'],
  websocket: ['method', 'path', 'query', 'operation_type', 'operation_name', 'fields', 'from'],
  graphql: ['operation_type', 'operation_name', 'fields'],
  'json-rpc': ['method', 'params', 'from'],
  mcp: ['method', 'tool', 'params', 'from'],
  sql: ['command', 'tables'],
};

/** By these names rules speak of WebSocket messages. */
const MESSAGES = ['WEBSOCKET_TEXT', 'WEBSOCKET_BINARY'];

/** The fields by which a rule speaks about GraphQL operations. */
const GRAPHQL_FIELDS: readonly MatcherField[] = ['operation_type', 'operation_name', 'fields'];
const isGraphql = (raw: RawMatcher): boolean => GRAPHQL_FIELDS.some((field) => raw[field] !== undefined);

/** Checks and normalises one allow or deny rule. */
export function readRule(raw: RawMatcher, context: RuleContext, scope: Scope): RequestRule {
  const given = (Object.keys(raw) as MatcherField[]).filter((field) => raw[field] !== undefined);
  if (given.length === 0) {
    scope.problem(
      'empty_rule',
      'The rule says nothing about the request.',
      `Give at least one of: ${FIELDS[context.protocol].join(', ')}.`,
    );
  }
  for (const field of given) {
    if (FIELDS[context.protocol].includes(field)) continue;
    scope
      .at(field)
      .problem(
        'field_not_for_protocol',
        `"${field}" has no meaning under protocol ${context.protocol}.`,
        `Use ${FIELDS[context.protocol].join(', ')}, or put the rule on an endpoint of another protocol.`,
        'key',
      );
  }
  checkHttpParts(raw, context, scope);
  if (context.protocol === 'json-rpc') checkJsonRpc(raw, scope);
  if (context.protocol === 'mcp') checkMcpMatcher(raw, context, scope);
  if (context.protocol === 'sql') checkSql(raw, scope);
  return normaliseRule(raw, context, scope);
}

/** Rules over an endpoint as a whole: GraphQL over WebSocket leaves no room for plain text messages. */
export function checkRulesTogether(rules: readonly RawMatcher[], context: RuleContext, scope: Scope): void {
  if (context.protocol !== 'websocket' || !rules.some(isGraphql)) return;
  if (rules.some((rule) => rule.from !== 'server' && rule.method?.toUpperCase() === 'WEBSOCKET_TEXT')) {
    scope.problem(
      'websocket_text_with_graphql',
      'WEBSOCKET_TEXT would let through the very messages that the GraphQL rules look into.',
      'Remove the WEBSOCKET_TEXT rule, or the GraphQL ones.',
    );
  }
}

function checkHttpParts(raw: RawMatcher, { protocol }: RuleContext, scope: Scope): void {
  if (protocol !== 'rest' && protocol !== 'websocket') return;
  if (protocol === 'websocket' && isGraphql(raw)) {
    if (raw.method !== undefined || raw.path !== undefined || raw.query !== undefined) {
      scope.problem(
        'mixed_rule',
        'One rule speaks of both the HTTP request and GraphQL operations.',
        'Write two rules.',
      );
    }
    if (raw.from === 'server') {
      scope
        .at('from')
        .problem('operation_from_server', 'Servers send no GraphQL operations.', 'Remove "from".', 'key');
    }
    return;
  }
  for (const field of ['method', 'path'] as const) {
    if (raw[field] !== undefined) continue;
    scope.problem(
      'incomplete_rule',
      `The rule has no ${field}.`,
      `Add ${field}: ${field === 'path' ? '"**"' : '"*"'} if every ${field} is meant.`,
    );
  }
  const known = protocol === 'rest' ? HTTP_METHODS : raw.from === 'server' ? MESSAGES : ['GET', ...MESSAGES];
  if (raw.method !== undefined) checkHttpMethod(raw.method, protocol, known, scope.at('method'));
}

function checkHttpMethod(written: string, protocol: Protocol, known: readonly string[], scope: Scope): void {
  const method = written.toUpperCase();
  if (method === '*' || known.includes(method)) return;
  const near = nearestName(
    method.toLowerCase(),
    known.map((one) => one.toLowerCase()),
  );
  scope.problem(
    'unknown_method',
    `"${written}" is not a method of protocol ${protocol}.`,
    near ? `Did you mean ${near.toUpperCase()}?` : 'Write a registered method, or "*".',
  );
}

function checkJsonRpc(raw: RawMatcher, scope: Scope): void {
  if (raw.method === undefined)
    scope.problem('incomplete_rule', 'The rule has no method.', 'Add method: NAME, or "*".');
  else if (raw.method !== '*' && raw.method.includes('*')) {
    scope
      .at('method')
      .problem(
        'method_pattern',
        'JSON-RPC methods are matched exactly.',
        'Write each method out, or "*" for all.',
      );
  }
}

/** A table pattern is taken apart at its last dot, so that dot must be one for sure. */
const HIDDEN_DOT = /[{[][^}\]]*\.|\\\./;

function checkSql(raw: RawMatcher, scope: Scope): void {
  if (raw.command === undefined)
    scope.problem('incomplete_rule', 'The rule has no command.', 'Add command: SELECT, or "*" for all.');
  raw.tables?.forEach((table, index) => {
    if (!HIDDEN_DOT.test(table)) return;
    scope
      .at('tables', index)
      .problem(
        'table_pattern',
        'A dot inside of braces or brackets, or after a backslash, does not part the schema from the table.',
        'Write each table as a pattern of its own.',
      );
  });
}

function normaliseRule(raw: RawMatcher, { protocol }: RuleContext, scope: Scope): RequestRule {
  const isHttp = protocol === 'rest' || protocol === 'websocket';
  const glob = (text: string, separator: Separator, where: Scope) => checkGlob(text, separator, where);
  if (raw.path !== undefined) checkPathPattern(raw.path, scope.at('path'));
  if (raw.operation_name !== undefined) glob(raw.operation_name, 'none', scope.at('operation_name'));
  raw.fields?.forEach((field, index) => void glob(field, 'none', scope.at('fields', index)));
  raw.query?.forEach((values, name) => {
    for (const value of values) glob(value, 'none', scope.at('query', name));
  });
  raw.tool?.forEach((tool) => void glob(tool, 'none', scope.at('tool')));
  raw.tables?.forEach((table, index) => void glob(table, 'none', scope.at('tables', index)));
  const command = raw.command?.trim().replaceAll(/\s+/g, ' ').toUpperCase();
  if (command !== undefined) glob(command, 'none', scope.at('command'));
  const params = new Map(readParams(raw.params, scope.at('params')));
  params.forEach((values, name) => {
    for (const value of values) glob(value, 'none', scope.at('params', name));
  });
  const named = protocol === 'mcp' && selectsTools(raw) ? params.get('name') : undefined;
  if (named) params.delete('name');
  const tools = raw.tool ?? named;
  return {
    ...(raw.method === undefined ? {} : { method: isHttp ? raw.method.toUpperCase() : raw.method }),
    ...(raw.path === undefined ? {} : { path: raw.path }),
    ...(command === undefined ? {} : { command }),
    ...(raw.query === undefined ? {} : { query: Object.fromEntries([...raw.query].sort(byKey)) }),
    ...(raw.operation_type === undefined ? {} : { operationType: raw.operation_type as OperationType | '*' }),
    ...(raw.operation_name === undefined ? {} : { operationName: raw.operation_name }),
    ...(raw.fields === undefined ? {} : { fields: raw.fields }),
    ...(tools === undefined ? {} : { tools }),
    ...(params.size === 0 ? {} : { params: Object.fromEntries([...params].sort(byKey)) }),
    ...(raw.tables === undefined ? {} : { tables: raw.tables }),
    ...(raw.from === 'server' ? { from: 'server' } : {}),
  };
}

const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

/** A path pattern starts where paths start, or is `**`. */
export function checkPathPattern(path: string, scope: Scope): void {
  if (!path.startsWith('/') && path !== '**') {
    scope.problem(
      'bad_path_pattern',
      `"${path}" does not start with "/", as paths do.`,
      'Start the pattern with "/", or write "**".',
    );
  } else checkGlob(path, '/', scope);
}

/** Reports a pattern that cannot be compiled. */
export function checkGlob(text: string, separator: Separator, scope: Scope): void {
  try {
    compileGlob(text, separator);
  } catch (thrown) {
    scope.problem(
      'bad_glob',
      messageOf(thrown),
      'Correct the pattern; a backslash makes the next character an ordinary one.',
    );
  }
}
