import { loadConfiguration } from '../config/configuration-file.ts';
import type { Handler } from '../handlers.ts';
import { runRequest } from './request.ts';

/** `openshell run`: the exit code is the command's, unless it could not be started. */
export const run: Handler = async (args, io) => {
  const request = await runRequest(args, await loadConfiguration(io.env), io.env);
  const { runSandbox } = await import('@openshell/sandbox');
  return runSandbox(request);
};
