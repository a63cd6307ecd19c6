import { isIP } from 'node:net';
import type { EgressRefusal } from '../egress.ts';
import { parseAuthority } from '../http/authority.ts';
import type { HeadResult } from '../http/head-reader.ts';
import { refusalAnswer } from '../http/refusal-answer.ts';
import { fieldValues, type RequestHead } from '../http/request-head.ts';
import { inferenceMistake, isInference, mustOpen } from '../inspect/destinations.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';
import { answer } from './explicit.ts';
import { tunnel } from './tunnel.ts';

/** RFC 9110 section 9.3.6: no body and no framing fields in the answer. */
const ESTABLISHED = Buffer.from('HTTP/1.1 200 Connection Established\r\n\r\n');

type ReadRequest = Extract<HeadResult, { kind: 'head' }>;

/** `CONNECT host:port`: a tunnel to that destination, if policy allows it. */
export async function serveConnect(
  connection: Connection,
  context: TenantContext,
  { head, rest }: ReadRequest,
): Promise<void> {
  const destination = parseAuthority(head.target);
  if (destination === undefined) {
    const detail = 'CONNECT needs host:port, with an IPv6 address in brackets and a port from 1 to 65535';
    return answer(connection, context, 400, { error: 'invalid_request_target', detail });
  }
  if (hasBody(head)) {
    return answer(connection, context, 400, {
      error: 'bad_request',
      detail: 'a CONNECT request has no body',
    });
  }
  const { port } = destination;
  // A program that looks names up itself asks for the address that it was given: what it means is the name.
  const host = context.names.nameOf(destination.host) ?? destination.host;
  if (isInference(host)) {
    const mistake = inferenceMistake(port);
    if (mistake === undefined) {
      connection.socket.write(ESTABLISHED);
      const inspector = await context.inspector();
      return inspector.openInference(connection, { adapter: 'connect', initial: rest });
    }
    const { code, reason, remedy } = mistake;
    return answer(connection, context, 403, { error: code, detail: reason, host, port, remedy });
  }
  const authorised = await context.egress.authorise(connection, 'connect', { host, port });
  if (authorised.kind === 'refused') return refuse(connection, context, authorised);
  connection.grant = authorised.grant;
  if (mustOpen(authorised.grant, context.settings())) {
    connection.socket.write(ESTABLISHED);
    return (await context.inspector()).open(connection, { initial: rest });
  }
  const outcome = await context.egress.connect(connection);
  if (outcome.kind === 'gone') {
    connection.socket.destroy();
    return;
  }
  if (outcome.kind === 'refused') return refuse(connection, context, outcome);
  connection.socket.write(ESTABLISHED);
  tunnel(connection, context, {
    upstream: outcome.upstream,
    initial: rest,
    guardedName: isIP(host) === 0 ? host : undefined,
  });
}

function refuse(connection: Connection, context: TenantContext, refusal: EgressRefusal): Promise<void> {
  context.reporter.refused(refusal);
  const { status, body } = refusalAnswer(refusal, 'CONNECT');
  return answer(connection, context, status, body);
}

const hasBody = (head: RequestHead): boolean =>
  fieldValues(head, 'transfer-encoding').length > 0 ||
  fieldValues(head, 'content-length').some((value) => value !== '0');
