import { generateKeyPairSync } from 'node:crypto';
import { createSecureContext, DEFAULT_CIPHERS, type SecureContext } from 'node:tls';
import type { Limits } from '../limits.ts';
import type { AuthorityRing, LeafIssuer } from './authority-ring.ts';
import { publicKeyInfo } from './certificate.ts';

/** Renewed this long before it expires, so that no connection begins with a certificate about to end. */
const RENEWAL_MS = 3_600_000;

/**
 * This leg never leaves the machine, so the cheapest strong choices come first: X25519 without the post-quantum share
 * that costs a fifth of a handshake, and AES-128. A client that wants another gets it.
 */
const GROUPS = 'X25519:P-256:P-384:P-521:X25519MLKEM768';
const CIPHERS = `TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:${DEFAULT_CIPHERS}`;

interface Entry {
  readonly context: SecureContext;
  /** Milliseconds since 1970. Before and after, a certificate made anew suits the clock better: it may have jumped either way. */
  readonly from: number;
  readonly until: number;
}

/**
 * The server side of inspected hosts: one TLS context a host, with its certificate and its own ticket keys, so that a
 * ticket of one host resumes nothing at another. All share one key. The least recently used goes first.
 */
export class LeafCache {
  readonly #ring: AuthorityRing;
  readonly #capacity: number;
  readonly #now: () => number;
  readonly #spki: Buffer;
  /** PEM, because Node.js takes no key object for a TLS context. */
  readonly #key: string;
  /** In the order of use; all made by `#issuer`. */
  readonly #entries = new Map<string, Entry>();
  #issuer: LeafIssuer;

  constructor(ring: AuthorityRing, limits: Limits, now: () => number = Date.now) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#ring = ring;
    this.#issuer = ring.issuer();
    this.#capacity = limits.leafCertificates;
    this.#now = now;
    this.#spki = publicKeyInfo(publicKey);
    this.#key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The context for a canonical name or address; made at once where there is none. Throws `authority_expired`. */
  contextFor(host: string): SecureContext {
    const now = this.#now();
    this.#follow(this.#ring.issuer());
    const known = this.#entries.get(host);
    this.#entries.delete(host);
    const entry =
      known !== undefined && now >= known.from && now < known.until ? known : this.#make(host, now);
    this.#entries.set(host, entry);
    if (this.#entries.size > this.#capacity) this.#entries.delete(this.#entries.keys().next().value!);
    return entry.context;
  }

  /** After a step of a rotation nothing that was made before it is shown any more. Connections that are open stay. */
  #follow(issuer: LeafIssuer): void {
    if (issuer === this.#issuer) return;
    this.#issuer = issuer;
    this.#entries.clear();
  }

  #make(host: string, now: number): Entry {
    const { chainPem, notBefore, notAfter } = this.#issuer.issue(host, this.#spki, now);
    const context = createSecureContext({
      cert: chainPem,
      key: this.#key,
      // No roots: clients are not asked for certificates, and the default ones take long to load.
      ca: [],
      minVersion: 'TLSv1.2',
      ciphers: CIPHERS,
      ecdhCurve: GROUPS,
      honorCipherOrder: true,
    });
    // Where the clock stands before the authority's beginning, there is no better one.
    const from = Math.min(notBefore.getTime(), now);
    return { context, from, until: notAfter.getTime() - RENEWAL_MS };
  }
}
