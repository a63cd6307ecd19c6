import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { messageOf } from '@openshell/base';
import { endGently, ignoreError } from '../relay/linger.ts';
import { Holding, NO_MEMORY } from '../tenant/byte-budget.ts';
import { handlingOfBackend, ServerState } from './backend.ts';
import { type FrontendMessage, handlingOfFrontend, readFrontend } from './frontend.ts';
import { StatementJudge, type Verdict } from './judge.ts';
import { bindsToChannel, readAuthentication } from './login.ts';
import type { SqlOptions, SqlRefusalCode } from './options.ts';
import { Pipeline } from './pipeline.ts';
import { PreparedStatements } from './prepared.ts';
import { cString, type ErrorReport, errorResponse, FrameReader, message } from './wire.ts';

export interface SessionLegs {
  readonly client: Socket;
  /** What the client had sent behind its start-up packet. */
  readonly early: Buffer;
  readonly server: Socket;
  readonly serverTls: boolean;
}

/** Why the client's messages wait. */
type Stall = 'login' | 'decision' | 'server full';

const NO_PARAMETERS = Buffer.alloc(2);

/**
 * One session after its start-up packet. What the client says is understood message by message and asked about before it goes
 * on; what the server says is framed and passed on.
 *
 * The server gets something in the place of a refused message that it is sure to refuse as well, a syntax error with a token, and its
 * error is replaced by ours. So the order of answers, the state of the transaction and what is skipped until the next
 * Sync are the server's own, and a pipelining client sees nothing that could not happen with the server alone.
 */
export class SqlSession {
  readonly done: Promise<string | undefined>;
  readonly #finish: (reason: string | undefined) => void;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #serverTls: boolean;
  readonly #options: SqlOptions;
  readonly #fromClient: FrameReader;
  readonly #fromServer: FrameReader;
  /** Of messages that are not complete, or wait. */
  readonly #memory: Holding;
  readonly #state = new ServerState();
  readonly #judge: StatementJudge;
  readonly #pipeline: Pipeline;
  readonly #portals: PreparedStatements;
  readonly #stalls = new Set<Stall>();
  readonly #loginTimer: NodeJS.Timeout;
  readonly #onAbort = (): void => this.#destroy(messageOf(this.#options.signal.reason));
  #loggedIn = false;
  #authenticated = false;
  #answersExpected = 0;
  #offer: { readonly plusRemoved: boolean } | undefined;
  /** A message that came before its time. */
  #held: { readonly type: string; readonly bytes: Buffer } | undefined;
  #forgetKey: () => void = () => {};
  #reason: string | undefined;
  #ended = false;

  constructor({ client, early, server, serverTls }: SessionLegs, options: SqlOptions) {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.done = promise;
    this.#finish = resolve;
    this.#client = client;
    this.#server = server;
    this.#serverTls = serverTls;
    this.#options = options;
    const { limits, signal } = options;
    this.#memory = new Holding(options.held);
    this.#portals = new PreparedStatements(limits.sqlPrepared);
    this.#pipeline = new Pipeline(new PreparedStatements(limits.sqlPrepared));
    this.#judge = new StatementJudge(options, this.#state, this.#pipeline);
    this.#fromClient = new FrameReader(handlingOfFrontend, (type) => this.#clientBound(type));
    this.#fromServer = new FrameReader(
      (type) => handlingOfBackend(type, this.#loggedIn),
      () => limits.sqlAnswerBytes,
    );
    this.#loginTimer = setTimeout(
      () => this.#fail('sql_startup', '08P01', 'the login took too long'),
      limits.sqlLoginTime,
    );
    signal.addEventListener('abort', this.#onAbort);
    this.#stalls.add('login');
    this.#wire(early);
    if (signal.aborted) this.#onAbort();
    // Its 'close' may have come before anybody listened.
    if (client.destroyed) this.#destroy('the client has gone');
    if (server.destroyed) queueMicrotask(() => this.#serverGone());
  }

  #wire(early: Buffer): void {
    const [client, server] = [this.#client, this.#server];
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.setTimeout(this.#options.limits.idleTime, () => this.#destroy('nothing moved for too long'));
      socket.on('error', (error) => {
        this.#reason ??= error.message;
      });
    }
    client.on('data', (chunk: Buffer) => {
      this.#fromClient.push(chunk);
      this.#pump();
      this.#account();
    });
    server.on('data', (chunk: Buffer) => this.#onServerData(chunk));
    client.on('drain', () => server.resume());
    server.on('drain', () => this.#unstall('server full'));
    client.once('end', () => this.#clientGone());
    client.once('close', () => this.#clientGone());
    server.once('end', () => this.#serverGone());
    server.once('close', () => this.#serverGone());
    this.#fromClient.push(early);
    server.resume();
  }

  // The client's side.

  #stall(reason: Stall): void {
    this.#stalls.add(reason);
    this.#client.pause();
  }

  #unstall(reason: Stall): void {
    if (!this.#stalls.delete(reason) || this.#stalls.size > 0 || this.#ended) return;
    this.#pump();
    if (this.#stalls.size === 0 && !this.#ended) this.#client.resume();
  }

  /** Reads on as far as possible; what it sends goes out in one piece. */
  #pump(): void {
    this.#server.cork();
    this.#read();
    this.#server.uncork();
  }

  #read(): void {
    while (this.#stalls.size === 0 && !this.#ended) {
      const held = this.#held;
      this.#held = undefined;
      const frame = held === undefined ? this.#fromClient.next() : { kind: 'message' as const, ...held };
      switch (frame.kind) {
        case 'more':
          return;
        case 'malformed':
          this.#fail('sql_protocol', '08P01', frame.reason);
          return;
        case 'stream':
          if (!this.#loggedIn) {
            this.#fail('sql_protocol', '08P01', 'data before the login');
            return;
          }
          this.#toServer(frame.bytes);
          break;
        case 'message':
          this.#message(frame.type, frame.bytes);
          break;
        default:
          frame satisfies never;
      }
    }
  }

  #message(type: string, bytes: Buffer): void {
    if (!this.#loggedIn) {
      this.#loginMessage(type, bytes);
      return;
    }
    const read = readFrontend(type, bytes);
    const pending = this.#act(read, bytes);
    if (this.#pipeline.parts > this.#options.limits.sqlPipeline) {
      this.#fail(
        'sql_protocol',
        '54000',
        `more than ${this.#options.limits.sqlPipeline} statements wait for answers`,
      );
      return;
    }
    if (pending === undefined) return;
    this.#stall('decision');
    pending
      .catch((error: unknown) => this.#destroy(`deciding failed: ${String(error)}`))
      .finally(() => this.#unstall('decision'));
  }

  /** Before the server is ready, only answers to its authentication requests count; the rest waits until then. */
  #loginMessage(type: string, bytes: Buffer): void {
    if (type !== 'p') {
      if (type === 'X') this.#toServer(bytes);
      else if (this.#authenticated) {
        this.#held = { type, bytes };
        this.#stall('login');
      } else this.#fail('sql_protocol', '08P01', 'a message before the authentication');
      return;
    }
    if (this.#answersExpected === 0) {
      this.#fail('sql_protocol', '08P01', 'an answer that nobody asked for');
      return;
    }
    if (this.#offer !== undefined && bindsToChannel(bytes, this.#offer.plusRemoved)) {
      this.#refuseBinding();
      return;
    }
    this.#offer = undefined;
    this.#answersExpected = 0;
    this.#stall('login');
    this.#toServer(bytes);
  }

  #refuseBinding(): void {
    this.#fail(
      'sql_channel_binding',
      '28000',
      'the authentication is bound to the TLS connection (channel binding), which is inspected on the way',
      'Set channel_binding=disable (PGCHANNELBINDING=disable).',
    );
  }

  #act(read: FrontendMessage, bytes: Buffer): Promise<void> | undefined {
    const pipeline = this.#pipeline;
    switch (read.kind) {
      case 'query':
        return this.#judge.text(read.text, (verdict) => {
          if (this.#isRefused(verdict, 'query')) return;
          for (const name of verdict.prepares) pipeline.parse(name, verdict.known);
          pipeline.end(true);
          this.#toServer(bytes);
        });
      case 'parse':
        return this.#judge.text(read.text, (verdict) => {
          if (this.#isRefused(verdict, 'parse')) return;
          pipeline.parse(read.statement, verdict.known);
          this.#toServer(bytes);
        });
      case 'bind': {
        const known = pipeline.find(read.statement);
        return this.#judge.use(known, (verdict) => {
          if (this.#isRefused(verdict, 'parse')) return;
          this.#portals.replace(read.portal, known);
          this.#toServer(bytes);
        });
      }
      case 'execute':
        return this.#judge.use(this.#portals.find(read.portal), (verdict) => {
          if (!this.#isRefused(verdict, 'parse')) this.#toServer(bytes);
        });
      case 'function-call':
        return this.#judge.functionCall((verdict) => void this.#isRefused(verdict, 'query'));
      case 'malformed':
        this.#fail('sql_protocol', '08P01', read.reason);
        return undefined;
      case 'sync':
        pipeline.end(false);
        break;
      case 'copy-end':
        pipeline.copyEnded();
        break;
      case 'describe':
      case 'close':
      case 'flush':
      case 'terminate':
        break;
      default:
        read satisfies never;
    }
    this.#toServer(bytes);
    return undefined;
  }

  /** Sends the substitute of a refused message. True also when it is too late for anything. */
  #isRefused<T extends Verdict>(
    verdict: T,
    as: 'query' | 'parse',
  ): verdict is Extract<T, { kind: 'refused' }> {
    if (this.#ended) return true;
    if (verdict.kind === 'refused') this.#refuse(as, verdict.error);
    return verdict.kind === 'refused';
  }

  /** Has the server refuse in its own time, and remembers what to say instead. */
  #refuse(as: 'query' | 'parse', report: ErrorReport): void {
    const token = `openshell_refused_${randomBytes(8).toString('hex')}`;
    this.#pipeline.refuse({ token, answer: errorResponse(report) });
    if (as === 'query') {
      this.#pipeline.end(true);
      this.#toServer(message('Q', cString(token)));
    } else this.#toServer(message('P', cString(token), cString(token), NO_PARAMETERS));
  }

  #toServer(bytes: Buffer): void {
    if (!this.#server.writable) return;
    if (!this.#server.write(bytes)) this.#stall('server full');
  }

  #clientBound(type: string): number {
    const { limits } = this.#options;
    if (type === 'Q' || type === 'P') return limits.sqlTextBytes;
    return this.#loggedIn ? limits.sqlMessageBytes : limits.sqlLoginBytes;
  }

  // The server's side.

  #onServerData(chunk: Buffer): void {
    this.#fromServer.push(chunk);
    this.#client.cork();
    for (;;) {
      if (this.#ended) break;
      const frame = this.#fromServer.next();
      if (frame.kind === 'more') break;
      if (frame.kind === 'malformed') {
        this.#fail('sql_protocol', '08P01', `the server sent what is not the protocol: ${frame.reason}`);
        break;
      }
      if (frame.kind === 'stream') this.#client.write(frame.bytes);
      else this.#serverMessage(frame.type, frame.bytes);
    }
    this.#client.uncork();
    this.#account();
    if (this.#client.writableNeedDrain) this.#server.pause();
  }

  #serverMessage(type: string, bytes: Buffer): void {
    switch (type) {
      case 'R':
        this.#authentication(bytes);
        return;
      case 'S': {
        const reason = this.#state.report(bytes);
        if (reason !== undefined) {
          this.#fail('sql_protocol', '22023', reason);
          return;
        }
        break;
      }
      case 'K':
        this.#forgetKey();
        this.#forgetKey = this.#options.cancelKeys.add(serverName(this.#options), bytes.subarray(5), {
          tls: this.#serverTls,
        });
        break;
      case 'E': {
        this.#client.write(this.#pipeline.failed(bytes) ?? bytes);
        return;
      }
      case 'G':
        this.#pipeline.copyStarted();
        break;
      case 'W':
        this.#fail('sql_protocol', '0A000', 'the server has begun to replicate');
        return;
      case 'Z':
        if (!this.#ready()) return;
        break;
      default:
        break;
    }
    this.#client.write(bytes);
  }

  #authentication(bytes: Buffer): void {
    const request = this.#authenticated ? { kind: 'malformed' as const } : readAuthentication(bytes);
    switch (request.kind) {
      case 'malformed':
        this.#fail('sql_protocol', '08P01', 'the server sent a malformed authentication request');
        return;
      case 'only-plus':
        this.#refuseBinding();
        return;
      case 'done':
        this.#authenticated = true;
        this.#client.write(bytes);
        break;
      case 'request':
        this.#client.write(request.bytes);
        this.#offer = request.offer ? { plusRemoved: request.plusRemoved === true } : undefined;
        if (!request.answered) return;
        this.#answersExpected = 1;
        break;
      default:
        request satisfies never;
    }
    this.#unstall('login');
  }

  /** Ready for the first or the next batch. False: the connection has ended over it. */
  #ready(): boolean {
    if (this.#loggedIn) {
      if (this.#pipeline.ready()) return true;
      this.#fail('sql_protocol', '08P01', 'the server answered what nobody asked');
      return false;
    }
    if (!this.#authenticated) {
      this.#fail('sql_protocol', '08P01', 'the server is ready without an authentication');
      return false;
    }
    clearTimeout(this.#loginTimer);
    this.#loggedIn = true;
    // The client shall see that the server is ready before the answer to anything that it has sent already.
    setImmediate(() => this.#unstall('login'));
    return true;
  }

  #account(): void {
    if (this.#ended || this.#memory.holds(this.#fromClient.size + this.#fromServer.size)) return;
    this.#fail('sql_protocol', '53200', NO_MEMORY.detail, NO_MEMORY.remedy);
  }

  // The end.

  /** Tells the client why, where it can still understand it, and ends both sides. */
  #fail(code: SqlRefusalCode, sqlState: string, reason: string, hint?: string): void {
    if (this.#ended) return;
    this.#options.report({ kind: 'refused', code, reason });
    this.#reason ??= reason;
    const midMessage = this.#fromServer.midMessage;
    this.#release();
    this.#server.destroy();
    if (midMessage) this.#client.destroy();
    else {
      const words = errorResponse({ severity: 'FATAL', sqlState, message: `OpenShell: ${reason}`, hint });
      this.#client.uncork();
      this.#client.removeAllListeners('data');
      void endGently(this.#client, words, this.#options.limits);
    }
    this.#finish(this.#reason);
  }

  #clientGone(): void {
    if (this.#ended) return;
    if (this.#server.writable && this.#client.errored === null) this.#server.end();
    else this.#server.destroy();
    if (!this.#client.destroyed) {
      // The server may still have an answer for a client that has only stopped to speak.
      this.#client.setTimeout(this.#options.limits.halfClosedIdleTime);
      return;
    }
    this.#release();
    this.#server.setTimeout(this.#options.limits.lingerTime, () => this.#server.destroy());
    this.#server.resume();
    this.#finish(this.#reason);
  }

  #serverGone(): void {
    if (this.#ended) return;
    this.#release();
    const clean = this.#server.readableEnded;
    if (clean && !this.#client.destroyed) void endGently(this.#client, NOTHING, this.#options.limits);
    else this.#client.destroy();
    this.#server.destroy();
    this.#finish(this.#reason);
  }

  #destroy(reason: string): void {
    if (this.#ended) return;
    this.#reason ??= reason;
    this.#release();
    this.#client.destroy();
    this.#server.destroy();
    this.#finish(this.#reason);
  }

  #release(): void {
    this.#ended = true;
    this.#memory.release();
    clearTimeout(this.#loginTimer);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#forgetKey();
    for (const socket of [this.#client, this.#server]) {
      socket.removeAllListeners('data');
      socket.on('error', ignoreError);
      socket.resume();
    }
  }
}

const NOTHING = Buffer.alloc(0);

/** What cancellations are kept apart by. */
export const serverName = ({ host, port }: Pick<SqlOptions, 'host' | 'port'>): string => `${host}:${port}`;
