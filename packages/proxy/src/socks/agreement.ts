import type { Socket } from 'node:net';
import {
  METHODS,
  type Method,
  methodReply,
  parseGreeting,
  parseUserPassword,
  passwordReply,
  type UserPassword,
} from './messages.ts';
import { readMessage } from './read-message.ts';

export interface AgreementOptions<Who> {
  readonly socket: Socket;
  /** Read before. */
  readonly initial: Buffer;
  /** Says when it has taken too long. */
  readonly signal: AbortSignal;
  /** One of the methods that are offered, or none. */
  readonly choose: (offered: Readonly<Record<Method, boolean>>) => Method | undefined;
  /** Whose these are; undefined: nobody's. Nothing is given where the chosen method is `none`. */
  readonly recognise: (given: UserPassword | undefined) => Who | undefined;
}

export type Agreement<Who> =
  | { readonly kind: 'agreed'; readonly who: Who; readonly rest: Buffer }
  /** `answer` is to be the last that the client gets. */
  | { readonly kind: 'refused'; readonly why: 'method' | 'password'; readonly answer: Buffer }
  | { readonly kind: 'malformed'; readonly detail: string }
  | { readonly kind: 'gone' | 'late' };

/** The beginning of a SOCKS5 connection, up to its request (RFC 1928 section 3, RFC 1929). Leaves the socket paused. Never rejects. */
export async function agree<Who>(options: AgreementOptions<Who>): Promise<Agreement<Who>> {
  const { socket, initial, signal, choose, recognise } = options;
  const greeting = await readMessage({ socket, initial, signal, parse: parseGreeting });
  if (greeting.kind !== 'message') return greeting;
  const offered = {
    none: greeting.message.includes(METHODS.none),
    password: greeting.message.includes(METHODS.password),
  };
  const method = choose(offered);
  if (method === undefined || !offered[method])
    return { kind: 'refused', why: 'method', answer: methodReply(undefined) };
  if (method === 'none') {
    const who = recognise(undefined);
    if (who === undefined) return { kind: 'refused', why: 'method', answer: methodReply(undefined) };
    socket.write(methodReply(method));
    return { kind: 'agreed', who, rest: greeting.rest };
  }
  socket.write(methodReply(method));
  const given = await readMessage({ socket, initial: greeting.rest, signal, parse: parseUserPassword });
  if (given.kind !== 'message') return given;
  const who = recognise(given.message);
  if (who === undefined) return { kind: 'refused', why: 'password', answer: passwordReply(false) };
  socket.write(passwordReply(true));
  return { kind: 'agreed', who, rest: given.rest };
}
