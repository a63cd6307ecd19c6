import type { Evidence } from '@openshell/policy';
import type { Flow } from '../evidence.ts';
import type { HeadResult } from '../http/head-reader.ts';
import type { RequestHead } from '../http/request-head.ts';

/** A request whose head was read, with what came behind it. */
export type ReadRequest = Extract<HeadResult, { kind: 'head' }>;

/** What somebody else found out about a connection; the tenant finds out itself what is absent. */
export interface KnownClient {
  /** The two ends as the client's own kernel sees them; those of the socket itself, where absent. */
  readonly flow?: Flow | undefined;
  /** Who asks. The tenant's own source of evidence is not asked then. */
  readonly evidence?: Evidence | undefined;
}

/**
 * Looks at each request of a connection before anybody understands it: a further one may be somebody else's. What it answers is the
 * last that the client gets.
 */
export type Admit = (head: RequestHead) => Buffer | undefined;

/**
 * How a connection that was accepted elsewhere goes on as a tenant's. Its socket is paused, and what was read of it and is not in here
 * was put back (`unshift`). It may be TLS itself.
 */
export type Adoption =
  | (KnownClient & {
      /** The client knows of the proxy. */
      readonly kind: 'explicit';
      /** Its first request, where it was read already. */
      readonly first?: ReadRequest | undefined;
      readonly admit?: Admit | undefined;
    })
  | (KnownClient & {
      /** Method and user of SOCKS5 are agreed; its request comes next. */
      readonly kind: 'socks5';
      /** Bytes behind the agreement that were read already. */
      readonly initial: Buffer;
    })
  | (KnownClient & {
      /** It was captured on its way out. */
      readonly kind: 'transparent';
      /** Its server side is the original destination. */
      readonly flow: Flow;
      /** Canonical: the name that was looked up and that the original destination stands for. */
      readonly name?: string | undefined;
    });

export type AdoptionKind = Adoption['kind'];
