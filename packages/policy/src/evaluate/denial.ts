import type { Generation } from '@openshell/base';
import type { ConnectDecision, Intent } from '../engine.ts';
import { escapeGlob } from '../glob/glob.ts';
import type { Policy } from '../policy.ts';
import { quoted } from './request/yaml-flow.ts';
import type { EndpointRule } from './rule.ts';

type Denial = Extract<ConnectDecision, { action: 'deny' }>;

/**
 * Says why nothing allows an intent and what would. `matching` are the endpoints for its host and port, none of which admits the
 * program.
 */
export function denyIntent(
  intent: Intent,
  generation: Generation,
  policy: Policy,
  matching: readonly EndpointRule[],
): Denial {
  const deny = (code: Denial['code'], reason: string, remedy: string, rule?: EndpointRule): Denial => ({
    action: 'deny',
    generation,
    code,
    reason,
    remedy,
    ...(rule ? { policy: rule.policy.name } : {}),
  });
  const place = `${bracketed(intent.host)}:${intent.port}`;
  if (policy.networkPolicies.length === 0) {
    return deny('no_policy', 'the policy allows no network at all', addPolicy(intent));
  }
  const nearest = smallest(matching);
  if (!nearest)
    return deny('endpoint_not_allowed', `no endpoint of the policy allows ${place}`, addPolicy(intent));
  if (intent.evidence.kind === 'unknown') {
    const reason = `"${nearest.policy.name}" allows ${place} for certain programs, and the program is not known: ${intent.evidence.reason}`;
    return deny(
      'identity_unknown',
      reason,
      'Run it where programs can be identified; only the operator can do without.',
      nearest,
    );
  }
  const { path } = intent.evidence.executable;
  return deny(
    'binary_not_allowed',
    `"${nearest.policy.name}" allows ${place}, but not for ${path} or a program that started it`,
    `Add to network_policies.${nearest.ref.policy}.binaries: - { path: ${quoted(escapeGlob(path))} }`,
    nearest,
  );
}

const smallest = (rules: readonly EndpointRule[]): EndpointRule | undefined =>
  rules.reduce<EndpointRule | undefined>(
    (best, rule) => (best && best.rank < rule.rank ? best : rule),
    undefined,
  );

/** One line of YAML (flow style) that a person can paste under `network_policies`. */
function addPolicy({ host, port, evidence }: Intent): string {
  const key = host.replaceAll(/[^a-z0-9]+/gi, '_').replaceAll(/^_|_$/g, '') || 'allowed';
  const binary = evidence.kind === 'process' ? escapeGlob(evidence.executable.path) : '/path/to/program';
  return `Add to network_policies: ${key}: { endpoints: [{ host: ${quoted(host)}, port: ${port} }], binaries: [{ path: ${quoted(binary)} }] }`;
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
