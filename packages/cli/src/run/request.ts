import { resolve } from 'node:path';
import type { OperatorWord, RunOptions, RuntimeKind } from '@openshell/sandbox';
import type { Arguments } from '../command/arguments.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Io } from '../io.ts';
import { parseEnvironment } from './environment.ts';
import { checkCertificates, eventsDestination, workingDirectory } from './files.ts';
import { orderResolveRules, parseResolveRule } from './resolve-rule.ts';
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
  return {
    command: [program, ...rest],
    ...(await readDecider(args)),
    workdir: workingDirectory(args.value('workdir')),
    env: parseEnvironment(args.values('env'), env),
    ...(timeout === undefined ? {} : { timeoutSeconds: parseSeconds(timeout, '--timeout') }),
    ...(events === undefined ? {} : { events: eventsDestination(events) }),
    runtime: runtimeKind(args.value('runtime'), env.OPENSHELL_RUNTIME, configuration),
    operator: operatorWord(args, configuration),
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

const operatorWord = (args: Arguments, configuration: Configuration): OperatorWord => {
  const rules = args.values('resolve').map((text) => parseResolveRule(text, '--resolve'));
  const authorities = args.values('upstream-ca');
  for (const file of authorities) checkCertificates(file, '--upstream-ca');
  return {
    resolve: orderResolveRules(rules, configuration.resolve),
    upstreamCa: [...authorities.map((file) => resolve(file)), ...configuration.upstreamCa],
  };
};
