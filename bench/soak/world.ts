import { createSecureContext, type SecureContext } from 'node:tls';
import type { ControlledProxy } from '../proxy/controlled-proxy.ts';
import type { Way } from '../proxy/wire.ts';

export const HOSTS = {
  /** Plain HTTP, requests looked into. */
  http: 'http.test',
  /** TLS, opened and looked into. */
  https: 'https.test',
  /** Raw. */
  echo: 'echo.test',
  /** In no policy. */
  denied: 'denied.test',
} as const;
export const HTTP_PORT = 80;
export const HTTPS_PORT = 443;
export const ECHO_PORT = 7;

/** Every edition means the same for the connections that are made, and something else for a host that nobody asks for. */
export const policyOf = (edition: number): string => `version: 1
network_policies:
  soak:
    binaries: [{ path: "/**" }]
    endpoints:
      - { host: ${HOSTS.http}, port: ${HTTP_PORT}, protocol: rest, enforcement: enforce, access: read-only }
      - { host: ${HOSTS.https}, port: ${HTTPS_PORT}, protocol: rest, enforcement: enforce, access: read-only }
      - { host: ${HOSTS.echo}, port: ${ECHO_PORT} }
      - { host: edition-${edition}.example.com, port: 443 }
`;

/** What the clients of a soak know: their way to the proxy, and whom to trust behind it. */
export class World {
  readonly way: Way;
  readonly #proxy: ControlledProxy;
  #trust: SecureContext | undefined;

  constructor(proxy: ControlledProxy, way: Way) {
    this.#proxy = proxy;
    this.way = way;
  }

  get trust(): SecureContext {
    if (this.#trust === undefined) throw new Error('nobody is trusted yet');
    return this.#trust;
  }

  /** Trusts what the proxy says that is to be trusted at this moment. */
  async learnTrust(): Promise<void> {
    const { bundlePem } = await this.#proxy.session.authority();
    this.#trust = createSecureContext({ ca: bundlePem });
  }
}
