import { OpenShellError } from '@openshell/base';
import type { SigningOptions } from '@openshell/policy';
import type { OutgoingRequest } from '../exchange/exchange.ts';
import type { HeaderField } from '../http/request-head.ts';
import { LIMITS } from '../limits.ts';
import type { Entry } from './entry.ts';
import { FileValue } from './file-value.ts';
import { guarded, markerGuard, type StreamSearch } from './guard.ts';
import {
  after,
  type BodyTreatment,
  type Destination,
  type Eventually,
  type Injection,
  injectionFailed,
  isRefusal,
  mismatch,
  type Refusal,
  type Used,
  unavailable,
} from './injection.ts';
import { MaskedExchange } from './mask.ts';
import { MARKERS } from './placeholder.ts';
import { type EntryOptions, readEntries } from './read-entries.ts';
import { REVOKED, Resolver } from './resolver.ts';
import {
  type BodyFormat,
  bodyFormat,
  isJson,
  rewriteBody,
  rewriteText,
  withoutDigests,
} from './rewrite-body.ts';
import { headHasMarker, PLACEHOLDER_LEFT, redactedTarget, rewriteHead } from './rewrite-head.ts';
import { type HostScope, HostScopes } from './scope.ts';
import { planSigning, signed } from './signing.ts';
import type { AwsKeys } from './sigv4.ts';
import type { CredentialSpec } from './spec.ts';

export interface StoreOptions extends EntryOptions {
  /** Milliseconds since the epoch; signatures carry it. */
  readonly now: () => number;
}

/** The credentials of one generation. What placeholders mean never changes in it, except that all of them can be revoked. */
export class CredentialStore {
  readonly notices: readonly string[];
  readonly #entries: readonly Entry[];
  readonly #resolver: Resolver;
  readonly #scopes: HostScopes;
  readonly #now: () => number;
  /** Some endpoint wants its requests signed; without keys they are refused, not sent as they are. */
  readonly #signs: boolean;

  /** @throws OpenShellError `credentials_invalid` with everything that is wrong. */
  constructor(specs: readonly CredentialSpec[], options: StoreOptions) {
    const { entries, notices } = readEntries(specs, options);
    this.notices = notices;
    this.#entries = entries;
    this.#resolver = new Resolver(entries);
    this.#scopes = new HostScopes(entries);
    this.#now = options.now;
    this.#signs = options.policy.networkPolicies.some(({ endpoints }) =>
      endpoints.some(({ signing }) => signing !== undefined),
    );
  }

  /** Nothing is ever put in or looked for, and nothing is signed. */
  get isEmpty(): boolean {
    return this.#entries.length === 0 && !this.#signs;
  }

  get revoked(): boolean {
    return this.#resolver.revoked;
  }

  /** From now on nothing is put into any request, those under way included. */
  revoke(): void {
    this.#resolver.revoke();
  }

  /** What the workload's environment holds. Of several revisions of one name, the last. */
  environment(): Record<string, string> {
    return Object.fromEntries(this.#entries.map(({ name, placeholder }) => [name, placeholder]));
  }

  /**
   * Reads what can be read before it is needed, and answers with what a person should know.
   * @throws OpenShellError `credential_unavailable` where there is no value.
   */
  async prepare(): Promise<readonly string[]> {
    const notices: string[] = [];
    for (const { source } of this.#entries) {
      if (!(source instanceof FileValue)) continue;
      const value = await source.get();
      if (isRefusal(value))
        throw new OpenShellError(value.detail, { code: value.error, remedy: value.remedy });
      const notice = await source.notice();
      if (notice !== undefined) notices.push(notice);
    }
    return notices;
  }

  /** Whether connections to this host and port have to be opened: credentials are bound to it. */
  covers(host: string, port: number): boolean {
    return this.#scopes.of(host, port).entries.length > 0;
  }

  /** The target with `[CREDENTIAL]` for every placeholder: for policy, logs and events. */
  redactTarget(target: string): string {
    return this.isEmpty ? target : redactedTarget(target, this.#resolver.prefixOf);
  }

  /** Puts values in the place of placeholders. Called after policy and middleware, as late as can be. Never throws and never rejects. */
  inject(request: OutgoingRequest, to: Destination): Eventually<Injection | Refusal> {
    if (this.isEmpty) return { request, body: { kind: 'none' }, used: undefined, recheck: () => undefined };
    const scope = this.#scopes.of(to.host, to.port);
    const signing = to.treatment?.endpoint.signing;
    return signing ? this.#sign(request, to, scope, signing) : this.#put(request, to, scope);
  }

  /**
   * One text message of a client on a WebSocket, with the values in it. Where the endpoint does not ask for that
   * (`websocket_credential_rewrite`), a placeholder refuses it.
   */
  rewriteText(text: string, to: Destination): Eventually<string | Refusal> {
    if (this.isEmpty || !MARKERS.test(text)) return text;
    if (!to.treatment?.endpoint.websocketCredentialRewrite) return NOT_IN_MESSAGES;
    const format: BodyFormat = isJson(text) ? 'json' : 'text';
    return after(
      this.#resolver.fill(to, (values) => rewriteText(text, format, values)),
      ({ result }) => result,
    );
  }

  /** For messages that nothing is put into: fails a stream that holds a placeholder. Undefined where there is nothing to look for. */
  guard(): StreamSearch | undefined {
    return this.isEmpty ? undefined : markerGuard();
  }

  /** One message of an upstream on a connection that has left HTTP, with placeholders for the values that are bound to its host. */
  maskText(text: string, { host, port }: Pick<Destination, 'host' | 'port'>): string {
    const { entries, mask } = this.#scopes.of(host, port);
    return entries.length === 0 ? text : mask().text(text);
  }

  #put(request: OutgoingRequest, to: Destination, scope: HostScope): Eventually<Injection | Refusal> {
    const format = to.treatment?.endpoint.requestBodyCredentialRewrite
      ? bodyFormat(request.fields)
      : undefined;
    if (format !== undefined && isRefusal(format)) return format;
    const used = this.#exchange(scope, request.method);
    return after(this.#head(request, to, used), (rewritten) => {
      const outgoing = used ? readable(rewritten) : rewritten;
      const body = format === undefined ? GUARDED : this.#wholeBody(outgoing, format, to, used);
      return this.#injection(outgoing, body, used);
    });
  }

  #sign(
    request: OutgoingRequest,
    to: Destination,
    scope: HostScope,
    signing: SigningOptions,
  ): Eventually<Injection | Refusal> {
    const plan = planSigning(request, to.host, signing);
    if (isRefusal(plan)) return plan;
    const used = this.#exchange(scope, request.method);
    return after(this.#head(plan.request, to, used), (rewritten) =>
      after(this.#awsKeys(to, used), (keys) => {
        const ready = { ...plan, request: used ? readable(rewritten) : rewritten };
        if (plan.payload.kind === 'known')
          return this.#injection(signed(ready, keys, this.#now()), GUARDED, used);
        const body: BodyTreatment = {
          kind: 'whole',
          maxBytes: LIMITS.signedBodyBytes.value,
          apply: (bytes) => {
            if (this.revoked) return REVOKED;
            if (MARKERS.test(bytes.toString('latin1'))) return NOT_IN_SIGNED_BODIES;
            return { request: signed(ready, keys, this.#now(), bytes), body: bytes };
          },
        };
        return this.#injection(ready.request, body, used);
      }),
    );
  }

  /** The head with its values, and nothing left in it that looks like a placeholder. */
  #head(
    request: OutgoingRequest,
    to: Destination,
    used: MaskedExchange | undefined,
  ): Eventually<OutgoingRequest | Refusal> {
    if (!headHasMarker(request)) return request;
    return after(
      this.#resolver.fill(to, (values) => rewriteHead(request, values)),
      ({ result, keys }) => {
        if (headHasMarker(result)) return PLACEHOLDER_LEFT;
        this.#note(keys, used);
        return result;
      },
    );
  }

  #wholeBody(
    request: OutgoingRequest,
    format: BodyFormat,
    to: Destination,
    used: MaskedExchange | undefined,
  ): BodyTreatment {
    return {
      kind: 'whole',
      maxBytes: LIMITS.credentialBodyBytes.value,
      apply: (body) => {
        if (this.revoked) return REVOKED;
        return after(
          this.#resolver.fill(to, (values) => rewriteBody(body, format, values)),
          ({ result, keys }) => {
            this.#note(keys, used);
            if (result === body) return { request, body };
            return { request: { ...request, fields: withoutDigests(request.fields) }, body: result };
          },
        );
      },
    };
  }

  #awsKeys(to: Destination, used: MaskedExchange | undefined): Eventually<AwsKeys | Refusal> {
    const [id, secret, token] = AWS_NAMES.map((name) =>
      this.#entries.findLast((entry) => entry.name === name),
    );
    if (!id || !secret) {
      const missing = AWS_NAMES[id ? 1 : 0];
      return unavailable(
        `requests to ${to.host} are signed, and there is no credential ${missing}`,
        `Give it: "--credential ${missing}", bound to this endpoint.`,
      );
    }
    const keys = [id, secret, ...(token ? [token] : [])].map(({ key }) => key);
    return after(this.#resolver.resolve(keys, to), (secrets) => {
      this.#note(keys, used);
      return {
        accessKeyId: secrets.get(id.key)!,
        secretAccessKey: secrets.get(secret.key)!,
        sessionToken: token && secrets.get(token.key),
      };
    });
  }

  #exchange(scope: HostScope, method: string): MaskedExchange | undefined {
    return scope.entries.length === 0 ? undefined : new MaskedExchange(method, scope.mask);
  }

  #note(keys: readonly string[], used: MaskedExchange | undefined): void {
    for (const key of keys) used?.add(this.#resolver.nameOf(key));
  }

  #injection(request: OutgoingRequest, body: BodyTreatment, used: Used | undefined): Injection {
    return {
      request,
      body,
      used,
      recheck: () => (this.revoked && used && used.names.length > 0 ? REVOKED : undefined),
    };
  }
}

const AWS_NAMES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const;

const GUARDED: BodyTreatment = { kind: 'stream', wrap: guarded };

/** What comes back is looked through, so it is asked for without an encoding. */
const readable = (request: OutgoingRequest): OutgoingRequest => ({
  ...request,
  fields: [...request.fields.filter(({ lowerName }) => lowerName !== 'accept-encoding'), IDENTITY],
});

const IDENTITY: HeaderField = { name: 'accept-encoding', lowerName: 'accept-encoding', value: 'identity' };

const NOT_IN_MESSAGES = mismatch(
  'a message holds a credential placeholder, and this endpoint does not put values into messages',
  'Give the endpoint "websocket_credential_rewrite: true" in the policy.',
);

const NOT_IN_SIGNED_BODIES = injectionFailed(
  'the body holds a credential placeholder, and this endpoint signs bodies as they are',
  'Leave the placeholder out of the body.',
);
