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
  'doctor',
  'completion',
  'version',
  'help',
] as const;

export type CommandName = (typeof commandNames)[number];

/** Words that lead to several commands, as `policy` does, with what these have in common. */
export const groups: Readonly<Record<string, string>> = {
  policy: 'Check policies, ask them questions, and have them proposed.',
  rego: 'Evaluate, check, test and format Rego rules.',
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

/** The command whose name the words begin with. */
export const findCommand = (words: readonly string[]): Found | undefined => {
  for (const name of commandNames) {
    const parts = name.split(' ');
    if (parts.every((part, position) => words[position] === part))
      return { name, rest: words.slice(parts.length) };
  }
  return undefined;
};
