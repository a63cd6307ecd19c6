import assert from 'node:assert/strict';
import { type Policy, parsePolicy, type Treatment } from '@openshell/policy';
import type { BodyReceiver, BodySource } from '../../exchange/body.ts';
import type { OutgoingRequest } from '../../exchange/exchange.ts';
import type { HeaderField } from '../../http/request-head.ts';
import { type Destination, type Injection, isRefusal, type Refusal } from '../injection.ts';
import { SourcePool } from '../source-pool.ts';
import type { CredentialSpec } from '../spec.ts';
import { CredentialStore, type StoreOptions } from '../store.ts';
import type { TokenTransport } from '../token-transport.ts';

export const NO_POLICY = policyOf('version: 1');

export function policyOf(text: string): Policy {
  const result = parsePolicy(text);
  assert.ok(result.ok, result.ok ? '' : result.problems.map(({ message }) => message).join('\n'));
  return result.policy;
}

/** A policy of inspected endpoints, each as a line of YAML. */
export const endpointsOf = (...endpoints: string[]): Policy =>
  policyOf(
    `version: 1\nnetwork_policies:\n  test:\n    endpoints:\n${endpoints.map((line) => `      - ${line}\n`).join('')}    binaries: [{ path: /bin/true }]\n`,
  );

export function treatmentIn(policy: Policy, index = 0): Treatment {
  const network = policy.networkPolicies[0]!;
  const endpoint = network.endpoints[index]!;
  return {
    ref: { policy: network.key, index, host: endpoint.host },
    policy: network.name,
    endpoint,
    matches: () => true,
  };
}

export interface TestStoreOptions extends Partial<StoreOptions> {
  readonly environment?: Readonly<Record<string, string>>;
  readonly transport?: TokenTransport;
}

export function storeOf(specs: readonly CredentialSpec[], options: TestStoreOptions = {}): CredentialStore {
  const now = options.now ?? Date.now;
  const pool = new SourcePool({
    environment: options.environment ?? {},
    transport: options.transport ?? (() => Promise.reject(new Error('no token endpoint in this test'))),
    now,
  });
  return new CredentialStore(specs, { policy: NO_POLICY, unbound: 'error', pool, ...options, now });
}

/** A credential from the environment, bound to hosts. */
export const bound = (name: string, ...hosts: string[]): CredentialSpec => ({
  name,
  source: { kind: 'env', variable: name },
  bindings: hosts.map((host) => ({ host })),
});

export const field = (name: string, value: string): HeaderField => ({
  name,
  lowerName: name.toLowerCase(),
  value,
});

export const fieldsOf = (fields: Readonly<Record<string, string>>): HeaderField[] =>
  Object.entries(fields).map(([name, value]) => field(name, value));

export const requestTo = (
  target: string,
  fields: Readonly<Record<string, string>> = {},
  changes: Partial<OutgoingRequest> = {},
): OutgoingRequest => ({
  method: 'GET',
  target,
  scheme: 'https',
  authority: 'api.example.com',
  fields: fieldsOf(fields),
  upgrade: undefined,
  expectsContinue: false,
  ...changes,
});

export const toHost = (host: string, changes: Partial<Destination> = {}): Destination => ({
  host,
  port: 443,
  scheme: 'https',
  path: '/',
  ...changes,
});

export async function injected(
  store: CredentialStore,
  request: OutgoingRequest,
  to: Destination,
): Promise<Injection> {
  const result = await store.inject(request, to);
  assert.ok(!isRefusal(result), isRefusal(result) ? result.detail : '');
  return result;
}

export async function refused(
  store: CredentialStore,
  request: OutgoingRequest,
  to: Destination,
): Promise<Refusal> {
  const result = await store.inject(request, to);
  assert.ok(isRefusal(result), 'the request goes out');
  return result;
}

export const sentIn = (request: OutgoingRequest, lowerName: string): string | undefined =>
  request.fields.find((one) => one.lowerName === lowerName)?.value;

/** A receiver that notes everything. */
export class Taken implements BodyReceiver {
  readonly pieces: string[] = [];
  trailers: readonly HeaderField[] | undefined;
  failure: string | undefined;
  readonly #finished = Promise.withResolvers<void>();

  get text(): string {
    return this.pieces.join('');
  }

  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  data(bytes: Buffer): boolean {
    this.pieces.push(bytes.toString('latin1'));
    return true;
  }

  end(trailers: readonly HeaderField[]): void {
    this.trailers = trailers;
    this.#finished.resolve();
  }

  fail(reason: string): void {
    this.failure = reason;
    this.#finished.resolve();
  }
}

/** A body that is there at once, in these pieces. */
export const bodyOf = (pieces: readonly Buffer[], trailers: readonly HeaderField[] = []): BodySource => ({
  length: pieces.reduce((sum, piece) => sum + piece.length, 0),
  start(receiver) {
    for (const piece of pieces) receiver.data(piece);
    receiver.end(trailers);
  },
  resume() {},
  cancel() {},
});

/** Bytes cut in two at every place. */
export function* everyCut(bytes: Buffer): Generator<readonly [Buffer, Buffer]> {
  for (let at = 0; at <= bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
}
