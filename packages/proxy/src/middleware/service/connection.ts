import { connect as connectSocket } from 'node:net';
import type { Client } from '@connectrpc/connect';
import { OpenShellError } from '@openshell/base';
import type { Limits } from '../../limits.ts';
import type { SupervisorMiddleware } from './generated/openshell/middleware/v1/middleware_pb.ts';
import { ServiceSession, type SessionOptions } from './session.ts';

/** A middleware that an operator runs. The operator's word: any address will do. */
export interface MiddlewareService {
  /** By which policies refer to it. */
  readonly name: string;
  /** `http://HOST:PORT`, `https://HOST:PORT` or `unix:/PATH`. */
  readonly url: string;
  /** Certificates, in PEM, that its own is verified against in place of the system's. */
  readonly ca?: string;
  /** How long one answer may take; between 10 ms and the limit `middlewareTimeMost`. */
  readonly timeoutMs?: number;
}

export type MiddlewareClient = Client<typeof SupervisorMiddleware>;

/** The smallest time that an answer can be given, in ms. */
const LEAST_TIME = 10;
/** Room for a message's other fields beside the body. */
const MESSAGE_ROOM = 262_144;

/** One service, and how it is asked. */
export class ServiceConnection implements Disposable {
  readonly name: string;
  readonly timeoutMs: number;
  readonly #session: ServiceSession;
  readonly #limits: Limits;
  #client: Promise<MiddlewareClient> | undefined;

  /** @throws OpenShellError `bad_middleware_service` */
  constructor(service: MiddlewareService, limits: Limits) {
    const { name, timeoutMs = limits.middlewareTime } = service;
    if (!(timeoutMs >= LEAST_TIME && timeoutMs <= limits.middlewareTimeMost))
      throw badService(
        name,
        `the time of ${timeoutMs} ms is not between ${LEAST_TIME} and ${limits.middlewareTimeMost}`,
      );
    this.name = name;
    this.timeoutMs = timeoutMs;
    this.#session = sessionOf(service);
    this.#limits = limits;
  }

  /** The libraries are loaded with the first use: who has no service does not wait for them at start-up. */
  client(): Promise<MiddlewareClient> {
    this.#client ??= this.#open();
    return this.#client;
  }

  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
  }

  async #open(): Promise<MiddlewareClient> {
    const [{ createClient }, node, { SupervisorMiddleware }] = await Promise.all([
      import('@connectrpc/connect'),
      import('@connectrpc/connect-node'),
      import('./generated/openshell/middleware/v1/middleware_pb.ts'),
    ]);
    const most = this.#limits.middlewareBodyBytes + MESSAGE_ROOM;
    const transport = node.createGrpcTransport({
      baseUrl: this.#session.authority,
      sessionManager: this.#session,
      readMaxBytes: most,
      writeMaxBytes: most,
      // A small answer must not become a large one.
      acceptCompression: [],
    });
    return createClient(SupervisorMiddleware, transport);
  }
}

function sessionOf({ name, url, ca }: MiddlewareService): ServiceSession {
  const socket = /^unix:(\/.+)$/.exec(url)?.[1];
  if (socket !== undefined)
    return new ServiceSession('http://localhost', { createConnection: () => connectSocket(socket) });
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isPlain =
    parsed !== undefined &&
    parsed.pathname === '/' &&
    `${parsed.search}${parsed.hash}${parsed.username}${parsed.password}` === '';
  if (!isPlain || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:'))
    throw badService(name, 'its address is not http://HOST:PORT, https://HOST:PORT or unix:/PATH');
  const options: SessionOptions = ca === undefined ? {} : { ca };
  return new ServiceSession(parsed.origin, options);
}

const badService = (name: string, why: string): OpenShellError =>
  new OpenShellError(`middleware service "${name}": ${why}`, {
    code: 'bad_middleware_service',
    remedy: 'Correct its registration.',
  });
