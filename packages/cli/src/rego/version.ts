import type { RegoVersion } from '@openshell/rego';
import type { Arguments } from '../command/arguments.ts';

/** How the rules are written: as the person says, else as their bundle does. */
export const versionOf = (args: Arguments, bundled: RegoVersion = 'v1'): RegoVersion =>
  args.has('v0-compatible') ? 'v0' : bundled;
