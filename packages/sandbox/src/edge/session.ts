import { OpenShellError, type SandboxId } from '@openshell/base';
import {
  encodeFrame,
  FrameReader,
  LINK_PING_MS,
  LINK_SILENCE_MS,
  LINK_VERSIONS,
  linkFault,
  type NodeMessage,
  type ProxyMessage,
  readProxyMessage,
  readUnsupported,
} from '@openshell/control/link';
import { type LinkConnection, type ProxyAddress, shown } from './dial.ts';
import { EDGE_LIMITS } from './limits.ts';

export interface SessionOptions {
  readonly connection: LinkConnection;
  readonly proxy: ProxyAddress;
  readonly tenant: SandboxId;
  /** Of this program. */
  readonly version: string;
  readonly onMessage: (message: Exclude<ProxyMessage, { kind: 'answer' | 'pong' }>) => void;
}

interface Question {
  readonly resolve: (known: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** The node's end of one session. */
export class LinkSession {
  readonly #options: SessionOptions;
  readonly #frames = new FrameReader();
  readonly #questions = new Map<number, Question>();
  readonly #ended = Promise.withResolvers<OpenShellError>();
  readonly #ping: NodeJS.Timeout;
  #nextId = 0;
  #heard = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { connection, tenant, version } = options;
    const { socket } = connection;
    this.#ping = setInterval(() => this.#send({ kind: 'ping' }), LINK_PING_MS).unref();
    socket.setTimeout(LINK_SILENCE_MS, () => this.#end('it does not answer any more'));
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.once('end', () => this.#end(this.#heard ? 'it ended the session' : TURNED_AWAY));
    socket.once('error', (error) => this.#end(this.#heard ? error.message : TURNED_AWAY));
    socket.once('close', () => this.#end('the connection was closed'));
    socket.write(encodeFrame({ kind: 'session', tenant, version }));
  }

  /** Resolves with why it ended; `code` is `link_unsupported` where a further attempt is of no use. */
  get ended(): Promise<OpenShellError> {
    return this.#ended.promise;
  }

  /** May programs know this canonical name? Rejects where nobody can say. */
  ask(name: string, type: string): Promise<boolean> {
    if (this.#questions.size >= EDGE_LIMITS.questions)
      return Promise.reject(new Error('too many names are asked'));
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => reject(new Error('the proxy does not answer')), EDGE_LIMITS.questionTime);
    this.#questions.set(id, { resolve, reject });
    this.#send({ kind: 'question', id, name, type });
    return promise.finally(() => {
      clearTimeout(timer);
      this.#questions.delete(id);
    });
  }

  close(): void {
    this.#end('the sandbox ended');
  }

  #read(bytes: Buffer): void {
    this.#frames.push(bytes);
    try {
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
        if (!this.#heard) this.#requireVersion(frame.value);
        this.#heard = true;
        this.#take(readProxyMessage(frame.value));
      }
    } catch (error) {
      this.#fail(error instanceof OpenShellError ? error : linkFault('a message that cannot be read'));
    }
  }

  #requireVersion(value: unknown): void {
    const unsupported = readUnsupported(value);
    if (unsupported === undefined) return;
    throw new OpenShellError(
      `the proxy at ${shown(this.#options.proxy)} speaks ${unsupported.speaks.join(', ')} and this program ${LINK_VERSIONS.join(', ')}: they have no version of the link in common`,
      {
        code: 'link_unsupported',
        remedy:
          'Use an openshell-sandbox and an openshell-proxy whose versions overlap; upgrade the older one.',
      },
    );
  }

  #take(message: ProxyMessage): void {
    switch (message.kind) {
      case 'pong':
        return;
      case 'answer':
        this.#questions.get(message.id)?.resolve(message.known);
        return;
      default:
        this.#options.onMessage(message);
    }
  }

  #send(message: NodeMessage): void {
    const { socket } = this.#options.connection;
    if (socket.writable) socket.write(encodeFrame(message));
  }

  #end(reason: string): void {
    const { proxy } = this.#options;
    const remedy = reason === TURNED_AWAY ? "The proxy's own log says why it was turned away." : undefined;
    this.#fail(
      new OpenShellError(`the session with the proxy at ${shown(proxy)} is over: ${reason}`, {
        code: 'link_lost',
        ...(remedy !== undefined && { remedy }),
      }),
    );
  }

  #fail(error: OpenShellError): void {
    clearInterval(this.#ping);
    for (const { reject } of this.#questions.values()) reject(error);
    this.#options.connection.socket.destroy();
    this.#ended.resolve(error);
  }
}

const TURNED_AWAY =
  "it turned this node away (is its certificate signed by the proxy's --link-client-ca, and valid?)";
