/** What a client at a shared listener has said about who it is. */
export type Said<Owner> =
  | { readonly kind: 'unread' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'credentials'; readonly owner: Owner };

/** Everything that decides whose a connection is. */
export interface Signs<Owner> {
  /** Whose network the client's address is in; the smallest one. */
  readonly source: Owner | undefined;
  /** Who gets those that say nothing and come from nowhere in particular. */
  readonly everybody: Owner | undefined;
  /** Whether there is anybody to be recognised by credentials. */
  readonly credentialsCount: boolean;
  readonly said: Said<Owner>;
}

/** Why a connection is nobody's. */
export type Unrecognised = 'source_unknown' | 'credentials_missing' | 'credentials_wrong';

export type Recognised<Owner> =
  | { readonly kind: 'owner'; readonly owner: Owner }
  /** What the client says has to be read first. */
  | { readonly kind: 'read' }
  | { readonly kind: 'nobody'; readonly why: Unrecognised };

/** Whose a connection is. See the README for the order and its reasons. */
export function recognise<Owner>({
  source,
  everybody,
  credentialsCount,
  said,
}: Signs<Owner>): Recognised<Owner> {
  if (source !== undefined) return { kind: 'owner', owner: source };
  if (!credentialsCount)
    return everybody === undefined ? nobody('source_unknown') : { kind: 'owner', owner: everybody };
  switch (said.kind) {
    case 'unread':
      return { kind: 'read' };
    case 'credentials':
      return { kind: 'owner', owner: said.owner };
    case 'wrong':
      return nobody('credentials_wrong');
    case 'nothing':
      return everybody === undefined ? nobody('credentials_missing') : { kind: 'owner', owner: everybody };
    default:
      return said satisfies never;
  }
}

const nobody = (why: Unrecognised) => ({ kind: 'nobody', why }) as const;
