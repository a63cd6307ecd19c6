import type { Upstream } from '../destination/upstream.ts';
import { renderAnswer } from '../http/answer.ts';
import { guardName, type NameContradiction } from '../relay/name-guard.ts';
import { RawRelay } from '../relay/raw-relay.ts';
import type { Connection } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';
import { ACCESS_DENIED_ALERT } from '../tls/alert.ts';

export interface TunnelOptions {
  readonly upstream: Upstream;
  /** Bytes of the client that were read before. */
  readonly initial?: Buffer | undefined;
  /** The name that the client's first bytes must not contradict; absent where there is none or it was checked before. */
  readonly guardedName?: string | undefined;
}

/** Joins a client with its upstream, reports the opening and the end, and watches that the client means the name it said. */
export function tunnel(connection: Connection, context: TenantContext, options: TunnelOptions): void {
  const { upstream, initial, guardedName } = options;
  const grant = connection.grant!;
  const { reporter, limits } = context;
  const relay = new RawRelay(connection.socket, upstream, limits);
  connection.relaying(relay);
  context.opened(connection);
  reporter.opened(connection);
  void relay.done.then((result) => reporter.closed(connection, result));
  relay.startDownstream();
  if (guardedName === undefined) {
    relay.startUpstream(initial);
    return;
  }
  guardName(
    { client: connection.socket, upstream: upstream.socket, name: guardedName, initial, limits },
    {
      pass: (bytes) => relay.startUpstream(bytes),
      refuse: (contradiction) => {
        reporter.contradicted(connection, connection.grant ?? grant, contradiction.reason);
        relay.refuse(lastWords(contradiction, connection.trace.id), contradiction.reason);
      },
    },
  );
}

/** The refusal in the client's own protocol; undefined where there is none and a reset has to do. */
function lastWords({ protocol, reason }: NameContradiction, traceId: string): Buffer | undefined {
  switch (protocol) {
    case 'tls':
      return ACCESS_DENIED_ALERT;
    case 'http':
      return renderAnswer({
        status: 403,
        traceId,
        body: { error: 'name_contradiction', layer: 'l4', detail: reason, next_steps: [] },
      });
    case 'other':
      return undefined;
    default: {
      const unreachable: never = protocol;
      return unreachable;
    }
  }
}
