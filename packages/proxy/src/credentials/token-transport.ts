import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent, request } from 'node:https';
import type { SecureContext } from 'node:tls';

export interface TokenRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds from the first moment to the last byte of the answer. */
  readonly timeout: number;
  /** Of the answer's body. */
  readonly maxBytes: number;
}

export interface TokenAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Sends one POST to a token endpoint. Redirects are not followed: secrets go where the operator said and nowhere else. Rejects where there
 * is no answer within the bounds.
 */
export type TokenTransport = (request: TokenRequest) => Promise<TokenAnswer>;

/**
 * The transport over a connection of its own. The agents are ours because the global ones may follow proxy variables of the environment.
 * @param contextFor whom to trust at a host, and what to show it; absent, what Node.js trusts.
 */
export function directTransport(contextFor?: (host: string) => SecureContext): TokenTransport {
  const secure = new Agent({ keepAlive: false });
  const plain = new PlainAgent({ keepAlive: false });
  const secureContext = ({ hostname }: URL) =>
    contextFor === undefined ? {} : { secureContext: contextFor(hostname) };
  return ({ url, headers, body, timeout, maxBytes }) =>
    new Promise((resolve, reject) => {
      const isSecure = url.protocol === 'https:';
      const options = {
        method: 'POST',
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
        signal: AbortSignal.timeout(timeout),
      };
      const sent = isSecure
        ? request(url, { ...options, agent: secure, ...secureContext(url) })
        : plainRequest(url, { ...options, agent: plain });
      sent.on('error', (error) => {
        reject(error.name === 'AbortError' ? new Error(`no answer within ${timeout} ms`) : error);
      });
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxBytes) response.destroy(new Error(`the answer is larger than ${maxBytes} bytes`));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
      });
      sent.end(body);
    });
}
