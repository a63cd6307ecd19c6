import { messageOf, OpenShellError } from '@openshell/base';
import { type ControlProblem, ControlRefusal } from '@openshell/control';

/** What was thrown, for a person: every place that is wrong, and what to do. */
export function describe(thrown: unknown): string {
  // They say where and what; that there are some and that they are to be corrected goes without saying.
  if (thrown instanceof ControlRefusal && thrown.problems.length > 0)
    return thrown.problems.map(formatProblem).join('\n');
  const message = messageOf(thrown);
  return thrown instanceof OpenShellError && thrown.remedy !== undefined
    ? `${message}\n${thrown.remedy}`
    : message;
}

/** One line for a terminal, as policies have them: `policy.yaml:4:7: path: message`. */
function formatProblem({ name, line, column, path, message }: ControlProblem): string {
  const place = [name, line, column].filter((part) => part !== undefined).join(':');
  return [place, path ?? '', message].filter((part) => part !== '').join(': ');
}
