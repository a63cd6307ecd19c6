import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { SecureContext } from 'node:tls';
import { messageOf } from '@openshell/base';
import { ignoreError } from '../../relay/linger.ts';

/** What a collector has made of an export. */
export type Posted =
  /** It has it, except for so many spans that it did not want. */
  | { readonly kind: 'taken'; readonly rejected: number }
  /** Not now; `afterMs`: it has said when. */
  | { readonly kind: 'later'; readonly detail: string; readonly afterMs?: number | undefined }
  /** It will never take it. */
  | { readonly kind: 'refused'; readonly detail: string };

export interface CollectorOptions {
  readonly url: URL;
  /** For https: whom to trust. */
  readonly secureContext?: (() => SecureContext) | undefined;
  /** From the first byte to the last of the answer. */
  readonly timeMs: number;
  /** Of an answer: what is more is not read. */
  readonly answerBytes: number;
}

/** OTLP/HTTP "Failures": the statuses after which the same may be sent again. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** The operator's collector. It is spoken to directly: no policy and no proxy is asked. */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #agent: HttpAgent;

  constructor(options: CollectorOptions) {
    this.#options = options;
    const one = { keepAlive: true, maxSockets: 1, maxFreeSockets: 1 };
    this.#agent = options.url.protocol === 'https:' ? new HttpsAgent(one) : new HttpAgent(one);
  }

  /** Never rejects. Redirections are not followed: what is sent along is for this address. */
  async post(body: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Posted> {
    const { url, secureContext, timeMs } = this.#options;
    const either = AbortSignal.any([signal, AbortSignal.timeout(timeMs)]);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const https = url.protocol === 'https:';
    try {
      const request = (https ? httpsRequest : httpRequest)(url, {
        method: 'POST',
        agent: this.#agent,
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
        signal: either,
        ...(https && secureContext !== undefined && { secureContext: secureContext() }),
      });
      request.on('response', resolve);
      request.on('error', reject);
      request.end(body);
      return await this.#read(await promise);
    } catch (cause) {
      const late = either.aborted && !signal.aborted;
      return { kind: 'later', detail: late ? `no answer within ${timeMs} ms` : messageOf(cause) };
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #read(response: IncomingMessage): Promise<Posted> {
    const { statusCode = 0, headers } = response;
    const detail = `it answered ${statusCode}`;
    if (statusCode < 200 || statusCode > 299) {
      response.on('error', ignoreError).resume();
      const size = Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
      if (size > this.#options.answerBytes) response.destroy();
      if (!RETRYABLE.has(statusCode)) return { kind: 'refused', detail };
      return { kind: 'later', detail, afterMs: secondsOf(headers['retry-after']) };
    }
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      // It has what it was sent; only what it says about it is lost. Leaving the loop ends the connection.
      if (length > this.#options.answerBytes) return { kind: 'taken', rejected: 0 };
      chunks.push(chunk);
    }
    return { kind: 'taken', rejected: rejectedIn(Buffer.concat(chunks).toString()) };
  }
}

/** RFC 9110 section 10.2.3, in its number form; nobody is made to wait by a date. */
const secondsOf = (value: string | undefined): number | undefined =>
  value !== undefined && /^[0-9]{1,6}$/.test(value) ? Number(value) * 1000 : undefined;

/** `ExportTracePartialSuccess.rejectedSpans`. */
function rejectedIn(answer: string): number {
  try {
    const { partialSuccess } = JSON.parse(answer) as { partialSuccess?: { rejectedSpans?: unknown } };
    const rejected = Number(partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    // An empty answer, or one in another form: it has said 2xx.
    return 0;
  }
}
