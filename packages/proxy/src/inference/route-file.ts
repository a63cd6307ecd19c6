import { OpenShellError } from '@openshell/base';
import {
  compileGlob,
  type PolicySource,
  type Problem,
  type Read,
  readDocument,
  type Scope,
} from '@openshell/policy';
import { checkSources, type SourceKinds } from '../credentials/source-kinds.ts';
import type { ValueSource } from '../credentials/spec.ts';
import { wrongBaseUrl } from './backend.ts';
import { ROUTES_SCHEMA } from './route-schema.ts';
import type { InferenceAuth, InferenceProtocol, InferenceRoute, RouteLimits } from './routes.ts';

export type RoutesResult =
  | { readonly ok: true; readonly routes: readonly InferenceRoute[]; readonly source: PolicySource }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type RawRoute = NonNullable<Read<typeof ROUTES_SCHEMA>['routes']>[number];

/** Reads a file of inference routes (YAML, or JSON, which is YAML). Never throws: the answer is the routes or all that is wrong, with its place. */
export function parseRoutes(text: string, file?: string, sources: SourceKinds = 'host'): RoutesResult {
  const document = readDocument(text, ROUTES_SCHEMA, { file, start: 'routes:' });
  const scope = document.scope.at('routes');
  const routes: InferenceRoute[] = [];
  for (const [index, raw] of (document.value?.routes ?? []).entries()) {
    // A hole or a broken entry has its problem already.
    if (raw === undefined || document.isBroken(raw)) continue;
    const here = scope.at(index);
    if (sources === 'pushed' && raw.auth) checkSources(raw.auth, here.at('auth'));
    if (routes.some(({ name }) => name === raw.name))
      here
        .at('name')
        .problem('duplicate_name', `Another route is called "${raw.name}".`, 'Give each its own name.');
    const route = readRoute(raw, here);
    if (route) routes.push(route);
  }
  const problems = document.problems();
  return problems.length > 0 ? { ok: false, problems } : { ok: true, routes, source: document.source };
}

function readRoute(raw: RawRoute, scope: Scope): InferenceRoute | undefined {
  const { name = '', models = [], protocols = [], base_url: baseUrl = '', model, headers } = raw;
  for (const [index, pattern] of models.entries()) checkPattern(pattern, scope.at('models', index));
  const wrong = wrongBaseUrl(baseUrl);
  if (wrong)
    scope
      .at('base_url')
      .problem('bad_base_url', `The base URL ${wrong}.`, 'Write it as https://HOST or https://HOST/PATH.');
  checkHeaders(headers ?? new Map(), scope.at('headers'));
  const auth = raw.auth && readAuth(raw.auth, scope.at('auth'));
  if (!auth) return undefined;
  return {
    name,
    models,
    // The schema has let nothing else through.
    protocols: [...new Set(protocols as InferenceProtocol[])],
    baseUrl,
    ...(model !== undefined && { model }),
    auth,
    ...(headers && { headers: Object.fromEntries(headers) }),
    ...(raw.limits && { limits: readLimits(raw.limits) }),
  };
}

function checkPattern(pattern: string, scope: Scope): void {
  try {
    compileGlob(pattern, 'none');
  } catch (thrown) {
    if (!(thrown instanceof OpenShellError)) throw thrown;
    scope.problem(thrown.code, thrown.message, thrown.remedy ?? 'Correct the pattern.');
  }
}

const FIELD_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
const FIELD_VALUE = /^[\x20-\x7e]*$/;

/** The proxy's own to write, or where keys belong, which a file of routes must not hold. */
const RESERVED = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'content-type',
  'content-encoding',
  'accept-encoding',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'keep-alive',
]);
const KEYS = new Set([
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'cookie',
]);

function checkHeaders(headers: ReadonlyMap<string, string>, scope: Scope): void {
  for (const [name, value] of headers) {
    const here = scope.at(name);
    const lower = name.toLowerCase();
    if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(value))
      here.problem('bad_header', 'This is no header field.', 'Use a plain name and printable ASCII.', 'key');
    else if (RESERVED.has(lower))
      here.problem('reserved_header', `"${name}" is written by the proxy.`, 'Remove it.', 'key');
    else if (KEYS.has(lower))
      here.problem('key_in_file', `"${name}" carries a key.`, 'Use "auth" with env, file or command.', 'key');
  }
}

type RawAuth = NonNullable<RawRoute['auth']>;

function readAuth(raw: RawAuth, scope: Scope): InferenceAuth | undefined {
  const sources = sourcesOf(raw);
  if (raw.kind === 'none') {
    if (sources.length > 0)
      scope.problem('unused_key', 'There is a key, but "kind" is "none".', 'Remove one of the two.');
    return { kind: 'none' };
  }
  const [credential] = sources;
  if (credential === undefined || sources.length > 1) {
    scope.problem(
      'one_key',
      `${sources.length} sources of the key are given.`,
      'Give one of env, file and command.',
    );
    return undefined;
  }
  if ((raw.kind === 'header') !== (raw.header !== undefined)) {
    scope.problem(
      'header_name',
      '"header" goes with "kind: header", and only with it.',
      'Add it, or remove it.',
    );
    return undefined;
  }
  switch (raw.kind) {
    case 'bearer':
    case 'x-api-key':
      return { kind: raw.kind, credential };
    case 'header': {
      const { header: name = '' } = raw;
      if (FIELD_NAME.test(name) && !RESERVED.has(name.toLowerCase()))
        return { kind: 'header', name, credential };
      scope
        .at('header')
        .problem('bad_header', `"${name}" cannot carry a key.`, 'Name the field that the backend documents.');
      return undefined;
    }
    default:
      return undefined;
  }
}

const sourcesOf = ({ env, file, command }: RawAuth): ValueSource[] => [
  ...(env === undefined ? [] : [{ kind: 'env', variable: env } as const]),
  ...(file === undefined ? [] : [{ kind: 'file', path: file } as const]),
  ...(command === undefined ? [] : [{ kind: 'command', argv: command } as const]),
];

type RawLimits = NonNullable<RawRoute['limits']>;

const LIMIT_NAMES: { readonly [Name in keyof RouteLimits]: keyof RawLimits } = {
  connectTime: 'connect_ms',
  headTime: 'head_ms',
  totalTime: 'total_ms',
  chunkTime: 'chunk_ms',
  requestBytes: 'request_bytes',
  responseBytes: 'response_bytes',
};

const readLimits = (raw: RawLimits): Partial<RouteLimits> =>
  Object.fromEntries(
    Object.entries(LIMIT_NAMES).flatMap(([name, field]) =>
      raw[field] === undefined ? [] : [[name, raw[field]]],
    ),
  );
