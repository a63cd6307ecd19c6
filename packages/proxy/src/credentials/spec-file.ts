import { OpenShellError } from '@openshell/base';
import {
  formatFinding,
  type PolicySource,
  type Problem,
  readDocument,
  type Scope,
  schema,
} from '@openshell/policy';
import { LIMITS } from '../limits.ts';
import { checkSources, type SourceKinds } from './source-kinds.ts';
import type { BindingSpec, CredentialSource, CredentialSpec, OAuth2Source, ValueSource } from './spec.ts';

const { object, text, list, flag, integer } = schema;

const VALUE_FIELDS = {
  env: { type: text(), doc: "Variable of the caller's environment." },
  file: { type: text({ maxBytes: 4096 }), doc: 'Path of a file that holds nothing but the value.' },
  command: { type: list(text(), 64, { nonEmpty: true }), doc: 'Program and arguments that print the value.' },
  ttl_seconds: { type: integer(1, 86_400), doc: 'How long what a command printed is used.', default: '300' },
} as const;

const VALUE = object('value', 'Where a secret comes from.', VALUE_FIELDS);

const OAUTH2 = object('oauth2', 'An access token that the proxy asks for.', {
  grant: {
    type: text({ oneOf: ['client_credentials', 'refresh_token'] }),
    doc: 'How it is got.',
    required: true,
  },
  token_url: { type: text(), doc: 'https, or http on loopback.', required: true },
  client_id: { type: text(), doc: 'Of this client at the issuer.', required: true },
  client_secret: { type: VALUE, doc: 'Its secret, where it has one.' },
  client_auth: {
    type: text({ oneOf: ['basic', 'body'] }),
    doc: 'Where the secret is sent.',
    default: 'basic',
  },
  refresh_token: { type: VALUE, doc: 'For the grant of that name.' },
  scopes: { type: list(text(), 64), doc: 'What the token shall allow.' },
  audience: { type: text(), doc: 'Whom the token is for.' },
});

const BINDING = object('binding', 'Where a credential may go.', {
  host: { type: text(), doc: 'As in endpoints of a policy.', required: true },
  port: { type: integer(1, 65_535), doc: 'Port.', default: '443' },
  path: { type: text(), doc: 'Pattern of paths.', default: 'every path' },
  insecure: { type: flag, doc: 'Also over plain HTTP.', default: 'false' },
});

const FILE = object('credentials', 'A file of credentials.', {
  credentials: {
    type: list(
      object('credential', 'One credential.', {
        name: {
          type: text({ maxBytes: 128 }),
          doc: "Variable of the workload's environment.",
          required: true,
        },
        ...VALUE_FIELDS,
        oauth2: { type: OAUTH2, doc: 'An access token that the proxy asks for.' },
        bindings: { type: list(BINDING, 64), doc: 'Where it may go.' },
        provider: { type: text(), doc: 'What credential_binding calls it.', default: 'its name' },
        prefix: { type: text({ maxBytes: 64 }), doc: 'What the placeholder begins with.' },
      }),
      LIMITS.credentialCount.value,
    ),
    doc: 'The credentials.',
    required: true,
  },
});

type RawFile = schema.Read<typeof FILE>;
type RawCredential = NonNullable<RawFile['credentials']>[number];
type RawValue = schema.Read<typeof VALUE>;
type RawOAuth2 = schema.Read<typeof OAUTH2>;

/** Credentials with the places of the file where they stand, or everything that is wrong with the text. */
export type CredentialsResult =
  | { readonly ok: true; readonly specs: CredentialSpec[]; readonly source: PolicySource }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads a credentials file (YAML). It says where values are and holds none. Never throws. */
export function readCredentials(
  content: string,
  file?: string,
  sources: SourceKinds = 'host',
): CredentialsResult {
  const document = readDocument(content, FILE, { file, start: 'credentials:' });
  const specs = (document.value?.credentials ?? []).map((raw, index) => {
    const at = document.scope.at('credentials', index);
    if (sources === 'pushed') checkPushed(raw, at);
    return readCredential(raw, at);
  });
  const problems = document.problems();
  return problems.length > 0 ? { ok: false, problems } : { ok: true, specs, source: document.source };
}

/**
 * Reads a credentials file, as `readCredentials` does.
 * @throws OpenShellError `credentials_invalid` with file, line and column of everything that is wrong.
 */
export function parseCredentialFile(content: string, file?: string): CredentialSpec[] {
  const result = readCredentials(content, file);
  if (result.ok) return result.specs;
  throw new OpenShellError(result.problems.map(formatFinding).join('\n'), {
    code: 'credentials_invalid',
    remedy: 'Correct the file where the lines above say.',
  });
}

function checkPushed(raw: RawCredential, at: Scope): void {
  checkSources(raw, at);
  const oauth2 = at.at('oauth2');
  if (raw.oauth2?.client_secret) checkSources(raw.oauth2.client_secret, oauth2.at('client_secret'));
  if (raw.oauth2?.refresh_token) checkSources(raw.oauth2.refresh_token, oauth2.at('refresh_token'));
}

function readCredential(raw: RawCredential, at: Scope): CredentialSpec {
  return {
    name: raw.name ?? '',
    source: readSource(raw, at),
    bindings: (raw.bindings ?? []).map(readBinding),
    ...(raw.provider === undefined ? {} : { provider: raw.provider }),
    ...(raw.prefix === undefined ? {} : { prefix: raw.prefix }),
  };
}

const readBinding = ({ host = '', port, path, insecure }: schema.Read<typeof BINDING>): BindingSpec => ({
  host,
  ...(port === undefined ? {} : { port }),
  ...(path === undefined ? {} : { path }),
  ...(insecure === undefined ? {} : { insecure }),
});

function readSource(raw: RawCredential, at: Scope): CredentialSource {
  if (!raw.oauth2) return readValue(raw, at) ?? { kind: 'env', variable: raw.name ?? '' };
  if (raw.env !== undefined || raw.file !== undefined || raw.command !== undefined) at.problem(...SEVERAL);
  return readOAuth2(raw.oauth2, at.at('oauth2'));
}

function readValue({ env, file, command, ttl_seconds }: RawValue, at: Scope): ValueSource | undefined {
  if ([env, file, command].filter((one) => one !== undefined).length > 1) at.problem(...SEVERAL);
  if (ttl_seconds !== undefined && command === undefined) {
    at.at('ttl_seconds').problem(
      'field_not_used',
      '"ttl_seconds" means nothing without "command".',
      'Remove it.',
    );
  }
  if (env !== undefined) return { kind: 'env', variable: env };
  if (file !== undefined) return { kind: 'file', path: file };
  if (command === undefined) return undefined;
  return {
    kind: 'command',
    argv: command,
    ...(ttl_seconds === undefined ? {} : { ttlSeconds: ttl_seconds }),
  };
}

function readOAuth2(raw: RawOAuth2, at: Scope): OAuth2Source {
  const secret = raw.client_secret && readValue(raw.client_secret, at.at('client_secret'));
  if (raw.client_secret && !secret) at.at('client_secret').problem(...NO_SOURCE);
  return {
    kind: 'oauth2',
    grant: readGrant(raw, at),
    tokenUrl: raw.token_url ?? '',
    clientId: raw.client_id ?? '',
    ...(secret ? { clientSecret: secret } : {}),
    ...(raw.client_auth ? { clientAuth: raw.client_auth as 'basic' | 'body' } : {}),
    ...(raw.scopes ? { scopes: raw.scopes } : {}),
    ...(raw.audience === undefined ? {} : { audience: raw.audience }),
  };
}

function readGrant(raw: RawOAuth2, at: Scope): OAuth2Source['grant'] {
  if (raw.grant !== 'refresh_token') {
    if (raw.refresh_token) {
      at.at('refresh_token').problem(
        'field_not_used',
        '"refresh_token" means nothing under this grant.',
        'Write "grant: refresh_token", or remove it.',
      );
    }
    return { type: 'client_credentials' };
  }
  const source = raw.refresh_token && readValue(raw.refresh_token, at.at('refresh_token'));
  if (!source) at.at('refresh_token').problem(...NO_SOURCE);
  return { type: 'refresh_token', refreshToken: source ?? { kind: 'env', variable: '' } };
}

const SEVERAL = [
  'several_sources',
  'More than one of "env", "file", "command" and "oauth2" is given.',
  'Keep one of them.',
] as const;

const NO_SOURCE = [
  'missing_source',
  'It is not said where the value comes from.',
  'Give it one of "env", "file" and "command".',
] as const;
