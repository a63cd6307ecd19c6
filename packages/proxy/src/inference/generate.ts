import { isRefusal } from '../credentials/injection.ts';
import type { SecretValue } from '../credentials/secret.ts';
import type { OutgoingRequest } from '../exchange/exchange.ts';
import { field, fieldValues } from '../http/request-head.ts';
import { TRACE_FIELD } from '../http/trace-field.ts';
import { Holding, NO_MEMORY } from '../tenant/byte-budget.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import type { ApiCall } from './api.ts';
import type { ApiError } from './api-error.ts';
import { type Backend, backendDestination } from './backend.ts';
import { callBackend } from './backend-call.ts';
import { backendRequest } from './backend-request.ts';
import { type AcceptedResponse, acceptResponse } from './backend-response.ts';
import { EventRelay } from './event-relay.ts';
import { MemberCapture } from './member-capture.ts';
import type { InferenceRecord } from './record.ts';
import type { Reply } from './reply.ts';
import { ModelRequest, readBody, readModelRequest } from './request-body.ts';
import { type ResponseReading, ResponseRelay } from './response-relay.ts';
import type { CompiledRoute, RouteTable } from './route-table.ts';
import type { InferenceServiceOptions } from './service.ts';
import { parsed, UsageReader } from './usage.ts';

type GenerateCall = Extract<ApiCall, { kind: 'generate' }>;

export interface GenerateOptions extends InferenceServiceOptions {
  readonly call: GenerateCall;
  readonly routes: RouteTable;
  readonly reply: Reply;
  readonly trace: RequestTrace | undefined;
}

/** A request that is ready to go to its backend. */
interface Prepared {
  readonly route: CompiledRoute;
  readonly body: Buffer;
  readonly key: SecretValue | undefined;
}

/** One request to a model: read, routed, sent, and its response brought back. */
export class Generate {
  readonly #options: GenerateOptions;
  readonly #held: Holding;
  readonly #started = performance.now();
  /** What is known so far. */
  #record: Omit<InferenceRecord, 'action' | 'status' | 'bytesIn'>;

  constructor(options: GenerateOptions) {
    this.#options = options;
    this.#held = new Holding(options.held);
    this.#record = { protocol: options.call.protocol, bytesOut: 0 };
  }

  /** Resolves when the exchange is over. */
  async serve(): Promise<InferenceRecord> {
    try {
      return await this.#serve();
    } finally {
      this.#held.release();
    }
  }

  async #serve(): Promise<InferenceRecord> {
    const prepared = await this.#prepare();
    if ('status' in prepared) return this.#answer(prepared);
    const { route, body, key } = prepared;
    const { call, reply, trace } = this.#options;
    const { fields } = reply.exchange.request;
    const request = backendRequest({ call, method: 'POST', route, fields, key });
    const traced = trace === undefined ? request : { ...request, fields: trace.outgoing(request.fields) };
    const upstream = trace?.upstream(route.backend, request);
    const record = await this.#send(route, traced, body);
    upstream?.end(record.code);
    return record;
  }

  async #send(route: CompiledRoute, request: OutgoingRequest, body: Buffer): Promise<InferenceRecord> {
    const { reply, connections, planner } = this.#options;
    const response = await callBackend({
      connections,
      destination: backendDestination(route.backend, planner),
      request,
      body,
      limits: route.limits,
      signal: reply.gone,
    });
    if (reply.gone.aborted) {
      if (response.kind === 'response') response.abort(GONE.message);
      return this.#answer(GONE);
    }
    const accepted = acceptResponse(response, route.key);
    const detail = response.kind === 'failed' ? response.failure.detail : undefined;
    return 'status' in accepted ? this.#answer(accepted, detail) : this.#relay(accepted, route);
  }

  async #prepare(): Promise<Prepared | ApiError> {
    const request = await this.#read();
    if (!(request instanceof ModelRequest)) return request;
    const { call, routes } = this.#options;
    const { model } = request;
    if (model !== undefined) this.#record = { ...this.#record, model };
    const route = routes.choose(call.protocol, model);
    if (route === undefined) return noRoute(model, routes.names(call.protocol));
    this.#record = { ...this.#record, route: route.route.name, backend: originOf(route.backend) };
    if (this.#record.bytesOut > route.limits.requestBytes) return tooLarge(route.limits.requestBytes);
    const key = await route.key?.get();
    if (key !== undefined && isRefusal(key)) {
      this.#record = { ...this.#record, reason: key.detail };
      return {
        status: 502,
        code: key.error,
        message: 'The key of the backend is not available.',
        final: true,
      };
    }
    const body = request.render(route.route.model);
    if (!this.#held.add(body.length))
      return { status: NO_MEMORY.status, code: NO_MEMORY.code, message: `${NO_MEMORY.detail}.` };
    return { route, body, key };
  }

  async #read(): Promise<ModelRequest | ApiError> {
    const { routes, reply, limits } = this.#options;
    const { request, body } = reply.exchange;
    const coding = fieldValues(request, 'content-encoding').find(
      (value) => value.toLowerCase() !== 'identity',
    );
    if (coding !== undefined)
      return {
        status: 400,
        code: 'invalid_request',
        message: 'The body has a content coding, which is not accepted.',
      };
    const most = Math.max(...routes.routes.map((route) => route.limits.requestBytes));
    if (body.length !== undefined && body.length > most) return tooLarge(most);
    reply.exchange.continue();
    const within = { bytes: most, time: limits.inferenceRequestTime, held: this.#held };
    const bytes = await readBody(body, within, reply.gone);
    if (bytes === undefined) return GONE;
    if (!Buffer.isBuffer(bytes)) return bytes;
    this.#record = { ...this.#record, bytesOut: bytes.length };
    return readModelRequest(bytes, limits);
  }

  #relay(
    { head, body, isEventStream, abort }: AcceptedResponse,
    route: CompiledRoute,
  ): Promise<InferenceRecord> {
    const { call, reply, limits } = this.#options;
    const counts = new UsageReader();
    const { chunkTime, totalTime, responseBytes } = route.limits;
    const capture = new MemberCapture('usage');
    const reading: ResponseReading = isEventStream
      ? {
          kind: 'events',
          relay: new EventRelay(counts, limits.inferenceEventBytes),
          dialect: call.dialect,
          chunkTime,
        }
      : { kind: 'text', usage: capture, timeLeft: totalTime - (performance.now() - this.#started) };
    const { promise, resolve } = Promise.withResolvers<InferenceRecord>();
    const { status } = head;
    const fields = [...head.fields, field(TRACE_FIELD, reply.traceId)];
    const length =
      body.length === undefined
        ? ({ kind: 'stream' } as const)
        : ({ kind: 'length', length: body.length } as const);
    const relay = new ResponseRelay({
      source: body,
      abort,
      sink: reply.exchange.respond({ status, fields }, status === 204 ? { kind: 'none' } : length),
      reading,
      maxBytes: responseBytes,
      onEnd: (failure) => {
        reply.gone.removeEventListener('abort', stop);
        if (capture.value !== undefined) counts.take(parsed(capture.value));
        const outcome =
          failure === undefined
            ? COMPLETE
            : ({ action: 'failed', code: 'incomplete', reason: failure } as const);
        const { usage } = counts;
        resolve({ ...this.#record, ...outcome, status, bytesIn: relay.bytes, ...(usage && { usage }) });
      },
    });
    const stop = (): void => relay.stop(GONE.message);
    reply.gone.addEventListener('abort', stop, { once: true });
    relay.start();
    return promise;
  }

  #answer(error: ApiError, detail?: string): InferenceRecord {
    const { reply, call } = this.#options;
    const bytesIn = reply.error(call.dialect, error);
    const { code, message } = error;
    const status = reply.gone.aborted ? 0 : error.status;
    return { reason: detail ?? message, ...this.#record, action: 'failed', code, status, bytesIn };
  }
}

const COMPLETE = { action: 'allowed' } as const;

const GONE: ApiError = { status: 499, code: 'client_gone', message: 'the client has gone' };

const tooLarge = (bytes: number): ApiError => ({
  status: 413,
  code: 'request_too_large',
  message: `The body is longer than ${bytes} bytes.`,
});

const SHOWN_MODELS = 50;

function noRoute(model: string | undefined, names: readonly string[]): ApiError {
  const asked =
    model === undefined ? 'The request names no model' : `No route serves the model "${model}" here`;
  const known =
    names.length === 0
      ? 'Ask the operator which there are.'
      : `Known are: ${names.slice(0, SHOWN_MODELS).join(', ')}.`;
  return { status: 400, code: 'model_not_found', message: `${asked}. ${known}` };
}

export const originOf = ({ scheme, authority }: Backend): string => `${scheme}://${authority}`;
