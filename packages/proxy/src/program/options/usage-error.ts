import { OpenShellError } from '@openshell/base';

/** Something is wrong with the command line. */
export const usageError = (message: string, remedy = 'See openshell-proxy --help.'): OpenShellError =>
  new OpenShellError(message, { code: 'usage', remedy });
