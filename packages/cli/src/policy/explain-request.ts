import type { RequestFacts } from '@openshell/policy';
import type { Arguments } from '../command/arguments.ts';
import { usageError } from '../command/usage-error.ts';

/**
 * The request that is asked about, read as the proxy would read it. Undefined where only a connection is.
 *
 * @throws OpenShellError with code `usage`.
 */
export const requestOf = async (args: Arguments): Promise<RequestFacts | undefined> => {
  const path = args.value('path');
  if (path === undefined) {
    const alone = ['method', 'query'].find((option) => args.has(option));
    if (alone === undefined) return undefined;
    throw usageError(`--${alone} is about a request, and there is no --path`, 'Write --path PATH too.');
  }
  const { readTarget } = await import('@openshell/sandbox');
  if (path.includes('?')) throw usageError('--path has a query', 'Write it after --query, without the ?.');
  const target = readTarget(path, args.value('query') ?? '');
  if ('fault' in target)
    throw usageError(
      `--path, --query: ${target.fault}`,
      'The proxy refuses such a request, whatever a policy says.',
    );
  return {
    method: methodOf(args.value('method') ?? 'GET'),
    ...target,
    content: { kind: 'http' },
    from: 'client',
  };
};

/** RFC 9110 section 9.1: a token, and in capitals wherever a standard names it. */
const methodOf = (text: string): string => {
  if (/^[A-Z][A-Z0-9!#$%&'*+.^_`|~-]*$/.test(text)) return text;
  throw usageError(`--method: '${text}' is not a method`, 'Methods are in capitals, as in POST.');
};
