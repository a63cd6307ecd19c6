import assert from 'node:assert/strict';
import { type SandboxId, sandboxId } from '@openshell/base';
import type { ControlEvent, EventQuery } from '../contract/events.ts';
import type { ApplyOrder, GenerationParts, TextPart } from '../contract/generation.ts';
import { PROTOCOL } from '../contract/protocol.ts';
import type { ControllerHello, ControlSession, ProxyControl } from '../contract/proxy-control.ts';
import { type ControlCode, ControlRefusal } from '../contract/refusal.ts';
import type { TenantSpec } from '../contract/tenant.ts';

/** One proxy with one form of the contract in front of it, made for one test. */
export interface ContractSubject extends AsyncDisposable {
  readonly control: ProxyControl;
  /** Makes the proxy deny something to the tenant, as one event of its own. */
  provoke(tenant: SandboxId): Promise<void>;
  /** The proxy ends in good order: its sessions are told. */
  stop(): Promise<void>;
  /** How many events it keeps; below 100, so that the suite can go beyond it. */
  readonly eventsKept: number;
  /** How many tenants it takes; below 100. */
  readonly tenantsMost: number;
}

export type MakeSubject = () => Promise<ContractSubject>;

export const A = sandboxId('tenant-a');
export const B = sandboxId('tenant-b');

/** Nobody needs the password. */
export const spec = (id: SandboxId, username: string = id): TenantSpec => ({
  id,
  recognitions: [{ kind: 'credentials', username, passwordSha256: 'ab'.repeat(32) }],
  identity: 'not-required',
});

export const policyFor = (host: string, name = 'policy.yaml'): TextPart => ({
  kind: 'text',
  name,
  text: `version: 1
network_policies:
  docs:
    endpoints:
      - { host: ${host}, port: 443, protocol: rest, access: full }
`,
});

export const CREDENTIALS: TextPart = {
  kind: 'text',
  name: 'credentials.yaml',
  text: `credentials:
  - name: API_TOKEN
    env: API_TOKEN
    bindings: [{ host: docs.example }]
`,
};

export const SECRET = 'a-value-that-nobody-may-see';

/** A generation with a secret. */
export const FULL: GenerationParts = {
  policy: policyFor('docs.example'),
  credentials: CREDENTIALS,
  secrets: { kind: 'values', revision: 'r1', values: new Map([['API_TOKEN', SECRET]]) },
};

export const install = (tenant: SandboxId, host = 'docs.example'): ApplyOrder => ({
  tenant,
  parts: { policy: policyFor(host) },
  mode: 'install',
});

/** Connects; as the controller unless it says otherwise. */
export const connect = (
  { control }: Pick<ContractSubject, 'control'>,
  hello: Partial<ControllerHello> = {},
): Promise<ControlSession> =>
  control.connect({ name: 'test', protocol: PROTOCOL, role: 'controller', ...hello });

export async function refused(call: Promise<unknown>, code: ControlCode): Promise<ControlRefusal> {
  const error = await call.then(
    () => assert.fail(`was not refused with ${code}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ControlRefusal, `${error}`);
  assert.equal(error.code, code, error.message);
  return error;
}

/** All that is there. */
export async function eventsNow(
  session: ControlSession,
  query: Partial<EventQuery> = {},
): Promise<ControlEvent[]> {
  return Array.fromAsync(session.events({ follow: false, ...query }));
}

/** The first event of all, whoever caused it. */
export const beginning = ({ hello }: ControlSession) => ({ instance: hello.instance, sequence: 0 });

export const isDenial = (event: ControlEvent): boolean =>
  event.kind === 'event' && 'action_id' in event.event && event.event.action_id === 2;
