import type { Arguments } from './command/arguments.ts';
import type { CommandName } from './command/table.ts';
import type { Io } from './io.ts';

/** Does a command's work. Returns the exit code; throws OpenShellError for what the command's `failure` code stands for. */
export type Handler = (args: Arguments, io: Io) => number | Promise<number>;

/** Each command's code is loaded when the command is asked for: `openshell --version` must not pay for the policy engine. */
export const handlers: Readonly<Record<CommandName, () => Promise<Handler>>> = {
  run: async () => (await import('./run/run.ts')).run,
  'policy check': async () => (await import('./policy/check.ts')).checkPolicies,
  'policy explain': async () => (await import('./policy/explain.ts')).explainConnection,
  'policy suggest': async () => (await import('./policy/suggest.ts')).suggestFromEvents,
  'rego eval': async () => (await import('./rego/eval.ts')).evaluateRego,
  'rego check': async () => (await import('./rego/check.ts')).checkRego,
  'rego test': async () => (await import('./rego/test.ts')).testRego,
  'rego fmt': async () => (await import('./rego/fmt.ts')).formatRego,
  'rego data': async () => (await import('./rego/data.ts')).printPolicyData,
  'proxyctl status': async () => (await import('./proxyctl/status.ts')).showStatus,
  'proxyctl apply': async () => (await import('./proxyctl/apply.ts')).applyGeneration,
  'proxyctl events': async () => (await import('./proxyctl/events.ts')).showEvents,
  'proxyctl explain': async () => (await import('./proxyctl/explain.ts')).explainByProxy,
  'proxyctl tenants list': async () => (await import('./proxyctl/tenants.ts')).listTenants,
  'proxyctl tenants add': async () => (await import('./proxyctl/tenants.ts')).addTenant,
  'proxyctl tenants remove': async () => (await import('./proxyctl/tenants.ts')).removeTenant,
  'proxyctl ca': async () => (await import('./proxyctl/ca.ts')).printAuthority,
  'proxyctl ca rotate': async () => (await import('./proxyctl/rotate.ts')).rotateAuthority,
  'proxyctl drain': async () => (await import('./proxyctl/drain.ts')).drainProxy,
  doctor: async () => (await import('./doctor/doctor.ts')).doctor,
  completion: async () => (await import('./completion/completion.ts')).printCompletion,
  version: async () => (await import('./version.ts')).printVersion,
  help: async () => (await import('./help.ts')).printHelp,
};
