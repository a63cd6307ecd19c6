import { flow } from '../evaluate/request/yaml-flow.ts';

export interface SuggestedRule {
  readonly allow: object;
  readonly count: number;
}

export interface SuggestedEndpoint {
  /** Fields in front of the rules. */
  readonly fields: object;
  /** Undefined: the connection is all that is asked for. */
  readonly rules: readonly SuggestedRule[] | undefined;
  readonly count: number;
}

export interface SuggestedNetwork {
  readonly key: string;
  readonly binary: string;
  readonly endpoints: readonly SuggestedEndpoint[];
}

/** A policy file with a comment at everything that says how often it was refused. */
export function renderSuggestion(networks: readonly SuggestedNetwork[]): string {
  const lines = ['version: 1', networks.length === 0 ? 'network_policies: {}' : 'network_policies:'];
  for (const { key, binary, endpoints } of networks) {
    lines.push(`  ${flow(key)}:`, '    binaries:', `      - ${flow({ path: binary })}`, '    endpoints:');
    lines.push(...endpoints.flatMap(renderEndpoint));
  }
  return `${lines.join('\n')}\n`;
}

function renderEndpoint({ fields, rules, count }: SuggestedEndpoint): string[] {
  const lines = Object.entries(fields).map(
    ([name, value], index) => `      ${index === 0 ? '-' : ' '} ${name}: ${flow(value)}`,
  );
  const allowed = (rules ?? []).map(
    ({ allow, count }) => `          - allow: ${flow(allow)} # ${refused(count)}`,
  );
  return [`      # ${refused(count)}`, ...lines, ...(rules ? ['        rules:', ...allowed] : [])];
}

const refused = (count: number): string => (count === 1 ? 'refused once' : `refused ${count} times`);
