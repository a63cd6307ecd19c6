import { constants } from 'node:os';
import type { Sandbox } from '@openshell/runtime';

const { signals } = constants;

/** What a terminal sends goes to the whole foreground group there, so it does here. */
const GROUP = ['SIGINT', 'SIGQUIT', 'SIGCONT'] as const;
const PROCESS = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

/**
 * Passes on what the supervisor is told, so that the command behaves as if it had been told itself.
 * Returns the function that ends it.
 */
export const forwardSignals = (sandbox: Sandbox): (() => void) => {
  const handlers = new Map<NodeJS.Signals, () => void>();
  for (const name of GROUP) handlers.set(name, () => sandbox.signal(signals[name], 'group'));
  for (const name of PROCESS) handlers.set(name, () => sandbox.signal(signals[name], 'process'));
  // A stopped job stops with everything in it. SIGSTOP, since the workload's group has no shell to be woken by.
  handlers.set('SIGTSTP', () => {
    sandbox.signal(signals.SIGSTOP, 'group');
    process.kill(process.pid, 'SIGSTOP');
  });
  for (const [name, handler] of handlers) process.on(name, handler);
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
};
