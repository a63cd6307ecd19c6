import { hash, randomBytes } from 'node:crypto';
import { sandboxId } from '@openshell/base';
import type { Recognition, TenantLimits, TenantReport } from '@openshell/control';
import type { ControlledProxy } from '../proxy/controlled-proxy.ts';
import { ask, basic, type Way } from '../proxy/wire.ts';

export const ORIGIN = 'origin.test';
/** Raw connections, which hold on. */
export const TUNNEL = 'tunnel.test';
/** Where bodies are read as a whole before they are passed on. */
export const BODIES = 'bodies.test';
export const MAX_BODY = 1024 * 1024;
export const PORT = 80;

/** Further endpoints, so that a policy has the size of a usual one. */
const FURTHER_HOSTS = 7;
/** Control calls at one time, as a controller with many tenants would have them. */
const AT_ONCE = 16;

/** Somebody who uses the proxy, recognised in one of three ways. */
export interface Client {
  readonly id: string;
  readonly recognition: Recognition;
  /** Says who it is, or where it is from; of its own listener the proxy gives the port. */
  readonly way: Partial<Way>;
  readonly limits?: TenantLimits;
}

/** A tenant that is recognised by what it says. */
export function clientWithCredentials(id: string, limits?: TenantLimits): Client {
  const password = randomBytes(16).toString('hex');
  const recognition = {
    kind: 'credentials',
    username: id,
    passwordSha256: hash('sha256', password, 'hex'),
  } as const;
  return { id, recognition, way: { credentials: basic(id, password) }, ...(limits && { limits }) };
}

const KINDS: readonly ((index: number) => Client)[] = [
  (index) => clientWithCredentials(`credentials-${index}`),
  (index) => {
    const from = `127.16.${index >> 8}.${index & 255}`;
    return { id: `source-${index}`, recognition: { kind: 'source', network: `${from}/32` }, way: { from } };
  },
  (index) => ({
    id: `listener-${index}`,
    recognition: { kind: 'listener', host: '127.0.0.1', port: 0 },
    way: {},
  }),
];

/** So many, of the three kinds in turn. */
export const manyClients = (count: number): readonly Client[] =>
  Array.from({ length: count }, (_, index) => KINDS[index % KINDS.length]!(index));

/** Each its own: what one may ask for, no other may. */
export function policyOf(client: Client, edition = 1): string {
  const rest = (host: string, path: string): string =>
    `      - { host: ${host}, port: ${PORT}, protocol: rest, enforcement: enforce, rules: [{ allow: { method: GET, path: "${path}" } }] }\n`;
  const further = Array.from({ length: FURTHER_HOSTS }, (_, index) =>
    rest(`host${index}.example.com`, `/edition-${edition}/**`),
  );
  return `version: 1
network_policies:
  own:
    binaries: [{ path: "/**" }]
    endpoints:
${rest(ORIGIN, `/${client.id}`)}      - { host: ${TUNNEL}, port: ${PORT} }
      - { host: ${BODIES}, port: ${PORT}, protocol: graphql, path: /graphql, graphql_max_body_bytes: ${MAX_BODY}, rules: [{ allow: { operation_type: query } }] }
${further.join('')}`;
}

/** Registers them; the ports of those that have their own listeners, by id. */
export async function register(
  proxy: ControlledProxy,
  clients: readonly Client[],
): Promise<ReadonlyMap<string, number>> {
  const ports = new Map<string, number>();
  await eachOf(clients, async ({ id, recognition, limits }) => {
    const spec = { id: sandboxId(id), recognitions: [recognition], identity: 'not-required' as const };
    const report: TenantReport = await proxy.session.registerTenant({ ...spec, limits });
    const [own] = report.listening;
    if (own !== undefined) ports.set(id, own.port);
  });
  return ports;
}

export const applyAll = (
  proxy: ControlledProxy,
  clients: readonly Client[],
  edition: number,
): Promise<void> => eachOf(clients, (client) => proxy.apply(client.id, policyOf(client, edition)));

/** How a client gets to the proxy. */
export const wayOf = (client: Client, proxy: ControlledProxy, ports: ReadonlyMap<string, number>): Way => ({
  port: ports.get(client.id) ?? proxy.port,
  ...client.way,
});

/** What a client may ask for by its own policy, and by no other. */
export const ownUrl = ({ id }: Client): string => `http://${ORIGIN}:${PORT}/${id}`;

/** Throws where somebody does not get what its policy allows, or gets what another's does. */
export async function checkSeparation(
  proxy: ControlledProxy,
  clients: readonly Client[],
  ports: ReadonlyMap<string, number>,
): Promise<void> {
  const neighbours = clients.map((client, index) => ({
    client,
    neighbour: clients[(index + 1) % clients.length]!,
  }));
  await eachOf(neighbours, async ({ client, neighbour }) => {
    const way = wayOf(client, proxy, ports);
    const statuses = [
      await ask(way, 'GET', ownUrl(client)),
      ...(neighbour === client ? [] : [await ask(way, 'GET', ownUrl(neighbour))]),
    ].join(' ');
    if (!'200 403'.startsWith(statuses)) throw new Error(`tenant ${client.id} was answered ${statuses}`);
  });
}

async function eachOf<Of>(all: readonly Of[], run: (one: Of) => Promise<void>): Promise<void> {
  const rest = all.values();
  const worker = async (): Promise<void> => {
    for (const one of rest) await run(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
