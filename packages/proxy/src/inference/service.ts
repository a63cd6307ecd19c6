import type { Evidence, IdentityMode } from '@openshell/policy';
import { isRefusal } from '../credentials/injection.ts';
import type { Planner } from '../destination/plan.ts';
import type { ClientExchange } from '../exchange/exchange.ts';
import type { AnswerBody } from '../http/answer.ts';
import { fieldValues } from '../http/request-head.ts';
import type { Limits } from '../limits.ts';
import type { ByteBudget } from '../tenant/byte-budget.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import { type ApiCall, recognise, SERVED } from './api.ts';
import { backendDestination } from './backend.ts';
import { type ConnectionSource, callBackend } from './backend-call.ts';
import { backendRequest } from './backend-request.ts';
import { acceptResponse } from './backend-response.ts';
import { Generate } from './generate.ts';
import { discovered, isDiscovered, modelEntry, modelList } from './models.ts';
import type { InferenceRecord } from './record.ts';
import { Reply } from './reply.ts';
import type { CompiledRoute, RouteTable } from './route-table.ts';

export interface InferenceServiceOptions {
  /** The tenant's pool. */
  readonly connections: ConnectionSource;
  readonly planner: Planner;
  readonly limits: Limits;
  /** What the tenant may hold in memory. */
  readonly held: ByteBudget;
}

/** One request, and by what it is judged. */
export interface InferenceRequest {
  readonly exchange: ClientExchange;
  /** Of the generation in force; it is used until the exchange is over. Undefined, or without a route: nothing is configured. */
  readonly routes: RouteTable | undefined;
  readonly caller: Evidence;
  readonly identity: IdentityMode;
  readonly traceId: string;
  /** Where somebody wants to see more of it than its id. */
  readonly trace?: RequestTrace | undefined;
}

interface Refusal {
  readonly status: number;
  readonly body: AnswerBody;
}

interface Accepted {
  readonly call: ApiCall;
  readonly routes: RouteTable;
}

/** inference.local of one tenant. */
export class InferenceService {
  readonly #options: InferenceServiceOptions;
  #running = 0;

  constructor(options: InferenceServiceOptions) {
    this.#options = options;
  }

  /** Serves an exchange to its end. Never rejects; what became of it is the record. */
  async serve(request: InferenceRequest): Promise<InferenceRecord> {
    const reply = new Reply(request.exchange, request.traceId);
    const judged = this.#judge(request);
    if ('body' in judged) return refused(reply, judged);
    this.#running++;
    try {
      return await this.#serve(judged, reply, request.trace);
    } finally {
      this.#running--;
    }
  }

  #serve(
    { call, routes }: Accepted,
    reply: Reply,
    trace: RequestTrace | undefined,
  ): Promise<InferenceRecord> {
    switch (call.kind) {
      case 'generate':
        return new Generate({ ...this.#options, call, routes, reply, trace }).serve();
      case 'models':
      case 'model':
        return this.#list(call, routes, reply);
      default:
        return call satisfies never;
    }
  }

  #judge({ routes, caller, identity, exchange }: InferenceRequest): Accepted | Refusal {
    const { method, target, fields } = exchange.request;
    if (identity === 'required' && caller.kind !== 'process')
      return refusal(403, 'policy_denied', 'Only programs that are known may use inference.local.', {
        code: 'identity_unknown',
      });
    if (routes === undefined || routes.routes.length === 0)
      return refusal(503, 'inference_not_configured', 'No inference route is configured for this sandbox.', {
        hint: 'The operator configures routes to backends.',
      });
    const call = recognise(method, target, fieldValues({ fields }, 'anthropic-version').length > 0);
    if (call === undefined) {
      const [path = ''] = target.split('?', 1);
      return refusal(
        403,
        'policy_denied',
        `${method} ${path.slice(0, 256)} is not served by inference.local.`,
        {
          served: SERVED,
        },
      );
    }
    if (this.#running >= this.#options.limits.inferenceRequests)
      return refusal(503, 'inference_overloaded', 'Too many requests to inference.local are under way.', {});
    return { call, routes };
  }

  async #list(
    call: Exclude<ApiCall, { kind: 'generate' }>,
    routes: RouteTable,
    reply: Reply,
  ): Promise<InferenceRecord> {
    const record = { action: 'allowed', protocol: 'model_discovery', bytesOut: 0 } as const;
    if (call.kind === 'models') {
      const found = await Promise.all(
        routes.routes.filter(isDiscovered).map((route) => this.#discover(call, route, reply)),
      );
      const ids = [...new Set([...routes.names(), ...found.flat()])];
      return { ...record, status: 200, bytesIn: reply.json(200, modelList(ids)) };
    }
    const { model } = call;
    if (routes.serves(model))
      return { ...record, status: 200, model, bytesIn: reply.json(200, modelEntry(model)) };
    const error = {
      status: 404,
      code: 'model_not_found',
      message: `No route serves the model "${model}" here.`,
    };
    const bytesIn = reply.error(call.dialect, error);
    return {
      ...record,
      action: 'failed',
      code: error.code,
      reason: error.message,
      status: error.status,
      bytesIn,
    };
  }

  /** A backend that does not say what it has adds nothing to the list. */
  async #discover({ dialect }: ApiCall, route: CompiledRoute, { gone, exchange }: Reply): Promise<string[]> {
    const key = await route.key?.get();
    if (key !== undefined && isRefusal(key)) return [];
    const { connections, planner, limits, held } = this.#options;
    const over = AbortSignal.any([gone, AbortSignal.timeout(route.limits.totalTime)]);
    const call = { dialect, path: '/models', query: '' };
    const response = await callBackend({
      connections,
      destination: backendDestination(route.backend, planner),
      request: backendRequest({ call, method: 'GET', route, fields: exchange.request.fields, key }),
      body: Buffer.alloc(0),
      limits: route.limits,
      signal: over,
    });
    const accepted = acceptResponse(response, route.key);
    return 'body' in accepted && accepted.head.status === 200
      ? discovered(route, accepted.body, { limits, budget: held })
      : [];
  }
}

const refusal = (status: number, error: string, detail: string, more: Record<string, unknown>): Refusal => ({
  status,
  body: { error, detail, ...more },
});

function refused(reply: Reply, { status, body }: Refusal): InferenceRecord {
  const bytesIn = reply.json(status, { ...body, trace_id: reply.traceId }, status === 403);
  return { action: 'denied', code: body.error, reason: body.detail, status, bytesOut: 0, bytesIn };
}
