import { BlockList, isIPv6 } from 'node:net';
import { isSynthetic } from '../dns/index.ts';
import type { EgressRefusal } from '../egress.ts';
import { type AnswerBody, renderAnswer } from '../http/answer.ts';
import { refusalAnswer } from '../http/refusal-answer.ts';
import { inferenceMistake, isInference, mustOpen } from '../inspect/destinations.ts';
import { type Peeked, peek } from '../peek/peek.ts';
import { endGently } from '../relay/linger.ts';
import { reset } from '../relay/reset.ts';
import type { Adoption } from '../tenant/adoption.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';
import type { CaptureRefusal } from '../tenant/reporter.ts';
import { ACCESS_DENIED_ALERT } from '../tls/alert.ts';
import { looksLikeTls } from '../tls/client-hello.ts';
import { tunnel } from './tunnel.ts';

/** Destinations that no capture can have: somebody has connected to the capture port itself. */
const OWN = new BlockList();
OWN.addSubnet('127.0.0.0', 8, 'ipv4');
OWN.addSubnet('0.0.0.0', 8, 'ipv4');
OWN.addAddress('::', 'ipv6');
OWN.addAddress('::1', 'ipv6');

interface Capture {
  readonly connection: Connection;
  readonly context: TenantContext;
  /** Where the program wanted to go. */
  readonly address: string;
  readonly port: number;
}

/**
 * Serves a program that knows of no proxy and was captured on its way out. Its destination is an address; policy is
 * about names. The name is the one whose synthetic address was dialled, else what TLS or HTTP say.
 */
export async function serveTransparent(
  connection: Connection,
  context: TenantContext,
  { flow, name }: Extract<Adoption, { kind: 'transparent' }>,
): Promise<void> {
  const capture: Capture = { connection, context, address: flow.serverAddress, port: flow.serverPort };
  if (OWN.check(capture.address, isIPv6(capture.address) ? 'ipv6' : 'ipv4')) {
    return refuse(capture, {
      code: 'capture_port',
      reason: 'the capture port is no destination',
      remedy: 'Connect to the destination itself, or to the explicit proxy.',
    });
  }
  if (name !== undefined) return open(capture, { host: name, guarded: true });
  if (isSynthetic(capture.address)) return serveSynthetic(capture);
  if (context.engine().couldAllowAddress(capture.address, capture.port)) {
    return open(capture, { host: capture.address });
  }
  return serveUnnamed(capture);
}

/** The name is known before the client says anything, so servers that speak first can be joined at once. */
async function serveSynthetic(capture: Capture): Promise<void> {
  const name = capture.context.names.nameOf(capture.address);
  if (name === undefined) {
    return refuse(capture, {
      code: 'name_forgotten',
      reason: 'this address stands for no name that was looked up lately',
      remedy: 'Look the name up again before connecting.',
    });
  }
  return open(capture, { host: name, guarded: true });
}

/** Only the client's own first bytes can say which name is meant. What is dialled then is that name, never the address. */
async function serveUnnamed(capture: Capture): Promise<void> {
  const peeked = await peekFor(capture, capture.context.limits.peekTime);
  if (peeked === undefined) return;
  const { verdict, bytes } = peeked;
  const names = verdict.kind === 'tls' || verdict.kind === 'http' ? verdict.names : [];
  if (names.length > 1) {
    const reason = `the request names two hosts: ${names.join(' and ')}`;
    return refuse(capture, { code: 'name_contradiction', reason, remedy: 'Name one host.' }, peeked);
  }
  return open(capture, { host: names[0] ?? capture.address, peeked, initial: bytes });
}

interface OpenOptions {
  readonly host: string;
  /** The client's first bytes have not been compared with the name yet. */
  readonly guarded?: boolean;
  readonly initial?: Buffer;
  readonly peeked?: Peeked;
}

async function open(
  capture: Capture,
  { host, guarded = false, initial, peeked }: OpenOptions,
): Promise<void> {
  const { connection, context, port } = capture;
  if (isInference(host)) {
    const mistake = inferenceMistake(port);
    if (mistake !== undefined) return refuse(capture, mistake, peeked);
    const inspector = await context.inspector();
    return inspector.openInference(connection, { adapter: 'transparent', initial, peeked });
  }
  const authorised = await context.egress.authorise(connection, 'transparent', { host, port });
  if (authorised.kind === 'refused') return refuseEgress(capture, authorised, peeked);
  connection.grant = authorised.grant;
  if (mustOpen(authorised.grant, context.settings())) {
    return (await context.inspector()).open(connection, { initial, peeked });
  }
  const outcome = await context.egress.connect(connection);
  if (outcome.kind === 'gone') {
    connection.socket.destroy();
    return;
  }
  if (outcome.kind === 'refused') return refuseEgress(capture, outcome, peeked);
  tunnel(connection, context, {
    upstream: outcome.upstream,
    initial,
    guardedName: guarded ? host : undefined,
  });
}

async function refuseEgress(capture: Capture, refusal: EgressRefusal, peeked?: Peeked): Promise<void> {
  const { connection, context } = capture;
  const { status, body } = refusalAnswer(refusal, 'connection to');
  const denied = refusal.code === 'policy_denied' || refusal.code === 'ssrf_denied';
  if (denied) {
    const { host, port } = refusal.intent;
    context.reporter.refusedCapture(connection, { ...refusal, host, port, code: refusal.cause });
  } else {
    context.reporter.refused(connection, refusal);
  }
  const first = peeked ?? (await peekFor(capture, context.limits.refusalPeekTime));
  if (first !== undefined) await render(connection, context, first, { status, body, denied });
}

async function refuse(
  capture: Capture,
  why: Omit<CaptureRefusal, 'host' | 'port'>,
  peeked?: Peeked,
): Promise<void> {
  const { connection, context, address: host, port } = capture;
  context.reporter.refusedCapture(connection, { ...why, host, port });
  const first = peeked ?? (await peekFor(capture, context.limits.refusalPeekTime));
  const body: AnswerBody = {
    error: why.code,
    layer: 'l4',
    detail: why.reason,
    host,
    port,
    remedy: why.remedy,
    next_steps: [],
  };
  if (first !== undefined) await render(connection, context, first, { status: 403, body, denied: true });
}

/** The client's first bytes; undefined when it closed before. */
function peekFor({ connection, context }: Capture, firstByteTime: number): Promise<Peeked | undefined> {
  const { socket } = connection;
  const { promise, resolve } = Promise.withResolvers<Peeked | undefined>();
  if (socket.destroyed) return Promise.resolve(undefined);
  socket.once('close', () => resolve(undefined));
  peek({ socket, limits: context.limits, firstByteTime }, resolve);
  return promise;
}

interface Rendering {
  readonly status: number;
  readonly body: AnswerBody;
  /** By policy, rather than by a failure on the way. */
  readonly denied: boolean;
}

/** Refuses in the protocol that the first bytes are in; a reset says it to every other. */
async function render(
  { socket, trace }: Connection,
  { limits }: TenantContext,
  { verdict, bytes }: Peeked,
  { status, body, denied }: Rendering,
): Promise<void> {
  const http = verdict.kind === 'http' || (verdict.kind === 'malformed' && verdict.protocol === 'http');
  if (http) return endGently(socket, renderAnswer({ status, body, traceId: trace.id }), limits);
  if (denied && looksLikeTls(bytes)) return endGently(socket, ACCESS_DENIED_ALERT, limits);
  reset(socket);
}
