import { nearest } from '../command/nearest.ts';
import { shells } from '../command/table/completion.ts';
import { commandSpecs } from '../command/table.ts';
import { usageError } from '../command/usage-error.ts';
import type { Handler } from '../handlers.ts';

type Shell = (typeof shells)[number];

/** `openshell completion SHELL`. */
export const printCompletion: Handler = async (args, io) => {
  const [shell = ''] = args.operands;
  if (!isShell(shell)) {
    const meant = nearest(shell, shells);
    throw usageError(
      `there is no completion for the shell '${shell}'`,
      meant === undefined ? `There is one for ${shells.join(', ')}.` : `Did you mean ${meant}?`,
    );
  }
  io.out(await render(shell));
  return 0;
};

const isShell = (word: string): word is Shell => (shells as readonly string[]).includes(word);

const render = async (shell: Shell): Promise<string> => {
  const commands = await commandSpecs();
  switch (shell) {
    case 'bash':
      return (await import('./bash.ts')).bashCompletion(commands);
    case 'zsh':
      return (await import('./zsh.ts')).zshCompletion(commands);
    case 'fish':
      return (await import('./fish.ts')).fishCompletion(commands);
    default:
      return shell satisfies never;
  }
};
