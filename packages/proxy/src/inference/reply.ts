import type { ClientExchange } from '../exchange/exchange.ts';
import { field } from '../http/request-head.ts';
import { TRACE_FIELD } from '../http/trace-field.ts';
import type { Dialect } from './api.ts';
import { type ApiError, errorBody } from './api-error.ts';

const JSON_TYPE = field('Content-Type', 'application/json');
const NO_STORE = field('Cache-Control', 'no-store');
/** Read by the clients of both APIs, which otherwise repeat what ended in some statuses. */
const NO_RETRY = field('x-should-retry', 'false');

/** The client's end of an exchange. */
export class Reply {
  readonly exchange: ClientExchange;
  readonly traceId: string;
  /** Ends when the client has gone. */
  readonly gone: AbortSignal;

  constructor(exchange: ClientExchange, traceId: string) {
    this.exchange = exchange;
    this.traceId = traceId;
    const gone = new AbortController();
    this.gone = gone.signal;
    exchange.onAbort = (reason) => gone.abort(new Error(reason));
  }

  /** Answers with JSON of ours. Returns its length in bytes; 0 where nobody is there to get it. */
  json(status: number, body: object, final = false): number {
    if (this.gone.aborted) return 0;
    const content = Buffer.from(`${JSON.stringify(body)}\n`);
    const fields = [JSON_TYPE, NO_STORE, ...(final ? [NO_RETRY] : []), field(TRACE_FIELD, this.traceId)];
    const sink = this.exchange.respond({ status, fields }, { kind: 'length', length: content.length });
    sink.write(content);
    sink.end([]);
    return content.length;
  }

  /** Answers with an error in the API's own shape. */
  error(dialect: Dialect, error: ApiError): number {
    return this.json(error.status, errorBody(dialect, error), error.final);
  }
}
