/** RFC 9110 section 15, the statuses that the proxy itself answers with. */
const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
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
}

/** A complete HTTP/1.1 response with a JSON body, after which the connection is closed. */
export function renderAnswer({ status, body, omitBody = false }: AnswerOptions): Buffer {
  const content = Buffer.from(`${JSON.stringify(body)}\n`);
  const head = Buffer.from(
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}\r\n` +
      'Content-Type: application/json\r\n' +
      `Content-Length: ${content.length}\r\n` +
      'Connection: close\r\n\r\n',
  );
  return omitBody ? head : Buffer.concat([head, content]);
}
