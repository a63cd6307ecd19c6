import type { Denial, DenialOperation, Protocol } from '@openshell/policy';

/** What one event says of denials: one by itself, or the count of a kind with samples. */
export type Denied =
  | { readonly kind: 'one'; readonly denial: Denial; readonly operations: readonly DenialOperation[] }
  | { readonly kind: 'many'; readonly denial: Denial; readonly samples: readonly DeniedSample[] }
  /** Of kinds that the proxy did not tell apart. */
  | { readonly kind: 'others'; readonly count: number }
  /** A name that was not looked up. */
  | { readonly kind: 'name'; readonly name: string };

export interface DeniedSample {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly operations: readonly DenialOperation[];
  readonly count: number;
}

type Json = Readonly<Record<string, unknown>>;

const STAGES: Readonly<Record<string, Denial['stage']>> = {
  connect: 'connect',
  capture: 'connect',
  request: 'request',
  message: 'message',
  statement: 'statement',
};
const PROTOCOLS = new Set<string>(['', 'tcp', 'rest', 'websocket', 'graphql', 'json-rpc', 'mcp', 'sql']);

/** Reads one line of `--events`. Undefined: an event that is about something else. `invalid`: no event at all. */
export function deniedIn(line: string): Denied | undefined | 'invalid' {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    return 'invalid';
  }
  if (!isObject(event) || typeof event.class_uid !== 'number') return 'invalid';
  switch (event.class_uid) {
    case 4001:
    case 4002:
      return oneOf(event);
    case 2004:
      return objectIn(event, 'finding_info').uid === 'egress-denials' ? manyOf(event) : undefined;
    case 4003: {
      const name = text(objectIn(event, 'query').hostname);
      return name === undefined ? undefined : { kind: 'name', name };
    }
    default:
      return undefined;
  }
}

/** A denial, or what an endpoint that only audits has let through. */
function oneOf(event: Json): Denied | undefined {
  const { action } = event;
  if (action !== 'Denied' && action !== 'Observed') return undefined;
  const endpoint = objectIn(event, 'dst_endpoint');
  const request = objectIn(event, 'http_request');
  const unmapped = objectIn(event, 'unmapped');
  const rule = text(objectIn(event, 'firewall_rule').uid);
  const denial = denialOf(event, {
    ...unmapped,
    host: endpoint.domain ?? endpoint.ip,
    port: endpoint.port,
    rule,
    code: action === 'Denied' ? unmapped.code : codeOfAudit(rule),
    count: number(unmapped.count) ?? 1,
    method: request.http_method,
    path: objectIn(request, 'url').path,
  });
  return denial && { kind: 'one', denial, operations: operationsIn(unmapped.operations) };
}

/** What would have been the reason, had the endpoint enforced its rules. */
const codeOfAudit = (rule: string | undefined): string =>
  rule?.includes('.deny_rules[') === true ? 'request_denied' : 'request_not_allowed';

function manyOf(event: Json): Denied | undefined {
  const unmapped = objectIn(event, 'unmapped');
  const count = number(event.count) ?? 0;
  if (unmapped.host === undefined) return { kind: 'others', count };
  const denial = denialOf(event, { ...unmapped, count });
  const samples = listIn(unmapped.samples).map((sample) => ({
    method: text(sample.method),
    path: text(sample.path),
    operations: operationsIn(sample.operations),
    count: number(sample.count) ?? 0,
  }));
  return denial && { kind: 'many', denial, samples };
}

function denialOf(event: Json, fields: Json): Denial | undefined {
  const host = text(fields.host);
  const port = number(fields.port);
  const code = text(fields.code);
  const stage = STAGES[text(fields.stage) ?? ''];
  if (host === undefined || port === undefined || code === undefined || stage === undefined) return undefined;
  const binary = text(objectIn(objectIn(objectIn(event, 'actor'), 'process'), 'file').path);
  const protocol = text(fields.protocol) ?? '';
  const [method, path, rule] = [text(fields.method), text(fields.path), text(fields.rule)];
  return {
    sandbox: text(objectIn(event, 'metadata').tenant_uid) ?? '',
    ...(binary !== undefined && { binary }),
    host,
    port,
    stage,
    protocol: PROTOCOLS.has(protocol) ? (protocol as Protocol) : '',
    ...(method !== undefined && { method }),
    ...(path !== undefined && { path }),
    ...(fields.from === 'server' && { from: 'server' }),
    ...(rule !== undefined && { rule }),
    count: number(fields.count) ?? 0,
    code,
  };
}

const operationsIn = (value: unknown): DenialOperation[] =>
  listIn(value)
    .map(operationIn)
    .filter((operation) => operation !== undefined);

function operationIn(value: Json): DenialOperation | undefined {
  const { kind, type, effect } = value;
  switch (kind) {
    case 'graphql': {
      const name = text(value.name);
      const fields = texts(value.fields);
      if (type !== 'query' && type !== 'mutation' && type !== 'subscription') return undefined;
      return { kind, type, ...(name !== undefined && { name }), fields };
    }
    case 'rpc': {
      const [method, tool] = [text(value.method), text(value.tool)];
      return method === undefined ? undefined : { kind, method, ...(tool !== undefined && { tool }) };
    }
    case 'sql': {
      const command = text(value.command);
      if (command === undefined || (effect !== 'read' && effect !== 'write' && effect !== 'other'))
        return undefined;
      return { kind, command, effect, tables: texts(value.tables) };
    }
    default:
      return undefined;
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const objectIn = (from: Json, name: string): Json => {
  const value = from[name];
  return isObject(value) ? value : {};
};
const listIn = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : []);
const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const number = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
