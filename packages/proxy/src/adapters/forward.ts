import type { HeadResult } from '../http/head-reader.ts';
import { serveHttp } from '../inspect/inspected-connection.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';

type ReadRequest = Extract<HeadResult, { kind: 'head' }>;

/** `GET http://host/path`: requests that each name their destination, forwarded where policy allows that. */
export function serveForward(
  connection: Connection,
  context: TenantContext,
  { head, rest }: ReadRequest,
): Promise<void> {
  const { socket } = connection;
  return serveHttp({
    ...{ connection, context, socket, protocol: 'h1', scheme: 'http', form: 'absolute' },
    ...{ first: head, initial: rest },
  });
}
