import { OpenShellError } from '@openshell/base';

/** A mistake in what the person typed: the message names the word, the remedy what to type instead. */
export const usageError = (message: string, remedy?: string): OpenShellError =>
  new OpenShellError(message, remedy === undefined ? { code: 'usage' } : { code: 'usage', remedy });
