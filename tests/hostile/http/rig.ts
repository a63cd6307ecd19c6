import type { Fixture } from '../../../packages/proxy/src/test-support/fixture.ts';
import {
  HOST,
  inspecting,
  plainClient,
  ScriptedOrigin,
  secureClient,
} from '../../../packages/proxy/src/test-support/inspected.ts';
import { type Message, parseMessage, statusOf, Wire } from '../../../packages/proxy/src/test-support/wire.ts';

/** How a client comes to the proxy. */
export type WayIn = 'a tunnel' | 'intercepted TLS' | 'the forward proxy' | 'a captured connection';
export const WAYS_IN: readonly WayIn[] = [
  'a tunnel',
  'intercepted TLS',
  'the forward proxy',
  'a captured connection',
];

/** Everything below `/open` may be got and posted, and nothing else. */
export const POLICY = `protocol: rest, rules: [${['GET', 'POST']
  .flatMap((method) =>
    ['/open', '/open/**'].map((path) => `{ allow: { method: ${method}, path: "${path}" } }`),
  )
  .join(', ')}], deny_rules: [{ method: DELETE, path: "**" }]`;

/** An address that nobody needs to reach: captured connections are dialled by the name that they give. */
const CAPTURED = { address: '93.184.216.34', port: 80 };

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A proxy, and an origin that answers whole strict requests and notes whatever else it is sent. */
export class Rig implements AsyncDisposable {
  readonly fixture: Fixture;
  readonly #wayIn: WayIn;
  readonly #origin: ScriptedOrigin;
  /** Requests that the origin has understood, in order. */
  readonly seen: Message[] = [];
  /** What it has not understood. */
  readonly violations: string[] = [];
  /** Answers each request; to be replaced before a client comes. */
  answer: (request: Message) => string = () => OK;
  /** Each answer is the last on its connection. */
  ends = false;
  /** Said on each new connection before anything was asked. */
  greeting = '';

  static async start(wayIn: WayIn): Promise<Rig> {
    const fixture = await inspecting(POLICY, {
      captured: CAPTURED,
      limits: { lingerTime: 200, peekTime: 500 },
    });
    const secure = wayIn === 'intercepted TLS';
    const origin = await (secure ? ScriptedOrigin.startSecure(fixture) : ScriptedOrigin.start(fixture));
    const rig = new Rig(wayIn, fixture, origin);
    origin.onConnection = (wire) => rig.#serve(wire);
    return rig;
  }

  private constructor(wayIn: WayIn, fixture: Fixture, origin: ScriptedOrigin) {
    this.#wayIn = wayIn;
    this.fixture = fixture;
    this.#origin = origin;
  }

  /** Forgets what was seen, and closes what the proxy keeps to the origin. */
  reset(): void {
    this.seen.length = 0;
    this.violations.length = 0;
    for (const { socket } of this.#origin.wires.splice(0)) socket.destroy();
  }

  async client(): Promise<Wire> {
    switch (this.#wayIn) {
      case 'a tunnel':
        return plainClient(this.fixture);
      case 'intercepted TLS':
        return secureClient(this.fixture);
      case 'the forward proxy':
        return new Wire(await this.fixture.client());
      case 'a captured connection':
        return new Wire(await this.fixture.capturedClient());
      default:
        return this.#wayIn satisfies never;
    }
  }

  /** The bytes of a case as they are sent on this way in. */
  bytesFor(text: string): string {
    const prefix = this.#wayIn === 'the forward proxy' ? `http://${HOST}` : '';
    return text.replaceAll('%/', `${prefix}/`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fixture[Symbol.asyncDispose]();
  }

  #serve(wire: Wire): void {
    let text = '';
    if (this.greeting !== '') wire.send(this.greeting);
    wire.socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (;;) {
        const parsed = parseMessage(text, { kind: 'request' });
        if (parsed.kind === 'more') return;
        if (parsed.kind === 'violation') {
          this.violations.push(parsed.why);
          wire.socket.destroy();
          return;
        }
        text = text.slice(parsed.length);
        this.seen.push(parsed.message);
        wire.send(this.answer(parsed.message));
        if (this.ends) wire.socket.end();
      }
    });
  }
}

/** The statuses of everything that a client was sent. Throws where that is not a row of whole responses. */
export function statusesOf(text: string, ended: boolean): number[] {
  const statuses: number[] = [];
  let rest = text;
  while (rest !== '') {
    const parsed = parseMessage(rest, { kind: 'response', method: 'GET', ended });
    if (parsed.kind !== 'message') throw new Error(`not a response: ${JSON.stringify(rest.slice(0, 200))}`);
    statuses.push(statusOf(parsed.message));
    rest = rest.slice(parsed.length);
  }
  return statuses;
}

/** `GET /path`, as the cases write it. */
export const lineOf = ({ start }: Message): string => start.split(' ').slice(0, 2).join(' ');
