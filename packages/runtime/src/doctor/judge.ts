import type { Check, MachineReport } from './check.ts';
import type { MachineFacts } from './facts.ts';
import { judgeCgroups, judgeDocker, judgeKvm, judgeOciRuntimes, judgeTun } from './judge-extras.ts';
import { judgeLandlock, judgeSeccomp, judgeSeccompNotify } from './judge-kernel.ts';
import { judgeCompiler, judgeLauncher, judgePlatform } from './judge-launcher.ts';
import {
  judgeCapture,
  judgeIdmap,
  judgeMounts,
  judgeNetworkNamespaces,
  judgeUserNamespaces,
} from './judge-namespaces.ts';

/** What the facts mean for `openshell run` on this machine. Pure. */
export const judgeMachine = (facts: MachineFacts): MachineReport => {
  const checks: readonly Check[] = [
    judgePlatform(facts),
    judgeLauncher(facts),
    judgeCompiler(facts),
    judgeLandlock(facts),
    judgeSeccomp(facts),
    judgeUserNamespaces(facts),
    judgeNetworkNamespaces(facts),
    judgeMounts(facts),
    ...judgeIdmap(facts),
    ...judgeCapture(facts),
    judgeCgroups(facts),
    judgeSeccompNotify(facts),
    judgeTun(facts),
    judgeKvm(facts),
    ...judgeOciRuntimes(facts),
    judgeDocker(facts),
  ];
  // What is unknown is so for want of the launcher, which is then missing itself.
  return { ready: checks.every(({ status }) => status !== 'missing'), checks };
};
