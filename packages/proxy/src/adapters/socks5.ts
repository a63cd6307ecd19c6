import type { EgressRefusalCode } from '../egress.ts';
import { endGently } from '../relay/linger.ts';
import { agree } from '../socks/agreement.ts';
import { parseRequest, type Reply, requestReply } from '../socks/messages.ts';
import { readMessage } from '../socks/read-message.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';
import { openTunnel } from './open-tunnel.ts';

export interface Socks5Start {
  /** Bytes that were read already. */
  readonly initial: Buffer;
  /** Method and user are agreed: the request comes next. */
  readonly agreed: boolean;
}

/** SOCKS5 (RFC 1928): a tunnel to the host and port that the client names, as `CONNECT` of HTTP makes one. */
export async function serveSocks5(
  connection: Connection,
  context: TenantContext,
  start: Socks5Start,
): Promise<void> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), context.limits.headTime);
  const request = await readRequest(connection, start, late.signal);
  clearTimeout(timer);
  const { socket } = connection;
  const { limits, reporter } = context;
  const refuse = (bytes: Buffer): Promise<void> => endGently(socket, bytes, limits);
  switch (request.kind) {
    case 'gone':
    case 'late':
      socket.destroy();
      return;
    case 'malformed':
      reporter.malformedRequest(connection, request.detail);
      return refuse(NOTHING);
    case 'refused':
      reporter.malformedRequest(connection, 'a SOCKS5 client that does not offer to come without a password');
      return refuse(request.answer);
    case 'message':
      break;
    default:
      return request satisfies never;
  }
  const { message, rest } = request;
  if (message.kind === 'refused') {
    reporter.malformedRequest(connection, message.detail);
    return refuse(requestReply(message.reply));
  }
  return openTunnel(connection, context, {
    destination: message.destination,
    initial: rest,
    client: {
      adapter: 'socks5',
      established: requestReply('succeeded'),
      refuse: ({ code }) => refuse(requestReply(REFUSALS[code])),
      refuseMistake: () => refuse(requestReply('notAllowed')),
    },
  });
}

async function readRequest({ socket }: Connection, { initial, agreed }: Socks5Start, signal: AbortSignal) {
  if (agreed) return readMessage({ socket, initial, signal, parse: parseRequest });
  const agreement = await agree({
    ...{ socket, initial, signal },
    choose: ({ none }) => (none ? 'none' : undefined),
    recognise: () => true,
  });
  if (agreement.kind !== 'agreed') return agreement;
  return readMessage({ socket, initial: agreement.rest, signal, parse: parseRequest });
}

const NOTHING = Buffer.alloc(0);

/** RFC 1928 section 6. */
const REFUSALS: Readonly<Record<EgressRefusalCode, Reply>> = {
  policy_denied: 'notAllowed',
  ssrf_denied: 'notAllowed',
  resolve_failed: 'hostUnreachable',
  upstream_unreachable: 'refused',
  upstream_timeout: 'hostUnreachable',
};
