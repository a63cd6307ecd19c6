import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { SecurityEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { Recognition } from '@openshell/control';
import { TenantDirectory } from '../../ingress/index.ts';
import { EgressProxy } from '../../proxy.ts';
import type { Tenant } from '../../tenant/tenant.ts';
import { loadTrust } from '../../tls/trust.ts';
import { ProxyHost, type ProxyHostOptions } from '../proxy-host.ts';
import type { SharedRecognition } from '../tenants/registrar.ts';

/** A listener that tenants share. Whose a connection is, is said by the test. */
export class Doors implements SharedRecognition, AsyncDisposable {
  readonly #directory = new TenantDirectory();
  readonly #tenants = new Map<SandboxId, Tenant>();
  readonly #server: Server;
  #next: Tenant | undefined;

  static async open(): Promise<Doors> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new Doors(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#next?.adopt(socket, { kind: 'explicit' }));
  }

  add(tenant: Tenant, recognitions: readonly Recognition[]): () => void {
    const forget = this.#directory.add(tenant, recognitions);
    this.#tenants.set(tenant.id, tenant);
    return () => {
      forget();
      this.#tenants.delete(tenant.id);
    };
  }

  /** A client's end of a connection that is this tenant's. */
  connect(tenant: SandboxId): Socket {
    this.#next = this.#tenants.get(tenant);
    const { port } = this.#server.address() as AddressInfo;
    return connect({ port, host: '127.0.0.1' });
  }

  /** All that the proxy answers to these bytes of a tenant's. */
  send(tenant: SandboxId, bytes: string): Promise<string> {
    return text(this.connect(tenant).end(bytes));
  }

  /** All that the proxy answers to a tenant that asks for a tunnel and uses it for nothing. */
  ask(tenant: SandboxId, authority: string): Promise<string> {
    return this.send(tenant, `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((done) => this.#server.close(done));
  }
}

/** No upstream is reached with TLS in these tests. */
export const trustNobody = () => loadTrust({ operatorPem: [], clientCertificates: [] });

export interface HostFixture extends AsyncDisposable {
  readonly host: ProxyHost;
  readonly doors: Doors;
  readonly events: SecurityEvent[];
}

/** A proxy that is steered, with its limits changed. */
export async function hostOf(
  options: Partial<ProxyHostOptions> = {},
  overrides: ConstructorParameters<typeof EgressProxy>[0]['overrides'] = [],
): Promise<HostFixture> {
  await using stack = new AsyncDisposableStack();
  const doors = stack.use(await Doors.open());
  const { limits } = options;
  const proxy = new EgressProxy({ overrides, ...(limits && { limits }) });
  stack.defer(() => proxy.close());
  const events: SecurityEvent[] = [];
  const host = stack.use(
    new ProxyHost({
      proxy,
      version: '1.2.3',
      generations: { environment: {}, trust: trustNobody() },
      shared: doors,
      events: (event) => void events.push(event),
      ...options,
    }),
  );
  const owned = stack.move();
  return { host, doors, events, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
