import { OpenShellError } from '@openshell/base';
import type { Handler } from '../handlers.ts';
import { renderReport } from './report.ts';

/** `openshell doctor`: 0 when `openshell run` works here with full enforcement, 1 when something is missing. */
export const doctor: Handler = async (args, io) => {
  const { inspectMachine, launcherPath } = await import('@openshell/runtime');
  const launcher = whereBuilt(launcherPath);
  const report = await inspectMachine({
    ...(launcher === undefined ? {} : { launcher }),
    workdir: process.cwd(),
    env: io.env,
  });
  io.out(args.has('json') ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report, io.outStyle));
  return report.ready ? 0 : 1;
};

/** A launcher that is not built is a finding here, not an error. */
const whereBuilt = (launcherPath: () => string): string | undefined => {
  try {
    return launcherPath();
  } catch (error) {
    if (error instanceof OpenShellError && error.code === 'launcher_missing') return undefined;
    throw error;
  }
};
