import type { HeadResult } from '../http/head-reader.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';

type ReadRequest = Extract<HeadResult, { kind: 'head' }>;

/** `GET http://host/path`: requests that each name their destination, forwarded where policy allows that. */
export async function serveForward(
  connection: Connection,
  context: TenantContext,
  { head, rest }: ReadRequest,
): Promise<void> {
  return (await context.inspector()).serveForward(connection, head, rest);
}
