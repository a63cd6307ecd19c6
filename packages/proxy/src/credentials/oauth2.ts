import { messageOf, OpenShellError } from '@openshell/base';
import { isAddressLiteral } from '@openshell/policy';
import { LIMITS } from '../limits.ts';
import { FileValue } from './file-value.ts';
import { type Eventually, grantFailed, isRefusal, type Refusal } from './injection.ts';
import { SecretValue } from './secret.ts';
import { KnownValues, type SecretSource } from './secret-source.ts';
import type { OAuth2Source } from './spec.ts';
import type { TokenTransport } from './token-transport.ts';

export interface OAuth2Options {
  readonly transport: TokenTransport;
  readonly now: () => number;
  readonly clientSecret: SecretSource | undefined;
  readonly refreshToken: SecretSource | undefined;
}

/** A token that is about to expire is not used: it has to last until the origin has looked at it. One that lasts less than twice this is used for half its time. */
const EARLY_MS = 30_000;
/** Where the issuer does not say (RFC 6749 section 5.1 only recommends it). */
const DEFAULT_LIFETIME_MS = 300_000;
/** RFC 7235 section 2.1: what may stand behind `Bearer` and in a URL, with nothing to be quoted. */
const TOKEN68 = /^[A-Za-z0-9._~+/-]+=*$/;

interface Grant {
  readonly accessToken: SecretValue;
  readonly lifetime: number;
  readonly refreshToken: SecretValue | undefined;
}

/**
 * An access token by client credentials or by a refresh token (RFC 6749 sections 4.4 and 6). Requests that need it while it is being got
 * wait for the one question; after a failure nobody asks again for a while.
 */
export class OAuth2Token implements SecretSource {
  readonly #spec: OAuth2Source;
  readonly #name: string;
  readonly #options: OAuth2Options;
  readonly #known = new KnownValues();
  readonly #url: URL;
  /** What the issuer gave in place of the refresh token that we were given. */
  #rotated: { readonly from: SecretValue; readonly to: SecretValue } | undefined;
  #last: { readonly result: SecretValue | Refusal; readonly until: number } | undefined;
  #asking: Promise<SecretValue | Refusal> | undefined;

  /** @throws OpenShellError `bad_token_url` */
  constructor(spec: OAuth2Source, name: string, options: OAuth2Options) {
    this.#spec = spec;
    this.#name = name;
    this.#options = options;
    this.#url = tokenUrl(spec.tokenUrl, name);
  }

  /** Refresh tokens and client secrets are bound to the token endpoint, but an origin that knows one must not tell it either. */
  get known(): readonly SecretValue[] {
    const { clientSecret, refreshToken } = this.#options;
    const rotated = this.#rotated ? [this.#rotated.to] : [];
    return [
      ...this.#known.values,
      ...rotated,
      ...(clientSecret?.known ?? []),
      ...(refreshToken?.known ?? []),
    ];
  }

  get(): Eventually<SecretValue | Refusal> {
    if (this.#last && this.#options.now() < this.#last.until) return this.#last.result;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<SecretValue | Refusal> {
    const askedAt = this.#options.now();
    const grant = await this.#grant();
    if (isRefusal(grant)) {
      this.#last = { result: grant, until: this.#options.now() + LIMITS.credentialRetryTime.value };
      return grant;
    }
    this.#known.add(grant.accessToken);
    this.#last = { result: grant.accessToken, until: askedAt + grant.lifetime };
    return grant.accessToken;
  }

  async #grant(): Promise<Grant | Refusal> {
    const given = await this.#options.refreshToken?.get();
    if (given && isRefusal(given)) return given;
    const secret = await this.#options.clientSecret?.get();
    if (secret && isRefusal(secret)) return secret;
    // A file whose content has changed says more than what the issuer gave us for its former content.
    const rotated = given && this.#rotated?.from.equals(given) ? this.#rotated.to : undefined;
    const answer = await this.#send(secret, rotated ?? given);
    if (isRefusal(answer)) return answer;
    const grant = this.#read(answer.status, answer.body);
    if (!isRefusal(grant) && given && grant.refreshToken) await this.#rotate(given, grant.refreshToken);
    return grant;
  }

  async #send(
    secret: SecretValue | undefined,
    refreshToken: SecretValue | undefined,
  ): Promise<{ readonly status: number; readonly body: string } | Refusal> {
    const { clientId, clientAuth = 'basic', scopes, audience } = this.#spec;
    const form = new URLSearchParams();
    form.set('grant_type', this.#spec.grant.type);
    if (refreshToken) form.set('refresh_token', refreshToken.reveal());
    if (scopes && scopes.length > 0) form.set('scope', scopes.join(' '));
    if (audience !== undefined) form.set('audience', audience);
    const basic = secret !== undefined && clientAuth === 'basic';
    if (!basic) form.set('client_id', clientId);
    if (secret && !basic) form.set('client_secret', secret.reveal());
    try {
      return await this.#options.transport({
        url: this.#url,
        headers: {
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded',
          ...(basic ? { authorization: basicAuth(clientId, secret.reveal()) } : {}),
        },
        body: form.toString(),
        timeout: LIMITS.tokenTime.value,
        maxBytes: LIMITS.tokenAnswerBytes.value,
      });
    } catch (thrown) {
      return this.#failed(
        `cannot be asked: ${this.#withoutSecrets(messageOf(thrown), secret, refreshToken)}`,
      );
    }
  }

  #read(status: number, body: string): Grant | Refusal {
    const answer = jsonObject(body);
    if (status !== 200) {
      const code = typeof answer?.error === 'string' ? answer.error : '';
      // Only the codes that are standardised are repeated: whatever else stands there is the issuer's, and may echo what was sent.
      const said = ERROR_MEANINGS[code] ? `: ${code}, ${ERROR_MEANINGS[code]}` : '';
      return this.#failed(`answered ${status}${said}`);
    }
    const { access_token: token, expires_in: seconds, refresh_token: next, token_type: type } = answer ?? {};
    if (typeof token !== 'string' || !TOKEN68.test(token))
      return this.#failed('gave no access token that can be used');
    if (typeof type === 'string' && type.toLowerCase() !== 'bearer')
      return this.#failed('gave a token that is not a bearer token');
    try {
      return {
        accessToken: new SecretValue(token, this.#name),
        lifetime: lifetimeOf(seconds),
        refreshToken: typeof next === 'string' && next !== '' ? new SecretValue(next, this.#name) : undefined,
      };
    } catch {
      return this.#failed('gave a token that is too long');
    }
  }

  async #rotate(given: SecretValue, next: SecretValue): Promise<void> {
    if (next.equals(given)) return;
    this.#rotated = { from: given, to: next };
    const { refreshToken } = this.#options;
    if (!(refreshToken instanceof FileValue)) return;
    try {
      await refreshToken.replace(next);
    } catch {
      // It stays in memory, so that this program goes on; the next one will have to sign in again.
    }
  }

  #withoutSecrets(text: string, ...secrets: readonly (SecretValue | undefined)[]): string {
    return secrets.reduce(
      (rest, secret) => (secret ? rest.replaceAll(secret.reveal(), '[secret]') : rest),
      text,
    );
  }

  #failed(what: string): Refusal {
    return grantFailed(
      `credential ${this.#name}: the token endpoint ${this.#url.host} ${what}`,
      this.#spec.grant.type === 'refresh_token'
        ? 'Check the refresh token and the client id; if the token has expired or was revoked, sign in again.'
        : 'Check token URL, client id, client secret and scopes.',
    );
  }
}

/** RFC 6749 section 5.2. */
const ERROR_MEANINGS: Readonly<Record<string, string>> = {
  invalid_request: 'it misses something in the request',
  invalid_client: 'it does not know the client, or its secret is wrong',
  invalid_grant: 'the refresh token has expired, was revoked or belongs to another client',
  unauthorized_client: 'the client may not use this grant',
  unsupported_grant_type: 'it does not offer this grant',
  invalid_scope: 'a scope is unknown or not granted',
};

function lifetimeOf(seconds: unknown): number {
  const number = typeof seconds === 'string' ? Number(seconds) : seconds;
  const said =
    typeof number === 'number' && Number.isFinite(number) && number >= 0
      ? number * 1000
      : DEFAULT_LIFETIME_MS;
  return Math.min(Math.max(said - EARLY_MS, said / 2), LIMITS.tokenLifetime.value);
}

/** RFC 6749 section 2.3.1: both parts are form-encoded first. */
function basicAuth(clientId: string, secret: string): string {
  const encode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1);
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(secret)}`).toString('base64')}`;
}

/** What the fields may be, before each is looked at. */
interface TokenEndpointAnswer {
  readonly error?: unknown;
  readonly access_token?: unknown;
  readonly expires_in?: unknown;
  readonly refresh_token?: unknown;
  readonly token_type?: unknown;
}

function jsonObject(text: string): TokenEndpointAnswer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function tokenUrl(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && isConfidential(url) && url.username === '' && url.password === '' && url.hash === '') return url;
  throw new OpenShellError(`Credential ${name}: the token URL is not one that secrets may be sent to.`, {
    code: 'bad_token_url',
    remedy:
      'Write "https://HOST/PATH" without user, password and fragment; http only on 127.0.0.1, [::1] or localhost.',
  });
}

function isConfidential(url: URL): boolean {
  if (url.protocol === 'https:') return true;
  if (url.protocol !== 'http:') return false;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || (isAddressLiteral(host) && host.startsWith('127.'));
}
