import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { ServerIdentity } from './certificates.ts';
import { Origin } from './origin.ts';

export interface SeenRequest {
  /** `POST origin.test/path`. */
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An HTTPS server of 127.0.0.1 that keeps what came, and answers each request with a text. */
export class RecordingOrigin implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  readonly #answer: (request: SeenRequest) => string;
  #origin: Origin | undefined;

  private constructor(answer: (request: SeenRequest) => string) {
    this.#answer = answer;
  }

  static async start(
    { certificate, key }: ServerIdentity,
    answer: (request: SeenRequest) => string = ({ line }) => `${line}\n`,
  ): Promise<RecordingOrigin> {
    const origin = new RecordingOrigin(answer);
    origin.#origin = await Origin.listen(createServer({ cert: certificate, key }, origin.#take));
    return origin;
  }

  get port(): number {
    return this.#origin!.port;
  }

  /** The requests of one host. */
  of(host: string): SeenRequest[] {
    return this.seen.filter(({ headers }) => headers.host === host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#origin?.[Symbol.asyncDispose]();
  }

  readonly #take: RequestListener = (request, response) => {
    const { method, url, headers } = request;
    let body = '';
    request.setEncoding('utf8').on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      const one = { line: `${method} ${headers.host}${url}`, headers, body };
      this.seen.push(one);
      response.end(this.#answer(one));
    });
  };
}
