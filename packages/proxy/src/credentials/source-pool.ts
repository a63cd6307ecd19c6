import { OpenShellError } from '@openshell/base';
import { CommandValue } from './command-value.ts';
import { FileValue } from './file-value.ts';
import { OAuth2Token } from './oauth2.ts';
import { SecretValue } from './secret.ts';
import type { SecretSource } from './secret-source.ts';
import type { CredentialSource, ValueSource } from './spec.ts';
import type { TokenTransport } from './token-transport.ts';

export interface SourceOptions {
  /** The environment of whoever started the program. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly transport: TokenTransport;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Makes sources, and keeps them: tokens and refresh tokens outlive the generation of the policy under which they were got. */
export class SourcePool {
  readonly #options: SourceOptions;
  readonly #sources = new Map<string, SecretSource>();

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  /** @throws OpenShellError where the description alone shows that there is no value. */
  source(spec: CredentialSource, name: string): SecretSource {
    // Two descriptions that read alike mean the same; the name is part of messages.
    const key = JSON.stringify([name, spec]);
    const source = this.#sources.get(key) ?? this.#make(spec, name);
    this.#sources.set(key, source);
    return source;
  }

  /** Forgets what no spec of these describes any longer. */
  keepOnly(specs: readonly { readonly name: string; readonly source: CredentialSource }[]): void {
    const keys = new Set(specs.map(({ name, source }) => JSON.stringify([name, source])));
    for (const key of this.#sources.keys()) if (!keys.has(key)) this.#sources.delete(key);
  }

  #make(spec: CredentialSource, name: string): SecretSource {
    if (spec.kind !== 'oauth2') return valueSource(spec, name, this.#options);
    const part = (source: ValueSource, what: string) =>
      valueSource(source, `${name} (${what})`, this.#options);
    return new OAuth2Token(spec, name, {
      transport: this.#options.transport,
      now: this.#options.now,
      clientSecret: spec.clientSecret && part(spec.clientSecret, 'client secret'),
      refreshToken:
        spec.grant.type === 'refresh_token' ? part(spec.grant.refreshToken, 'refresh token') : undefined,
    });
  }
}

function valueSource(spec: ValueSource, name: string, { environment, now }: SourceOptions): SecretSource {
  switch (spec.kind) {
    case 'env':
      return environmentValue(spec.variable, name, environment);
    case 'file':
      return new FileValue(spec.path, name, now);
    case 'command':
      return new CommandValue(spec.argv, name, { ttlSeconds: spec.ttlSeconds, now });
    default:
      return spec satisfies never;
  }
}

function environmentValue(
  variable: string,
  name: string,
  environment: SourceOptions['environment'],
): SecretSource {
  const text = environment[variable];
  if (!text) {
    throw new OpenShellError(`Credential ${name}: the environment variable ${variable} is not set.`, {
      code: 'credential_missing',
      remedy: `Set ${variable}, or say where the value is: "${name}=file:PATH" or "${name}=command:PROGRAM".`,
    });
  }
  const value = new SecretValue(text, name);
  return { get: () => value, known: [value] };
}
