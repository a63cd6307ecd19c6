import { TRACE_FIELD } from './trace-field.ts';

/** RFC 9110 section 15, the statuses that the proxy itself answers with. */
const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

/** The body of every answer that the proxy itself gives. Undefined members are left out. */
export interface AnswerBody {
  /** Stable, lower-case with underscores. */
  readonly error: string;
  readonly detail: string;
  readonly [member: string]: unknown;
}

export interface AnswerOptions {
  readonly status: number;
  readonly body: AnswerBody;
  /** The answer to a HEAD request has the header of the body but not the body (RFC 9110 section 9.3.2). */
  readonly omitBody?: boolean;
  /** Credentials for the proxy would help (RFC 9110 section 11.7.1, RFC 7617). */
  readonly challenge?: boolean | undefined;
  /** Of the connection that is answered; also in its events. */
  readonly traceId?: string | undefined;
}

/** A complete HTTP/1.1 response with a JSON body, after which the connection is closed. */
export function renderAnswer(options: AnswerOptions): Buffer {
  const { status, body, omitBody = false, challenge = false, traceId } = options;
  const content = Buffer.from(`${JSON.stringify({ ...body, trace_id: traceId })}\n`);
  const head = Buffer.from(
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}\r\n` +
      'Content-Type: application/json\r\n' +
      (challenge ? 'Proxy-Authenticate: Basic realm="openshell", charset="UTF-8"\r\n' : '') +
      (traceId === undefined ? '' : `${TRACE_FIELD}: ${traceId}\r\n`) +
      `Content-Length: ${content.length}\r\n` +
      'Connection: close\r\n\r\n',
  );
  return omitBody ? head : Buffer.concat([head, content]);
}
