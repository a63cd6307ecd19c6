import type { Chapter, Step } from '../step.ts';

const ending = (code: number, title: string, command: string): Step => ({
  title,
  command,
  needs: [],
  verdict: `exit code ${code}`,
  holds: (outcome) => outcome.code === code,
});

/** Exit codes are the command's own, or say why there is none. */
export const endings: Chapter = {
  title: 'How it ends',
  steps: [
    ending(7, "With the command's own exit code", "openshell run -- sh -c 'exit 7'"),
    ending(143, 'By a signal: 128 and its number', "openshell run -- sh -c 'kill -TERM $$'"),
    ending(124, 'Because the time was over', 'openshell run --timeout 0.2 -- sleep 60'),
    ending(127, 'Without such a command', 'openshell run -- no-such-command'),
    ending(125, 'Without having been started by OpenShell', 'openshell run --policy missing.yaml -- true'),
  ],
};
