import type { RunOptions } from '@openshell/sandbox';
import type { Arguments } from '../command/arguments.ts';
import type { Configuration } from '../config/configuration.ts';
import { checkReadable } from './files.ts';

type Grants = RunOptions['grants'];

/** Options that need what reads credentials and routes, which is loaded only for them. */
const OPTIONS = ['credential', 'credentials', 'inference-routes'] as const;

/**
 * Credentials and inference routes. A credential of the command line takes the place of one of the same name in the configuration file, and
 * its routes that of all of the file's.
 *
 * @throws OpenShellError naming the option, or the place in the file; what was written of a credential is never in it.
 */
export const readGrants = async (args: Arguments, configuration: Configuration): Promise<Grants> => {
  const { credentials: offered, routes } = configuration;
  if (!OPTIONS.some((option) => args.has(option))) return { credentials: [], offered, routes };
  const { loadOperatorReaders } = await import('@openshell/sandbox');
  const { parseCredentialOption, readCredentialFile, readRouteFile } = await loadOperatorReaders();
  const file = readable(args, 'credentials');
  const routesFile = readable(args, 'inference-routes');
  const credentials = [
    ...args.values('credential').map((text) => parseCredentialOption(text)),
    ...(file === undefined ? [] : readCredentialFile(file)),
  ];
  return {
    credentials,
    offered: offered.filter(({ name }) => !credentials.some((own) => own.name === name)),
    routes: routesFile === undefined ? routes : readRouteFile(routesFile),
  };
};

const readable = (args: Arguments, option: string): string | undefined => {
  const file = args.value(option);
  if (file !== undefined) checkReadable(file, `--${option}`);
  return file;
};
