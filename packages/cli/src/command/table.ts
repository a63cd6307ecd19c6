import type { CommandSpec } from './command.ts';

/** Every command of `openshell`, in the order in which the help shows them. */
export const commandNames = [
  'run',
  'policy check',
  'policy explain',
  'policy suggest',
  'rego eval',
  'rego check',
  'rego test',
  'rego fmt',
  'rego data',
  'proxyctl status',
  'proxyctl apply',
  'proxyctl events',
  'proxyctl explain',
  'proxyctl tenants list',
  'proxyctl tenants add',
  'proxyctl tenants remove',
  'proxyctl ca',
  'proxyctl ca rotate',
  'proxyctl drain',
  'doctor',
  'completion',
  'version',
  'help',
] as const;

export type CommandName = (typeof commandNames)[number];

/** Words that lead to several commands, as `policy` does, with what these have in common. Some are a command as well: those are not in here. */
export const groups: Readonly<Record<string, string>> = {
  policy: 'Check policies, ask them questions, and have them proposed.',
  rego: 'Evaluate, check, test and format Rego rules.',
  proxyctl: 'Watch and control a proxy that runs by itself (openshell-proxy --control).',
  'proxyctl tenants': 'Say whom a proxy serves, and how it recognises them.',
};

/** A command's description is loaded when it is needed: each module costs about a millisecond of every start. */
const specs: { readonly [Name in CommandName]: () => Promise<CommandSpec<Name>> } = {
  run: async () => (await import('./table/run.ts')).run,
  'policy check': async () => (await import('./table/policy.ts')).policyCheck,
  'policy explain': async () => (await import('./table/policy.ts')).policyExplain,
  'policy suggest': async () => (await import('./table/policy-suggest.ts')).policySuggest,
  'rego eval': async () => (await import('./table/rego.ts')).regoEval,
  'rego check': async () => (await import('./table/rego.ts')).regoCheck,
  'rego test': async () => (await import('./table/rego.ts')).regoTest,
  'rego fmt': async () => (await import('./table/rego.ts')).regoFmt,
  'rego data': async () => (await import('./table/rego.ts')).regoData,
  'proxyctl status': async () => (await import('./table/proxyctl.ts')).proxyctlStatus,
  'proxyctl apply': async () => (await import('./table/proxyctl-apply.ts')).proxyctlApply,
  'proxyctl events': async () => (await import('./table/proxyctl-events.ts')).proxyctlEvents,
  'proxyctl explain': async () => (await import('./table/proxyctl.ts')).proxyctlExplain,
  'proxyctl tenants list': async () => (await import('./table/proxyctl-tenants.ts')).tenantsList,
  'proxyctl tenants add': async () => (await import('./table/proxyctl-tenants.ts')).tenantsAdd,
  'proxyctl tenants remove': async () => (await import('./table/proxyctl-tenants.ts')).tenantsRemove,
  'proxyctl ca': async () => (await import('./table/proxyctl-ca.ts')).proxyctlCa,
  'proxyctl ca rotate': async () => (await import('./table/proxyctl-ca.ts')).proxyctlRotate,
  'proxyctl drain': async () => (await import('./table/proxyctl.ts')).proxyctlDrain,
  doctor: async () => (await import('./table/doctor.ts')).doctor,
  completion: async () => (await import('./table/completion.ts')).completion,
  version: async () => (await import('./table/meta.ts')).version,
  help: async () => (await import('./table/meta.ts')).help,
};

/** The description of one command. */
export const commandSpec = (name: CommandName): Promise<CommandSpec> => specs[name]();

/** All of them: for the help, completion and documentation. */
export const commandSpecs = (): Promise<readonly CommandSpec[]> => Promise.all(commandNames.map(commandSpec));

export interface Found {
  readonly name: CommandName;
  /** What follows the command's name. */
  readonly rest: readonly string[];
}

/** The command whose name the words begin with; of `ca` and `ca rotate`, the longer one. */
export const findCommand = (words: readonly string[]): Found | undefined => {
  let found: Found | undefined;
  for (const name of commandNames) {
    const parts = name.split(' ');
    const rest = words.slice(parts.length);
    const fits = parts.every((part, position) => words[position] === part);
    if (fits && (found === undefined || rest.length < found.rest.length)) found = { name, rest };
  }
  return found;
};
