import { hash } from 'node:crypto';
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
  /** Milliseconds since some moment; never goes back. How long what was got is used. */
  readonly now: () => number;
}

interface Described {
  readonly name: string;
  readonly source: CredentialSource;
}

/** Makes sources, and keeps them: tokens and refresh tokens outlive the generation of the policy under which they were got. */
export class SourcePool {
  readonly #options: SourceOptions;
  readonly #sources: Map<string, SecretSource>;

  constructor(options: SourceOptions, sources = new Map<string, SecretSource>()) {
    this.#options = options;
    this.#sources = sources;
  }

  /** The same sources in another environment: those whose variables have the same values there are the same, with the tokens that they got. */
  within(environment: SourceOptions['environment']): SourcePool {
    return new SourcePool({ ...this.#options, environment }, this.#sources);
  }

  /** @throws OpenShellError where the description alone shows that there is no value. */
  source(spec: CredentialSource, name: string): SecretSource {
    const key = this.#keyOf({ name, source: spec });
    const source = this.#sources.get(key) ?? this.#make(spec, name);
    this.#sources.set(key, source);
    return source;
  }

  /** Forgets what no spec of these describes any longer. */
  keepOnly(specs: readonly Described[]): void {
    const keys = new Set(specs.map((spec) => this.#keyOf(spec)));
    for (const key of this.#sources.keys()) if (!keys.has(key)) this.#sources.delete(key);
  }

  /** Two descriptions that read alike, of variables with the same values, mean the same; the name is part of messages. */
  #keyOf({ name, source }: Described): string {
    const { environment } = this.#options;
    const values = variablesOf(source).map((variable) => hash('sha256', environment[variable] ?? '', 'hex'));
    return JSON.stringify([name, source, values]);
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

/** The variables that a source takes values from. */
export function variablesOf(source: CredentialSource): readonly string[] {
  switch (source.kind) {
    case 'env':
      return [source.variable];
    case 'file':
    case 'command':
      return [];
    case 'oauth2': {
      const { clientSecret, grant } = source;
      return [
        ...(clientSecret === undefined ? [] : variablesOf(clientSecret)),
        ...(grant.type === 'refresh_token' ? variablesOf(grant.refreshToken) : []),
      ];
    }
    default:
      return source satisfies never;
  }
}
