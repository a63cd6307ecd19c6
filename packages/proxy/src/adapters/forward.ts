import type { Admit, ReadRequest } from '../tenant/adoption.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';

/** `GET http://host/path`: requests that each name their destination, forwarded where policy allows that. */
export async function serveForward(
  connection: Connection,
  context: TenantContext,
  first: ReadRequest,
  admit: Admit | undefined,
): Promise<void> {
  return (await context.inspector()).serveForward(connection, first, admit);
}
