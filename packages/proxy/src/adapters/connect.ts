import { parseAuthority } from '../http/authority.ts';
import { refusalAnswer } from '../http/refusal-answer.ts';
import { fieldValues, type RequestHead } from '../http/request-head.ts';
import type { ReadRequest } from '../tenant/adoption.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';
import { answer } from './explicit.ts';
import { openTunnel } from './open-tunnel.ts';

/** RFC 9110 section 9.3.6: no body and no framing fields in the answer. */
const ESTABLISHED = Buffer.from('HTTP/1.1 200 Connection Established\r\n\r\n');

/** `CONNECT host:port`: a tunnel to that destination, if policy allows it. */
export async function serveConnect(
  connection: Connection,
  context: TenantContext,
  { head, rest }: ReadRequest,
): Promise<void> {
  connection.trace.continue(head.fields);
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
  return openTunnel(connection, context, {
    destination,
    initial: rest,
    client: {
      adapter: 'connect',
      established: ESTABLISHED,
      refuse: (refusal) => {
        const { status, body } = refusalAnswer(refusal, 'CONNECT');
        return answer(connection, context, status, body);
      },
      refuseMistake: ({ code, reason, remedy, host, port }) =>
        answer(connection, context, 403, { error: code, detail: reason, host, port, remedy }),
    },
  });
}

const hasBody = (head: RequestHead): boolean =>
  fieldValues(head, 'transfer-encoding').length > 0 ||
  fieldValues(head, 'content-length').some((value) => value !== '0');
