import type { Scope } from '@openshell/policy';

/**
 * Where values may come from. `host`: also from files and commands of the proxy's machine, for whoever is its operator. `pushed`: from the
 * values that came along and nowhere else, because a controller that names a file would have the proxy read it out to wherever it says.
 */
export type SourceKinds = 'host' | 'pushed';

/** Says of each source that a controller may not name why it may not. */
export function checkSources(
  written: { readonly file?: unknown; readonly command?: unknown },
  at: Scope,
): void {
  for (const key of ['file', 'command'] as const) {
    if (written[key] === undefined) continue;
    at.at(key).problem(
      'source_not_allowed',
      `"${key}" is the proxy's own machine, which its operator alone may name.`,
      'Use "env", and push the value beside the file.',
      'key',
    );
  }
}
