import { configEvent, lifecycleEvent, type SecurityEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type {
  Applied,
  ControllerHello,
  ControlRefusal,
  ControlSession,
  InstalledGeneration,
  SessionEnd,
  TenantSpec,
} from '@openshell/control';
import type { AuthorityNotice } from '../tls/authority-notice.ts';

const APP = 'openshell-proxy tenant';

/** A controller, and the way it came. */
export interface Controller {
  readonly hello: ControllerHello;
  /** `files`, `unix:/run/openshell/proxy.sock`. */
  readonly via: string;
}

export const tenantStarted = ({ id }: TenantSpec): SecurityEvent =>
  lifecycleEvent({ sandbox: id, activity: 'start', app: APP });

export const tenantStopped = (id: SandboxId): SecurityEvent =>
  lifecycleEvent({ sandbox: id, activity: 'stop', app: APP });

export const generationLoaded = (
  policyName: string,
  { installed: { tenant, generation, hash, policyHash } }: Applied,
  { hello, via }: Controller,
): SecurityEvent =>
  configEvent({
    sandbox: tenant,
    state: 'loaded',
    message: `policy ${policyName} is in force`,
    unmapped: { generation, hash, policy_hash: policyHash, controller: hello.name, via },
  });

/** The mistakes themselves are the controller's to show: a record that many read must not repeat what was pushed. */
export const generationKept = (
  tenant: SandboxId,
  { code, problems }: ControlRefusal,
  installed: InstalledGeneration | undefined,
  { hello, via }: Controller,
): SecurityEvent => {
  const generation = installed?.generation ?? 0;
  const kept = generation === 0 ? 'everything is denied' : `generation ${generation} stays in force`;
  return configEvent({
    sandbox: tenant,
    severity: 'medium',
    state: 'retained_last_valid',
    message: `a new generation is refused; ${kept}`,
    unmapped: { generation, code, problems: problems.length, controller: hello.name, via },
  });
};

const controlBegan = (proxy: SandboxId, { hello, via }: Controller): SecurityEvent =>
  configEvent({
    sandbox: proxy,
    state: 'controlled',
    message: `${hello.name} controls the proxy`,
    unmapped: { controller: hello.name, via, took_over: hello.takeOver === true },
  });

/** Undefined: the proxy itself ends, and says so in another way. */
function controlEnded(
  proxy: SandboxId,
  { hello: { name }, via }: Controller,
  end: SessionEnd,
): SecurityEvent | undefined {
  const unmapped = { controller: name, via };
  const stays = 'the last generation of each tenant stays in force';
  switch (end.kind) {
    case 'closed':
      return configEvent({
        sandbox: proxy,
        state: 'controller_left',
        message: `${name} has ended its control of the proxy; ${stays}`,
        unmapped,
      });
    case 'taken_over':
      return configEvent({
        sandbox: proxy,
        severity: 'low',
        state: 'controller_taken_over',
        message: `${end.by} has taken the control of the proxy over from ${name}`,
        unmapped: { ...unmapped, by: end.by },
      });
    case 'lost':
      return configEvent({
        sandbox: proxy,
        severity: 'medium',
        state: 'controller_lost',
        message: `the controller ${name} was lost (${end.reason}); ${stays}`,
        unmapped,
      });
    case 'proxy_stopping':
      return undefined;
    default:
      return end satisfies never;
  }
}

/** Records when a controller's session begins and ends. Observers change nothing that a record would be for. */
export function recordControl(
  proxy: SandboxId,
  session: ControlSession,
  controller: Controller,
  record: (event: SecurityEvent) => void,
): void {
  if (controller.hello.role !== 'controller') return;
  record(controlBegan(proxy, controller));
  void session.ended.then((end) => {
    const event = controlEnded(proxy, controller, end);
    if (event !== undefined) record(event);
  });
}

export const authorityChanged = (
  proxy: SandboxId,
  { kind, severity, message }: AuthorityNotice,
): SecurityEvent =>
  configEvent({ sandbox: proxy, severity, state: `authority_${kind}`, message, unmapped: {} });
