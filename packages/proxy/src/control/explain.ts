import type { SandboxId } from '@openshell/base';
import { ControlRefusal, type ExplainAnswer, type ExplainQuery } from '@openshell/control';
import {
  type BinaryIdentity,
  canonicalHost,
  checkDestination,
  type Evidence,
  explain,
  type Intent,
  isAddressLiteral,
  type RequestFacts,
} from '@openshell/policy';
import { INFERENCE_HOST, inferenceMistake, isInference, mustOpen } from '../inspect/destinations.ts';
import { readTarget } from '../operator/target.ts';
import { NOTHING_INSTALLED } from './generation/nothing-installed.ts';
import type { Installed } from './tenants/served-tenant.ts';

/** What would become of an attempt of the tenant's, by what is in force. Nothing is looked up and nothing connected. Throws `request_invalid`. */
export function explainAttempt(query: ExplainQuery, installed: Installed | undefined): ExplainAnswer {
  const intent = intentOf(query);
  const request = query.request && requestOf(query.request);
  if (installed === undefined)
    return { allowed: false, generation: 0, inspected: false, ...NOTHING_INSTALLED };
  const { engine, settings } = installed;
  const { generation } = engine;
  if (isInference(intent.host)) return aboutInference(intent, installed);
  const { decision, request: requested } = explain(engine, intent, request === undefined ? {} : { request });
  if (decision.action === 'deny') return denial(decision, false);
  const inspected = mustOpen({ intent, decision }, settings);
  const address = isAddressLiteral(intent.host)
    ? checkDestination([intent.host], { ...decision.destination, host: intent.host, port: intent.port })
    : undefined;
  if (address?.ok === false) {
    const { reason, remedy } = address;
    const { policy } = decision;
    return { allowed: false, generation, code: 'ssrf_denied', reason, remedy, policy, inspected };
  }
  if (requested?.decision.action === 'deny') return denial(requested.decision, inspected);
  const { reason, policy } = requested?.decision ?? decision;
  return { allowed: true, generation, reason, policy, inspected };
}

interface Denial {
  readonly generation: number;
  readonly reason: string;
  readonly remedy: string;
  readonly code: string;
  readonly policy?: string | undefined;
}

const denial = ({ generation, reason, remedy, code, policy }: Denial, inspected: boolean): ExplainAnswer => ({
  allowed: false,
  generation,
  reason,
  remedy,
  code,
  policy,
  inspected,
});

/** The proxy's own destination is allowed by routes, whatever the policy says of it. */
function aboutInference({ port }: Intent, { engine, settings }: Installed): ExplainAnswer {
  const { generation } = engine;
  const mistake =
    settings.inference === undefined
      ? {
          code: 'inference_not_configured',
          reason: `no routes are installed for ${INFERENCE_HOST}`,
          remedy: 'Apply a generation with routes.',
        }
      : inferenceMistake(port);
  if (mistake !== undefined) return { allowed: false, generation, inspected: false, ...mistake };
  return { allowed: true, generation, reason: `${INFERENCE_HOST} is served by its routes`, inspected: true };
}

function intentOf({ tenant, host: text, port, binaries }: ExplainQuery): Intent {
  const host = canonicalHost(text);
  if (host === undefined)
    throw invalid(
      `"${text}" is neither a host name nor an address`,
      'Give the host alone, without a scheme or a path.',
    );
  return {
    sandbox: tenant satisfies SandboxId,
    adapter: 'connect',
    host,
    port,
    evidence: evidenceOf(binaries),
  };
}

/** Hashes play no part in a decision: nothing has run, so there is none. */
function evidenceOf(binaries: readonly string[]): Evidence {
  const [executable, ...ancestors] = binaries.map(
    (path): BinaryIdentity => ({ path, sha256: '', pinned: true }),
  );
  return executable === undefined
    ? { kind: 'unknown', reason: 'no program was named' }
    : { kind: 'process', pid: 0, executable, ancestors, argv: [] };
}

function requestOf({ method, target: text }: NonNullable<ExplainQuery['request']>): RequestFacts {
  const [path = '', ...query] = text.split('?');
  const target = readTarget(path, query.join('?'));
  if ('fault' in target)
    throw invalid(
      `the target of the request: ${target.fault}`,
      'The proxy refuses such a request, whatever a policy says.',
    );
  return { method, ...target, content: { kind: 'http' }, from: 'client' };
}

const invalid = (message: string, remedy: string): ControlRefusal =>
  new ControlRefusal(message, { code: 'request_invalid', remedy });
