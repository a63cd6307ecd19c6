import { renderGroup, renderHelp, renderOverview } from './command/help.ts';
import { commandSpec, commandSpecs, findCommand, groups } from './command/table.ts';
import { unknownCommand } from './command/unknown-command.ts';
import type { Handler } from './handlers.ts';
import type { Style } from './output/style.ts';

/** `openshell help`, and every `--help`. */
export const printHelp: Handler = async (args, io) => {
  io.out(await helpFor(args.operands, io.outStyle));
  return 0;
};

const helpFor = async (words: readonly string[], { bold }: Style): Promise<string> => {
  if (words.length === 0) return renderOverview(await commandSpecs(), bold);
  const found = findCommand(words);
  if (found !== undefined && found.rest.length === 0) return renderHelp(await commandSpec(found.name), bold);
  const group = words.join(' ');
  const summary = Object.hasOwn(groups, group) ? groups[group] : undefined;
  if (summary === undefined) throw unknownCommand(words);
  const members = (await commandSpecs()).filter(({ name }) => name.startsWith(`${group} `));
  return renderGroup(summary, members, bold);
};
