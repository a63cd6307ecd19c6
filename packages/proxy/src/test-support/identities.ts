import { generateKeyPairSync } from 'node:crypto';
import type { SigningAuthority } from '../tls/authority.ts';
import { publicKeyInfo } from '../tls/certificate.ts';

/** What `tls.createServer` takes. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** A server's (or a client's) certificate by this authority, made at `now`. */
export function identityFor(authority: SigningAuthority, host: string, now?: number): Identity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return { cert: authority.issueLeaf(host, publicKeyInfo(publicKey), now).chainPem, key };
}
