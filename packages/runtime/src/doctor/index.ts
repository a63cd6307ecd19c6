import type { MachineReport } from './check.ts';
import { gatherFacts, type InspectOptions } from './gather.ts';
import { judgeMachine } from './judge.ts';

export type { Check, CheckStatus, MachineReport } from './check.ts';
export type { InspectOptions } from './gather.ts';

/** Tries what this machine gives to this user, and says what `openshell run` lacks here. Takes a few seconds at most. */
export const inspectMachine = async (options: InspectOptions): Promise<MachineReport> =>
  judgeMachine(await gatherFacts(options));
