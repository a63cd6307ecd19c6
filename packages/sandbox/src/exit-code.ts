import { OpenShellError } from '@openshell/base';
import type { SandboxExit } from '@openshell/runtime';

/** OpenShell itself could not do it. */
export const EXIT_FAILED = 125;
export const EXIT_TIMEOUT = 124;
const EXIT_NOT_EXECUTABLE = 126;
const EXIT_NOT_FOUND = 127;
const SIGNAL_BASE = 128;
const SIGKILL = 9;

/** As a shell says how a command ended. */
export const exitCodeOf = (exit: SandboxExit): number => {
  switch (exit.kind) {
    case 'code':
      return exit.code;
    case 'signal':
      return SIGNAL_BASE + exit.signal;
    case 'lost':
      return SIGNAL_BASE + SIGKILL;
    default:
      return exit satisfies never;
  }
};

/** As a shell says why a command did not start. */
export const exitCodeOfFailure = (error: unknown): number => {
  const code = error instanceof OpenShellError ? error.code : '';
  if (code === 'command_not_found') return EXIT_NOT_FOUND;
  if (code === 'command_not_executable') return EXIT_NOT_EXECUTABLE;
  return EXIT_FAILED;
};
