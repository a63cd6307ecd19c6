import { OpenShellError } from '@openshell/base';
import { parseOptions, USAGE } from './program/options.ts';
import { describe, serve } from './program/serve.ts';

/** The `openshell-proxy` program: an explicit proxy of its own, without a sandbox. */
async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const service = await serve(options);
  process.on('SIGHUP', () => void service.reload());
  const stop = (): void => {
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
    // Listeners of signals keep nothing alive; once the service is closed the process ends by itself.
    void service.close();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((thrown: unknown) => {
  process.stderr.write(`openshell-proxy: ${describe(thrown).replaceAll('\n', '\nopenshell-proxy: ')}\n`);
  process.exitCode = thrown instanceof OpenShellError && thrown.code === 'usage' ? 2 : 1;
});
