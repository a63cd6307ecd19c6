import type { Adapter } from '@openshell/policy';
import type { RequestMessage } from '../exchange/exchange.ts';
import { formatAuthority, parseAuthority } from '../http/authority.ts';
import { refusalAnswer } from '../http/refusal-answer.ts';
import type { Connection, Grant } from '../tenant/connection.ts';
import type { TenantContext } from '../tenant/context.ts';
import { HTTPS_ONLY, isInference } from './destinations.ts';
import type { Granted } from './session.ts';

const defaultPort = (scheme: 'http' | 'https'): number => (scheme === 'http' ? 80 : 443);

/** The authority as it goes out: canonical, and without the port that the scheme has anyway. */
export const authorityOf = ({ intent }: Grant, { scheme }: RequestMessage): string =>
  formatAuthority(intent.host, intent.port, defaultPort(scheme));

/** Every request of a tunnel must be for the destination that the tunnel was allowed for. */
export class TunnelGrants {
  readonly #connection: Connection;
  readonly #context: TenantContext;
  #checked: string | undefined;

  constructor(connection: Connection, context: TenantContext) {
    this.#connection = connection;
    this.#context = context;
  }

  grantFor(request: RequestMessage): Granted | Promise<Granted> {
    const grant = this.#connection.grant!;
    const { authority, scheme } = request;
    if (authority !== undefined && authority !== this.#checked) {
      const said = parseAuthority(authority, defaultPort(scheme));
      const { host, port } = grant.intent;
      if (said?.host !== host || said.port !== port) return this.#mismatch(grant, authority);
      this.#checked = authority;
    }
    if (grant.decision.generation === this.#context.engine().generation) return { kind: 'granted', grant };
    return this.#renewed();
  }

  /** A new generation has not answered for this connection yet. */
  async #renewed(): Promise<Granted> {
    const grant = this.#connection.grant!;
    const decision = await this.#context.engine().authorizeConnect(grant.intent);
    if (decision.action === 'allow') return { kind: 'granted', grant: { ...grant, decision } };
    const { code, reason, remedy, policy } = decision;
    return {
      kind: 'refused',
      answer: { status: 403, body: { error: 'policy_denied', layer: 'l4', detail: reason, remedy }, policy },
      outcome: { action: 'denied', code, reason, remedy, policy },
    };
  }

  #mismatch({ intent, decision }: Grant, authority: string): Granted {
    const allowed = formatAuthority(intent.host, intent.port);
    const message = `the request is for ${authority}, and this connection was allowed for ${allowed}`;
    const remedy = 'Connect to each host under its own name.';
    return {
      kind: 'refused',
      answer: {
        status: 403,
        policy: decision.policy,
        body: { error: 'request_authority_mismatch', layer: 'l7', detail: message, message, remedy },
      },
      outcome: {
        action: 'denied',
        code: 'request_authority_mismatch',
        reason: message,
        remedy,
        policy: decision.policy,
      },
    };
  }
}

/** What is asked for in plain text is never served, on whatever port. */
function notInPlain(host: string): Granted {
  const { code, reason, remedy } = HTTPS_ONLY;
  return {
    kind: 'refused',
    answer: { status: 403, body: { error: code, layer: 'l7', detail: reason, host, remedy } },
    outcome: { action: 'denied', code, reason, remedy, policy: undefined },
  };
}

/** Each request to the forward proxy names its own destination, and is allowed or not by itself. */
export class ForwardGrants {
  readonly #connection: Connection;
  readonly #context: TenantContext;
  /** The last one: clients ask for one host many times over one connection. */
  #last: { readonly authority: string; readonly grant: Grant } | undefined;

  constructor(connection: Connection, context: TenantContext) {
    this.#connection = connection;
    this.#context = context;
  }

  grantFor(request: RequestMessage): Granted | Promise<Granted> {
    const last = this.#last;
    if (
      last !== undefined &&
      last.authority === request.authority &&
      last.grant.decision.generation === this.#context.engine().generation
    )
      return { kind: 'granted', grant: last.grant };
    return this.#authorise(request);
  }

  async #authorise({ authority = '', scheme, method }: RequestMessage): Promise<Granted> {
    const destination = parseAuthority(authority, defaultPort(scheme))!;
    const { port } = destination;
    const host = this.#context.names.nameOf(destination.host) ?? destination.host;
    if (isInference(host)) return notInPlain(host);
    const adapter: Adapter = 'forward';
    const outcome = await this.#context.egress.authorise(this.#connection, adapter, { host, port });
    if (outcome.kind === 'granted') {
      this.#last = { authority, grant: outcome.grant };
      return outcome;
    }
    const { code, cause, reason, remedy, policy } = outcome;
    const answer = refusalAnswer(outcome, method);
    this.#context.reporter.refused(this.#connection, outcome);
    return {
      kind: 'refused',
      reported: outcome.intent,
      answer: { ...answer, policy },
      outcome: {
        action: code === 'policy_denied' ? 'denied' : 'failed',
        code: cause,
        reason,
        remedy,
        policy,
      },
    };
  }
}
