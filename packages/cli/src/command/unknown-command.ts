import type { OpenShellError } from '@openshell/base';
import { nearest } from './nearest.ts';
import { commandNames, groups } from './table.ts';
import { usageError } from './usage-error.ts';

/** Words that begin no command: names the one that was most likely meant. */
export const unknownCommand = (words: readonly string[]): OpenShellError => {
  const names = [...commandNames, ...Object.keys(groups)];
  const start = words.slice(0, Object.hasOwn(groups, words.slice(0, 2).join(' ')) ? 3 : 2).join(' ');
  const meant = nearest(start, names) ?? nearest(words[0] ?? '', names);
  const typed = words[0]?.startsWith('-') ? `option ${words[0]}` : `command '${start}'`;
  return usageError(
    `there is no ${typed}`,
    meant === undefined ? "'openshell --help' lists the commands." : `Did you mean 'openshell ${meant}'?`,
  );
};
