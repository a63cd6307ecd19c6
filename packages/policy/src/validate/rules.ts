import { messageOf } from '@openshell/base';
import { compileGlob, type Separator } from '../glob/glob.ts';
import type { OperationType, Protocol, RequestRule } from '../policy.ts';
import { nearestName } from '../schema/nearest.ts';
import type { RawMatcher } from '../schema/policy-schema.ts';
import { checkMcpMatcher } from './mcp-rules.ts';
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
  websocket: ['method', 'path', 'query', 'operation_type', 'operation_name', 'fields'],
  graphql: ['operation_type', 'operation_name', 'fields'],
  'json-rpc': ['method'],
  mcp: ['method', 'tool', 'params'],
  sql: ['command'],
};

/** The IANA registry of HTTP methods (RFC 9110 section 16.1) in its August 2024 state, plus QUERY. */
const HTTP_METHODS = (
  'ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL ' +
  'MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PRI PROPFIND PROPPATCH PUT QUERY REBIND REPORT SEARCH TRACE ' +
  'UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL'
).split(' ');

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
  return normaliseRule(raw, context, scope);
}

/** Rules over an endpoint as a whole: GraphQL over WebSocket leaves no room for plain text messages. */
export function checkRulesTogether(rules: readonly RawMatcher[], context: RuleContext, scope: Scope): void {
  if (context.protocol !== 'websocket' || !rules.some(isGraphql)) return;
  if (rules.some((rule) => rule.method?.toUpperCase() === 'WEBSOCKET_TEXT')) {
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
  if (raw.method !== undefined) checkHttpMethod(raw.method, protocol, scope.at('method'));
}

function checkHttpMethod(written: string, protocol: Protocol, scope: Scope): void {
  const known = protocol === 'websocket' ? ['GET', 'WEBSOCKET_TEXT'] : HTTP_METHODS;
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

function normaliseRule(raw: RawMatcher, { protocol }: RuleContext, scope: Scope): RequestRule {
  const isHttp = protocol === 'rest' || protocol === 'websocket';
  const glob = (text: string, separator: Separator, where: Scope) => checkGlob(text, separator, where);
  if (raw.path !== undefined) checkPathPattern(raw.path, scope.at('path'));
  if (raw.operation_name !== undefined) glob(raw.operation_name, 'none', scope.at('operation_name'));
  raw.fields?.forEach((field, index) => void glob(field, 'none', scope.at('fields', index)));
  raw.query?.forEach((values, name) => {
    for (const value of values) glob(value, 'none', scope.at('query', name));
  });
  const tools = raw.tool ?? nameParameter(raw.params?.get('name'));
  tools?.forEach((tool) => void glob(tool, 'none', scope.at(raw.tool ? 'tool' : 'params')));
  return {
    ...(raw.method === undefined ? {} : { method: isHttp ? raw.method.toUpperCase() : raw.method }),
    ...(raw.path === undefined ? {} : { path: raw.path }),
    ...(raw.command === undefined ? {} : { command: raw.command.toUpperCase() }),
    ...(raw.query === undefined ? {} : { query: Object.fromEntries([...raw.query].sort(byKey)) }),
    ...(raw.operation_type === undefined ? {} : { operationType: raw.operation_type as OperationType | '*' }),
    ...(raw.operation_name === undefined ? {} : { operationName: raw.operation_name }),
    ...(raw.fields === undefined ? {} : { fields: raw.fields }),
    ...(tools === undefined ? {} : { tools }),
  };
}

/** `params: { name: a }` or `{ name: { any: [a, b] } }`: another way to write `tool`. */
function nameParameter(value: unknown): string[] | undefined {
  if (typeof value === 'string') return [value];
  const any = typeof value === 'object' && value !== null && 'any' in value ? value.any : undefined;
  return Array.isArray(any) && any.every((one) => typeof one === 'string') ? any : undefined;
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
