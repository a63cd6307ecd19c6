import type { SecretValue } from '../credentials/secret.ts';
import type { OutgoingRequest } from '../exchange/exchange.ts';
import { field, type HeaderField } from '../http/request-head.ts';
import type { ApiCall } from './api.ts';
import type { CompiledRoute } from './route-table.ts';
import type { InferenceAuth } from './routes.ts';

/** What of a caller's header goes along. Everything else stays: keys above all. */
const ALLOWED: ReadonlySet<string> = new Set(['accept', 'user-agent']);
const ALLOWED_OPENAI: ReadonlySet<string> = new Set([
  'openai-organization',
  'openai-project',
  'openai-beta',
  'x-model-id',
]);
const ALLOWED_ANTHROPIC: ReadonlySet<string> = new Set(['anthropic-version', 'anthropic-beta']);

/** Where the caller names none. */
const ANTHROPIC_VERSION = '2023-06-01';

const JSON_TYPE = field('Content-Type', 'application/json');
/** What comes back is searched for the key and read for its token counts. */
const IDENTITY = field('Accept-Encoding', 'identity');

export interface BackendRequestOptions {
  readonly call: Pick<Extract<ApiCall, { kind: 'generate' }>, 'dialect' | 'path' | 'query'>;
  readonly method: 'GET' | 'POST';
  readonly route: CompiledRoute;
  /** Of the caller. */
  readonly fields: readonly HeaderField[];
  readonly key: SecretValue | undefined;
}

/** The request as it goes to the backend, its key put in. */
export function backendRequest({ call, method, route, fields, key }: BackendRequestOptions): OutgoingRequest {
  const { backend } = route;
  const { auth, headers = {} } = route.route;
  const own = Object.entries(headers).map(([name, value]) => field(name, value));
  const credentials = key === undefined ? [] : authFields(auth, key);
  const fixed = new Set([...own, ...credentials].map(({ lowerName }) => lowerName));
  const passed = [
    ...passedFields(call.dialect, fields),
    ...own.filter(({ lowerName }) => lowerName !== 'host'),
  ];
  return {
    method,
    target: `${backend.basePath}${call.path}${call.query}`,
    scheme: backend.scheme,
    authority: backend.authority,
    fields: [
      ...passed.filter((one) => own.includes(one) || !fixed.has(one.lowerName)),
      ...(method === 'POST' ? [JSON_TYPE] : []),
      IDENTITY,
      ...credentials,
    ],
    upgrade: undefined,
    expectsContinue: false,
  };
}

function passedFields(dialect: ApiCall['dialect'], fields: readonly HeaderField[]): HeaderField[] {
  switch (dialect) {
    case 'openai':
      return fields.filter(({ lowerName }) => ALLOWED.has(lowerName) || ALLOWED_OPENAI.has(lowerName));
    case 'anthropic': {
      const passed = fields.filter(
        ({ lowerName }) => ALLOWED.has(lowerName) || ALLOWED_ANTHROPIC.has(lowerName),
      );
      const hasVersion = passed.some(({ lowerName }) => lowerName === 'anthropic-version');
      return hasVersion ? passed : [...passed, field('anthropic-version', ANTHROPIC_VERSION)];
    }
    default:
      return dialect satisfies never;
  }
}

function authFields(auth: InferenceAuth, key: SecretValue): HeaderField[] {
  switch (auth.kind) {
    case 'none':
      return [];
    case 'bearer':
      return [field('Authorization', `Bearer ${key.reveal()}`)];
    case 'x-api-key':
      return [field('x-api-key', key.reveal())];
    case 'header':
      return [field(auth.name, key.reveal())];
    default:
      return auth satisfies never;
  }
}
