import type { Refusal } from '@openshell/audit';
import type { OpenShellError, SandboxId } from '@openshell/base';
import { encodeFrame, type LinkGeneration, type StreamOpening } from '@openshell/control/link';
import type { Dialer, LinkConnection } from './dial.ts';
import { EDGE_LIMITS } from './limits.ts';
import { LinkSession } from './session.ts';
import { SpareConnections } from './spare-connections.ts';

/** Whether the sandbox's connections can go out at this moment. */
export type LinkState =
  /** There is no session; `error` says why, once that is known. */
  | { readonly kind: 'lost'; readonly error?: OpenShellError | undefined }
  /** The proxy is there and does not serve this sandbox yet. */
  | { readonly kind: 'waiting'; readonly why: string }
  | ({ readonly kind: 'ready' } & LinkGeneration);

export interface ProxyLinkOptions {
  readonly dialer: Dialer;
  readonly tenant: SandboxId;
  /** Of this program. */
  readonly version: string;
  readonly onState: (state: LinkState) => void;
  readonly onRefusal: (refusal: Refusal) => void;
}

/** What is of no use to be tried again. */
const FINAL = new Set(['link_unsupported', 'link_untrusted', 'link_certificate']);

/**
 * One sandbox's way to its proxy: a session that is begun again whenever it is lost, and a stream for each connection. Without a session that
 * is ready there are no streams: no proxy means no network.
 */
export class ProxyLink implements Disposable {
  readonly #options: ProxyLinkOptions;
  readonly #spare: SpareConnections;
  readonly #asked = new Map<string, Promise<boolean>>();
  #state: LinkState = { kind: 'lost' };
  #session: LinkSession | undefined;
  #retry: NodeJS.Timeout | undefined;
  #delay: number = EDGE_LIMITS.retryFirst;
  /** The proxy served us once: what it says now may be of another that is being set up. */
  #everReady = false;
  #closed = false;

  /** Begins to connect. */
  constructor(options: ProxyLinkOptions) {
    this.#options = options;
    this.#spare = new SpareConnections(options.dialer);
    void this.#connect();
  }

  /** Rejects where nobody can say. */
  mayKnow(name: string, type: string): Promise<boolean> {
    const key = `${name} ${type}`;
    const pending = this.#asked.get(key);
    if (pending !== undefined) return pending;
    if (this.#session === undefined || this.#state.kind !== 'ready')
      return Promise.reject(new Error('no session'));
    // Programs ask the same name for both families at once, and again while they wait.
    const answer = this.#session.ask(name, type).finally(() => this.#asked.delete(key));
    this.#asked.set(key, answer);
    return answer;
  }

  /** A stream that carries a connection's bytes from now on; undefined where there is no way now. */
  async open(opening: Omit<StreamOpening, 'kind' | 'tenant'>): Promise<LinkConnection | undefined> {
    if (this.#state.kind !== 'ready') return undefined;
    const connection = await this.#spare.take().catch(() => undefined);
    const { tenant } = this.#options;
    connection?.socket.write(encodeFrame({ kind: 'stream', tenant, ...opening }));
    return connection;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#session?.close();
    this.#spare.close();
  }

  async #connect(): Promise<void> {
    const { dialer, tenant, version, onRefusal } = this.#options;
    let error: OpenShellError;
    try {
      const connection = await dialer.dial();
      if (this.#closed) {
        connection.socket.destroy();
        return;
      }
      const session = new LinkSession({
        ...{ connection, proxy: dialer.address, tenant, version },
        onMessage: (message) => {
          if (message.kind === 'refusal') onRefusal(message.refusal);
          else this.#enter(message);
        },
      });
      this.#session = session;
      error = await session.ended;
    } catch (thrown) {
      error = thrown as OpenShellError;
    }
    this.#session = undefined;
    if (this.#closed) return;
    this.#spare.drop();
    this.#enter({ kind: 'lost', error });
    if (isFinal(error) && !this.#everReady) return;
    // Nodes that have lost the same proxy do not all come back at the same moment.
    this.#retry = setTimeout(() => void this.#connect(), this.#delay * (0.5 + Math.random() / 2));
    this.#delay = Math.min(this.#delay * 2, EDGE_LIMITS.retryMost);
  }

  #enter(state: LinkState): void {
    this.#state = state;
    if (state.kind === 'ready') this.#everReady = true;
    if (state.kind !== 'lost') this.#delay = EDGE_LIMITS.retryFirst;
    this.#options.onState(state);
  }
}

/** Whether it is of no use to wait after this. */
export const isFinal = ({ code }: OpenShellError): boolean => FINAL.has(code);
