import type { MachineReport } from './check.ts';
import type { InspectOptions } from './gather.ts';

export type { Check, CheckStatus, MachineReport } from './check.ts';
export type { InspectOptions } from './gather.ts';

/**
 * Tries what this machine gives to this user, and says what `openshell run` lacks here. Takes a few seconds at most.
 * The work is loaded when it is asked for: a sandbox starts without it.
 */
export const inspectMachine = async (options: InspectOptions): Promise<MachineReport> => {
  const [{ gatherFacts }, { judgeMachine }] = await Promise.all([
    import('./gather.ts'),
    import('./judge.ts'),
  ]);
  return judgeMachine(await gatherFacts(options));
};
