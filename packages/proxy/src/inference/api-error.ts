import type { Dialect } from './api.ts';

/** An error of ours, told to the client of an API. Quotes neither keys nor backends. */
export interface ApiError {
  readonly status: number;
  /** Stable, lower-case with underscores. */
  readonly code: string;
  readonly message: string;
  /** Asking again changes nothing, whatever the status makes a client believe. */
  readonly final?: boolean;
}

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  503: 'overloaded_error',
  504: 'timeout_error',
};

const OPENAI_TYPES: Readonly<Record<number, string>> = { 403: 'permission_error', 404: 'not_found_error' };

/** The body of an error, in the shape that the API's own clients take apart and show. */
export function errorBody(dialect: Dialect, { status, code, message }: ApiError): object {
  const client = status < 500 ? 'invalid_request_error' : undefined;
  switch (dialect) {
    case 'openai':
      return {
        error: { message, type: OPENAI_TYPES[status] ?? client ?? 'server_error', param: null, code },
      };
    case 'anthropic':
      return { type: 'error', error: { type: ANTHROPIC_TYPES[status] ?? client ?? 'api_error', message } };
    default:
      return dialect satisfies never;
  }
}

/** What is put into a stream of events that cannot be completed, in place of its rest. */
export function errorEvent(dialect: Dialect, message: string): Buffer {
  switch (dialect) {
    case 'openai':
      return event(undefined, {
        error: { message, type: 'proxy_stream_error', param: null, code: 'proxy_stream_error' },
      });
    case 'anthropic':
      return event('error', { type: 'error', error: { type: 'api_error', message } });
    default:
      return dialect satisfies never;
  }
}

const event = (type: string | undefined, data: object): Buffer =>
  Buffer.from(`${type === undefined ? '' : `event: ${type}\n`}data: ${JSON.stringify(data)}\n\n`);
