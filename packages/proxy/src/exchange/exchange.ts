import type { Duplex } from 'node:stream';
import type { HeaderField } from '../http/request-head.ts';
import type { BodyLength, BodySink, BodySource } from './body.ts';
import type { Peer } from './peer.ts';

/**
 * A request as every downstream protocol presents it: understood, strict, and free of what belongs to one connection
 * (`Connection` and what it names, `Keep-Alive`, `Proxy-*`, `TE`, `Transfer-Encoding`, `Content-Length`, `Upgrade`, `Expect`,
 * `Host`, pseudo-fields).
 */
export interface RequestMessage {
  /** As sent: methods are case-sensitive (RFC 9110 section 9.1). */
  readonly method: string;
  /** Origin-form (`/path?query`) or `*`; printable ASCII, not yet canonical. */
  readonly target: string;
  readonly scheme: 'http' | 'https';
  /** `Host` or `:authority` as sent; undefined only in HTTP/1.0. */
  readonly authority: string | undefined;
  readonly version: '1.0' | '1.1' | '2';
  readonly fields: readonly HeaderField[];
  /** The client waits for 100 before it sends the body (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean;
  /** Lower case; the protocol that the client wants to change to, where it asks for exactly one that may be (`websocket`). */
  readonly upgrade: string | undefined;
}

export interface ResponseHead {
  readonly status: number;
  /** Without what belongs to one connection, `Content-Length` included. */
  readonly fields: readonly HeaderField[];
  /** What `Content-Length` said where no body follows it: in the answer to a HEAD, in a 304. */
  readonly declaredLength?: number | undefined;
}

/** A connection that has left HTTP behind. */
export interface UpgradedStream {
  readonly socket: Duplex;
  /** What had come along behind the head. */
  readonly early: Buffer;
}

/** One request of a client and the way to answer it. Made by HTTP/1 and HTTP/2 downstream connections. */
export interface ClientExchange {
  readonly request: RequestMessage;
  readonly body: BodySource;
  /** Asks for the body where the client waits to be asked. At most one call has an effect. */
  continue(): void;
  /** A 1xx other than 100 and 101 (RFC 9110 section 15.2). */
  interim(head: ResponseHead): void;
  /** Called once at most, as an alternative to `upgrade` and `abort`. The sink's `onDrain` is set by the caller. */
  respond(head: ResponseHead, length: BodyLength): BodySink;
  /** Answers 101 and gives the connection away. Only where `request.upgrade` is set. */
  upgrade(head: ResponseHead): UpgradedStream;
  /** Ends the exchange without an answer, or within it. */
  abort(reason: string): void;
  /** Set by whoever serves the exchange: the client has gone, nobody waits for the answer. */
  onAbort: (reason: string) => void;
}

/** The request as it goes out. The connection adds what belongs to it (`Host` or pseudo-fields, framing). */
export interface OutgoingRequest {
  readonly method: string;
  readonly target: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly fields: readonly HeaderField[];
  /** Set: `Connection: Upgrade` and this protocol go along. Only on HTTP/1. */
  readonly upgrade: string | undefined;
  /** The body waits for 100; the listener's `continue` says when. */
  readonly expectsContinue: boolean;
}

export type UpstreamFailureCode =
  | 'resolve_failed'
  | 'ssrf_denied'
  | 'upstream_unreachable'
  | 'upstream_timeout'
  /** Its certificate is not accepted. */
  | 'upstream_untrusted'
  /** It said something that is not HTTP, or not acceptable. */
  | 'upstream_protocol';

export interface UpstreamFailure {
  readonly code: UpstreamFailureCode;
  /** For a person; without secrets. */
  readonly detail: string;
  readonly remedy?: string | undefined;
  /** No byte of a response came and the connection had been used before: the request may go out once more on a new one. */
  readonly retry: boolean;
}

/** What comes back. Exactly one of `response`, `upgraded` and `failed` is called; after `response`, failures are the body's. */
export interface UpstreamListener {
  /** 100: the body is wanted. */
  continue(): void;
  interim(head: ResponseHead): void;
  response(head: ResponseHead, body: BodySource): void;
  upgraded(head: ResponseHead, stream: UpgradedStream): void;
  failed(failure: UpstreamFailure): void;
}

/** A connection to an origin that takes requests. Made by HTTP/1 and HTTP/2 upstream connections. */
export interface UpstreamConnection {
  readonly protocol: 'h1' | 'h2';
  /** The other end of its socket, while it is open: the origin, or a proxy on the way. */
  readonly peer?: Peer | undefined;
  /** True while one more exchange can start now. */
  readonly available: boolean;
  /** No exchange is under way. */
  readonly idle: boolean;
  /** Sends a request. The sink takes its body; for no body the sink is still to be ended. `abort` of the sink ends the exchange. */
  start(request: OutgoingRequest, length: BodyLength, listener: UpstreamListener): BodySink;
  /** Set by the owner: `available`, `idle` or both have changed, or the connection has closed. */
  onChange: () => void;
  readonly closed: boolean;
  destroy(): void;
}
