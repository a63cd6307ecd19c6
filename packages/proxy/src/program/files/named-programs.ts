import { formatPath, parsePolicy } from '@openshell/policy';

const WHY =
  'programs are named, and a proxy without a sandbox cannot tell which program a connection comes from. Remove "binaries", or let any program use what the policy allows to some: --identity none, or "identity: none" of a tenant';

/** Each place of a policy that speaks of programs, as a line for a person. None where the text is no policy: others say that better. */
export function namedPrograms(text: string, file: string): readonly string[] {
  const result = parsePolicy(text, { file });
  if (!result.ok) return [];
  return result.policy.networkPolicies.flatMap(({ key, binaries }) => {
    if (binaries.length === 0) return [];
    const path = ['network_policies', key, 'binaries'];
    const { line, column } = result.source.locate(path, 'key') ?? {};
    const place = [file, line, column].filter((part) => part !== undefined).join(':');
    return [`${place}: ${formatPath(path)}: ${WHY}.`];
  });
}
