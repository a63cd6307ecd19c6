import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { generation } from '@openshell/base';
import { compilePolicy, type Policy, parsePolicy } from '@openshell/policy';
import { policyAlone, type TenantSettings } from '../tenant/settings.ts';
import { SigningAuthority } from '../tls/authority.ts';
import { UpstreamTrust } from '../tls/trust.ts';
import { Fixture, type FixtureOptions, LOOPBACK, portOf } from './fixture.ts';
import { type Identity, identityFor } from './identities.ts';
import { PATIENCE, Wire } from './wire.ts';

export const HOST = 'api.example';

/** A policy for curl with these endpoints. */
function parsed(endpoints: readonly string[]): Policy {
  const text = `version: 1
network_policies:
  api:
    binaries: [{ path: /usr/bin/curl }]
    endpoints:
${endpoints.map((endpoint) => `      - { ${endpoint} }\n`).join('')}`;
  const result = parsePolicy(text);
  assert.ok(result.ok, JSON.stringify(!result.ok && result.problems));
  return result.policy;
}

/** The same as what is in force. */
export const policyOf = (endpoints: readonly string[], number = 1): TenantSettings =>
  policyAlone(compilePolicy(parsed(endpoints), generation(number)));

/** One endpoint for a host, in plain text and inside TLS. */
export const parsedApiPolicy = (endpoint: string, host = HOST): Policy =>
  parsed([80, 443].map((port) => `host: ${host}, port: ${port}, ${endpoint}`));

/** The same, of some generation, as what is in force. */
export const apiPolicy = (endpoint: string, number = 1, host = HOST): TenantSettings =>
  policyAlone(compilePolicy(parsedApiPolicy(endpoint, host), generation(number)));

/** Signs for the origins of tests; the proxy is told to trust it. */
const originAuthority = SigningAuthority.create();
let identity: Identity | undefined;

/** For a TLS server that is to be `api.example`. */
export function originIdentity(): Identity {
  identity ??= identityFor(originAuthority, HOST);
  return identity;
}

/** Believes what signs for the origins of tests. */
export const originTrust = (): UpstreamTrust =>
  new UpstreamTrust({ operatorPem: [originAuthority.certificatePem] });

/** A proxy that looks into what goes to `api.example`. */
export function inspecting(endpoint: string, options: Partial<FixtureOptions> = {}): Promise<Fixture> {
  const upstream = { trust: originTrust() };
  return Fixture.start({ allow: [], settings: apiPolicy(endpoint), upstream, ...options });
}

/** An origin for `api.example`: each accepted connection, as a wire, in the order in which they came. */
export class ScriptedOrigin {
  readonly wires: Wire[] = [];
  onConnection: (wire: Wire) => void = () => {};
  #taken = 0;
  #arrived: () => void = () => {};

  static async start(fixture: Fixture): Promise<ScriptedOrigin> {
    const origin = new ScriptedOrigin();
    await fixture.origin(HOST, (socket) => origin.accept(new Wire(socket)));
    return origin;
  }

  /** The same behind TLS, with HTTP/1.1 only. */
  static async startSecure(fixture: Fixture): Promise<ScriptedOrigin> {
    const origin = new ScriptedOrigin();
    identity ??= identityFor(originAuthority, HOST);
    const server = createTlsServer({
      ...identity,
      ALPNProtocols: ['http/1.1'],
      allowHalfOpen: true,
    } as object);
    server.on('secureConnection', (socket: TLSSocket) => origin.accept(new Wire(socket)));
    await fixture.serves(HOST, server as Server);
    return origin;
  }

  async #next(): Promise<Wire> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error('no connection came')), PATIENCE);
    this.#arrived = resolve;
    await promise;
    clearTimeout(timer);
    return this.wires[this.#taken]!;
  }

  accept(wire: Wire): void {
    this.wires.push(wire);
    this.onConnection(wire);
    this.#arrived();
  }

  /** The next connection that nobody has asked for yet. */
  async connection(): Promise<Wire> {
    const wire = this.wires[this.#taken] ?? (await this.#next());
    this.#taken += 1;
    return wire;
  }
}

/** A client inside a tunnel in plain text. */
export const plainClient = async (fixture: Fixture): Promise<Wire> =>
  new Wire(await fixture.tunnel(`${HOST}:80`));

/** A client inside a tunnel, in TLS that the proxy opens. */
export async function secureClient(fixture: Fixture, servername = HOST): Promise<Wire> {
  const socket = await fixture.tunnel(`${HOST}:443`);
  const tls = connectTls({
    ...{
      socket,
      servername,
      ca: (await fixture.proxy.authority()).bundlePem,
      ALPNProtocols: ['http/1.1'],
    },
    ...({ allowHalfOpen: true } as object),
  });
  await once(tls, 'secureConnect');
  return new Wire(tls);
}

export { LOOPBACK, portOf };
