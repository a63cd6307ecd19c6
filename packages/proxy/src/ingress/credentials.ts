import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { fieldValues, type RequestHead } from '../http/request-head.ts';
import type { UserPassword } from '../socks/messages.ts';

/** What a client says about who it is. */
export type SaidCredentials =
  | { readonly kind: 'nothing' | 'malformed' }
  | ({ readonly kind: 'given' } & UserPassword);

const NOTHING = { kind: 'nothing' } as const;
const MALFORMED = { kind: 'malformed' } as const;

/** RFC 9110 section 11.4: the scheme in any case, one space or more, base64 with its padding. */
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/** The user name and password of `Proxy-Authorization: Basic` (RFC 7617). Another scheme, and more than one field, are malformed. */
export function saidBy(head: Pick<RequestHead, 'fields'>): SaidCredentials {
  const values = fieldValues(head, 'proxy-authorization');
  if (values.length === 0) return NOTHING;
  const encoded = values.length === 1 ? BASIC.exec(values[0]!)?.[1] : undefined;
  if (encoded === undefined) return MALFORMED;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return MALFORMED;
  return { kind: 'given', username: text.slice(0, colon), password: text.slice(colon + 1) };
}

interface Entry<Owner> {
  readonly digest: Buffer;
  readonly owner: Owner;
}

const sha256 = (text: string): Buffer => hash('sha256', text, 'buffer');

/** Whose user names these are. Holds hashes of passwords, never a password. */
export class CredentialTable<Owner> {
  readonly #entries = new Map<string, Entry<Owner>>();
  /** The password of users that there are not: comparing takes as long as for one that there is. */
  readonly #nobody = randomBytes(32);

  get size(): number {
    return this.#entries.size;
  }

  ownerOf(username: string): Owner | undefined {
    return this.#entries.get(username)?.owner;
  }

  /** `passwordSha256` is in hexadecimal digits. */
  set(username: string, passwordSha256: string, owner: Owner): void {
    this.#entries.set(username, { digest: Buffer.from(passwordSha256, 'hex'), owner });
  }

  delete(username: string): void {
    this.#entries.delete(username);
  }

  find({ username, password }: UserPassword): Owner | undefined {
    const entry = this.#entries.get(username);
    const same = timingSafeEqual(sha256(password), entry?.digest ?? this.#nobody);
    return same ? entry?.owner : undefined;
  }
}
