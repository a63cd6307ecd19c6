import { existsSync, readFileSync } from 'node:fs';
import type { SecureContext } from 'node:tls';
import { OpenShellError, SYSTEM_BUNDLES } from '@openshell/base';
import { type HostPattern, hostMatches, parseHostPattern } from '@openshell/policy';
import { once } from '../once.ts';
import { crypto, tls } from './builtin.ts';
import { readCertificates } from './pem.ts';

/** A certificate that the proxy shows to hosts that match. Configured by the operator, never by a policy. */
export interface ClientCertificate {
  /** An exact name or a wildcard, as in policies. */
  readonly hostPattern: string;
  /** The certificate, followed by intermediates. */
  readonly certPem: string;
  readonly keyPem: string;
}

export interface TrustOptions {
  /** Authorities besides the machine's own; each text may hold several. */
  readonly operatorPem?: readonly string[];
  /** The first that matches a host is shown to it. */
  readonly clientCertificates?: readonly ClientCertificate[];
}

/** Whom the proxy believes to be an upstream, and how it shows itself. TLS contexts are made when first needed: reading all roots takes long. */
export class UpstreamTrust {
  readonly #roots: () => string[];
  readonly #clients: readonly { readonly pattern: HostPattern; readonly context: () => SecureContext }[];
  readonly #anonymous: () => SecureContext;

  constructor({ operatorPem = [], clientCertificates = [] }: TrustOptions) {
    const added = operatorPem.flatMap((pem) => readCertificates(pem, "the operator's authorities"));
    this.#roots = once(() => [...systemRoots(), ...added.map((certificate) => certificate.toString())]);
    this.#anonymous = once(() => this.#context({}));
    this.#clients = clientCertificates.map(({ hostPattern, certPem, keyPem }) => {
      checkClient(hostPattern, certPem, keyPem);
      const context = once(() => this.#context({ cert: certPem, key: keyPem }));
      return { pattern: parseHostPattern(hostPattern), context };
    });
  }

  /** The context for connections to a canonical host. The same host always gets the same one. */
  contextFor(host: string): SecureContext {
    const client = this.#clients.find(({ pattern }) => hostMatches(pattern, host));
    return (client?.context ?? this.#anonymous)();
  }

  #context(client: { readonly cert?: string; readonly key?: string }): SecureContext {
    return tls().createSecureContext({ ...client, ca: this.#roots(), minVersion: 'TLSv1.2' });
  }
}

/** Reads what the operator configured. Throws `certificate_invalid` or `bad_host`; nothing of a key is in the message. */
export const loadTrust = (options: TrustOptions): UpstreamTrust => new UpstreamTrust(options);

/** The machine's bundle where there is one, so that what its administrator removed or added counts; else those that Node.js brings. */
function systemRoots(): readonly string[] {
  const bundle = SYSTEM_BUNDLES.find((path) => existsSync(path));
  return bundle === undefined ? tls().rootCertificates : [readFileSync(bundle, 'utf8')];
}

function checkClient(host: string, certPem: string, keyPem: string): void {
  const [certificate] = readCertificates(certPem, `the client certificate for ${host}`);
  let matches: boolean;
  try {
    matches = certificate!.checkPrivateKey(crypto().createPrivateKey(keyPem));
  } catch {
    matches = false;
  }
  if (matches) return;
  throw new OpenShellError(
    `the key of the client certificate for ${host} cannot be read or is another one's`,
    {
      code: 'certificate_invalid',
      remedy: 'Give the unencrypted PEM key that the certificate was made for.',
    },
  );
}
