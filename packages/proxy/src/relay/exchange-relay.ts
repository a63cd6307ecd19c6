import type { Socket } from 'node:net';
import type { Upstream } from '../destination/upstream.ts';
import type { BodyReader } from '../http/body-reader.ts';
import type { Limits } from '../limits.ts';
import { RawRelay } from './raw-relay.ts';

export interface ExchangeOptions {
  readonly client: Socket;
  readonly upstream: Upstream;
  readonly head: Buffer;
  readonly body: BodyReader;
  /** What came along with the head. */
  readonly initial: Buffer;
  readonly limits: Limits;
  /** What the client is told when its body turns out to be malformed. */
  readonly faultAnswer: (detail: string) => Buffer;
}

/**
 * One request and its response. The request goes out as it was understood and not a byte more; the response comes back
 * as it is, until the upstream ends it.
 */
export function startExchange(options: ExchangeOptions): RawRelay {
  const relay = new RawRelay(options.client, options.upstream, options.limits);
  new RequestPump(options, relay).start();
  relay.startDownstream();
  return relay;
}

class RequestPump {
  readonly #options: ExchangeOptions;
  readonly #relay: RawRelay;
  #done = false;

  constructor(options: ExchangeOptions, relay: RawRelay) {
    this.#options = options;
    this.#relay = relay;
  }

  start(): void {
    const { client, head, initial } = this.#options;
    const upstream = this.#options.upstream.socket;
    upstream.write(head);
    this.#take(initial);
    client.on('data', (chunk: Buffer) => this.#take(chunk));
    upstream.on('drain', () => client.resume());
    // With the response complete there is nothing more to ask; what is left of the request would be for nobody.
    upstream.once('end', () => {
      this.#done = true;
      upstream.end();
    });
    if (client.readableEnded) this.#ended();
    else client.on('end', () => this.#ended());
    client.resume();
  }

  /** Bytes behind the request are dropped: a second request would be one that nobody has decided on. */
  #take(chunk: Buffer): void {
    if (this.#done) return;
    const { client, body } = this.#options;
    const upstream = this.#options.upstream.socket;
    const result = body.push(chunk);
    if (result.kind === 'fault') {
      this.#done = true;
      this.#relay.refuse(this.#options.faultAnswer(result.detail), result.detail);
      return;
    }
    let room = true;
    for (const bytes of result.output) room = upstream.write(bytes);
    this.#done = result.done;
    if (!room && !this.#done) client.pause();
  }

  /**
   * A client that ends within its body leaves the upstream with half a request: that is a failure, not an end. One that
   * ends after it has only said that it sends no more, and still waits for the response.
   */
  #ended(): void {
    if (this.#done) this.#relay.halfClosed();
    else this.#relay.abort('the client ended within its request');
  }
}
