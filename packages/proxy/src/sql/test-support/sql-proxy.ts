import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { TLSSocket, connect as tlsConnect } from 'node:tls';
import { generation } from '@openshell/base';
import type { RequestDecision, SqlEffect, SqlStatement } from '@openshell/policy';
import { type Limits, limitsWith } from '../../limits.ts';
import { ByteBudget } from '../../tenant/byte-budget.ts';
import { CancelKeys } from '../cancel-keys.ts';
import type { SqlContent, SqlLeg, SqlRecord, SqlResult } from '../options.ts';
import { serveSql } from '../serve.ts';
import type { TestCertificates } from './certificates.ts';

export interface SqlProxyOptions {
  readonly serverPort: number;
  readonly effects?: readonly SqlEffect[];
  readonly deny?: (statement: SqlStatement) => boolean;
  readonly readOnly?: boolean;
  readonly tableRules?: boolean;
  /** What clients see. */
  readonly leaf?: TestCertificates;
  /** Whom the server's certificate is checked against. */
  readonly trust?: string;
  readonly limits?: Partial<Limits>;
  /** Answer later rather than at once. */
  readonly slowly?: boolean;
}

/** A proxy in front of one server, with a policy of effects. */
export class SqlProxy implements AsyncDisposable {
  readonly port: number;
  readonly records: SqlRecord[] = [];
  readonly results: SqlResult[] = [];
  readonly cancelKeys = new CancelKeys();
  readonly held: ByteBudget;
  generation = 1;
  effects: readonly SqlEffect[];
  readonly #listeners: ((record: SqlRecord) => void)[] = [];
  readonly #server: Server;
  readonly #options: SqlProxyOptions;
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  static async start(options: SqlProxyOptions): Promise<SqlProxy> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new SqlProxy(server, options);
  }

  private constructor(server: Server, options: SqlProxyOptions) {
    this.#server = server;
    this.held = new ByteBudget(limitsWith(options.limits).heldBytes);
    this.#options = options;
    this.port = (server.address() as AddressInfo).port;
    this.effects = options.effects ?? ['read', 'write', 'other'];
    server.on('connection', (socket) => this.#serve(socket));
  }

  /** Statements that were refused, by command. */
  get refused(): string[] {
    return this.records.flatMap((record) =>
      record.kind !== 'statements' || record.forwarded
        ? []
        : record.content.kind === 'sql'
          ? [record.content.statements.map(({ command }) => command).join('; ')]
          : ['malformed'],
    );
  }

  #serve(client: Socket): void {
    const { serverPort, leaf, trust, readOnly = false, tableRules = false, limits, slowly } = this.#options;
    const running = serveSql({
      client,
      initial: Buffer.alloc(0),
      host: 'localhost',
      port: serverPort,
      readOnly,
      tableRules,
      openUpstream: () => open(serverPort),
      intercept: (socket, initial, alpn) => intercept(socket, initial, alpn, leaf),
      secureUpstream: (socket, alpn) => secure(socket, alpn, trust),
      authorize: (content) => {
        const decision = this.#decide(content);
        return slowly ? Promise.resolve(decision) : decision;
      },
      generation: () => generation(this.generation),
      report: (record) => {
        this.records.push(record);
        for (const listener of this.#listeners.splice(0)) listener(record);
      },
      cancelKeys: this.cancelKeys,
      held: this.held,
      limits: limitsWith(limits),
      signal: this.#abort.signal,
    }).then((result) => this.results.push(result));
    this.#running.add(running);
    running.finally(() => this.#running.delete(running));
  }

  #decide(content: SqlContent): RequestDecision {
    const number = generation(this.generation);
    const place = { policy: 'db', index: 0, host: 'localhost' };
    if (content.kind === 'malformed') {
      const remedy = 'Write it otherwise.';
      return {
        action: 'deny',
        generation: number,
        code: 'request_malformed',
        reason: content.reason,
        remedy,
      };
    }
    const bad = content.statements.find(
      (statement) => !this.effects.includes(statement.effect) || this.#options.deny?.(statement) === true,
    );
    if (bad === undefined) {
      return {
        action: 'allow',
        generation: number,
        reason: '',
        policy: 'db',
        endpoint: place,
        rule: 'access',
      };
    }
    const reason = `${bad.command} is not allowed`;
    return {
      action: 'deny',
      generation: number,
      code: 'request_not_allowed',
      reason,
      remedy: 'Ask.',
      rule: 'access',
    };
  }

  /** Resolves with the next record. */
  recorded(): Promise<SqlRecord> {
    return new Promise((resolve) => this.#listeners.push(resolve));
  }

  /** Resolves when every connection so far has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new Error('the test has ended'));
    this.#server.close();
    await this.idle();
  }
}

async function open(port: number): Promise<SqlLeg> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  try {
    await once(socket, 'connect');
    return { kind: 'open', socket };
  } catch (error) {
    return { kind: 'failed', code: 'upstream_unreachable', detail: String(error) };
  }
}

async function intercept(
  socket: Socket,
  initial: Buffer,
  alpn: readonly string[],
  leaf: TestCertificates | undefined,
): Promise<SqlLeg> {
  if (leaf === undefined) return { kind: 'failed', code: 'client_tls', detail: 'no certificate' };
  if (initial.length > 0) socket.unshift(initial);
  const tls = new TLSSocket(socket, {
    isServer: true,
    cert: leaf.certificate,
    key: leaf.key,
    ALPNProtocols: [...alpn],
  });
  return settled(tls, 'secure');
}

function secure(socket: Socket, alpn: readonly string[], trust: string | undefined): Promise<SqlLeg> {
  const tls = tlsConnect({
    socket,
    servername: 'localhost',
    ALPNProtocols: [...alpn],
    ...(trust && { ca: trust }),
  });
  return settled(tls, 'secureConnect');
}

function settled(tls: TLSSocket, event: string): Promise<SqlLeg> {
  const { promise, resolve } = Promise.withResolvers<SqlLeg>();
  const fail = (error?: Error): void =>
    resolve({ kind: 'failed', code: 'tls', detail: error?.message ?? 'the handshake ended' });
  tls.once(event, () => resolve({ kind: 'open', socket: tls }));
  tls
    .on('_tlsError', fail)
    .on('error', fail)
    .once('close', () => fail());
  return promise;
}
