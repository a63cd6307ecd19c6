import type { RunOptions, RuntimeKind } from '@openshell/sandbox';
import type { Arguments } from '../command/arguments.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Io } from '../io.ts';
import { parseEnvironment } from './environment.ts';
import { eventsDestination, workingDirectory } from './files.ts';
import { readGrants } from './grants.ts';
import { readLearn } from './learn.ts';
import { operatorWord } from './operator.ts';
import { readDecider } from './rules.ts';
import { parseRuntimeKind } from './runtime-kind.ts';
import { parseSeconds } from './seconds.ts';

/**
 * What the command line, the environment and the configuration file ask for together, all of it checked, so that
 * nothing is started that cannot be what the person meant.
 *
 * @throws OpenShellError naming the option, variable or line that is wrong.
 */
export const runRequest = async (
  args: Arguments,
  configuration: Configuration,
  env: Io['env'],
): Promise<RunOptions> => {
  const [program = '', ...rest] = args.operands;
  const timeout = args.value('timeout');
  const events = args.value('events');
  const decider = await readDecider(args);
  return {
    command: [program, ...rest],
    ...decider,
    ...readLearn(args, decider),
    workdir: workingDirectory(args.value('workdir')),
    env: parseEnvironment(args.values('env'), env),
    ...(timeout === undefined ? {} : { timeoutSeconds: parseSeconds(timeout, '--timeout') }),
    ...(events === undefined ? {} : { events: eventsDestination(events) }),
    runtime: runtimeKind(args.value('runtime'), env.OPENSHELL_RUNTIME, configuration),
    operator: await operatorWord(args, configuration),
    grants: await readGrants(args, configuration),
    quiet: args.has('quiet'),
  };
};

const runtimeKind = (
  option: string | undefined,
  variable: string | undefined,
  configuration: Configuration,
): RuntimeKind => {
  if (option !== undefined) return parseRuntimeKind(option, '--runtime');
  if (variable) return parseRuntimeKind(variable, 'OPENSHELL_RUNTIME');
  return configuration.runtime ?? 'process';
};
