import { OpenShellError } from '@openshell/base';
import { Arguments } from './command/arguments.ts';
import { parseArguments } from './command/parse.ts';
import { type CommandName, commandSpec, findCommand, groups } from './command/table.ts';
import { handlers } from './handlers.ts';
import type { Io } from './io.ts';
import { renderError } from './output/error.ts';
import { BrokenPipe, brokenPipeExit } from './output/write.ts';

/** The exit code of a line that names no command. */
const usageExit = 2;

/** Takes the words after `openshell`, does what they say, and returns the exit code. Never throws. */
export const openshell = async (words: readonly string[], io: Io): Promise<number> => {
  let failure = usageExit;
  try {
    const found = findCommand(words);
    if (found === undefined) return await withoutCommand(words, io);
    const spec = await commandSpec(found.name);
    failure = spec.failure;
    const args = parseArguments(spec, found.rest);
    return args === 'help' ? await help(found.name.split(' '), io) : await dispatch(found.name, args, io);
  } catch (thrown) {
    return report(thrown, failure, io);
  }
};

const dispatch = async (name: CommandName, args: Arguments, io: Io): Promise<number> => {
  const handler = await handlers[name]();
  return handler(args, io);
};

const help = (words: readonly string[], io: Io): Promise<number> =>
  dispatch('help', new Arguments(new Map(), words), io);

const withoutCommand = async (words: readonly string[], io: Io): Promise<number> => {
  const [first] = words;
  if (first === '--version' || first === '-V') return dispatch('version', new Arguments(new Map(), []), io);
  const last = words.at(-1);
  if (last === '--help' || last === '-h') return help(words.slice(0, -1), io);
  if (first === undefined || Object.hasOwn(groups, words.join(' '))) {
    await help(words, { ...io, out: io.err, outStyle: io.errStyle });
    return usageExit;
  }
  const { unknownCommand } = await import('./command/unknown-command.ts');
  throw unknownCommand(words);
};

const report = (thrown: unknown, exitCode: number, io: Io): number => {
  if (thrown instanceof BrokenPipe) return brokenPipeExit;
  try {
    io.err(describe(thrown, io));
  } catch (error) {
    if (!(error instanceof BrokenPipe)) throw error;
  }
  return exitCode;
};

const describe = (thrown: unknown, io: Io): string => {
  if (thrown instanceof OpenShellError) return renderError(thrown, io.errStyle);
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return `${io.errStyle.bold('openshell:')} this is a mistake in OpenShell itself; please report it with these lines:\n${stack}\n`;
};
