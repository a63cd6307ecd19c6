import { type Generation, generation } from '@openshell/base';
import type { ConnectDecision, EndpointRef, Evidence, Intent } from '../engine.ts';
import { hostMatches } from '../glob/host-pattern.ts';
import type { Policy } from '../policy.ts';
import type { RequestFacts } from '../request.ts';
import { BuiltinEngine, type CompileOptions } from './compile.ts';
import { explainRequest, type RequestExplanation } from './request/explain.ts';
import type { EndpointRule } from './rule.ts';

/** How far an intent got with one endpoint: the first thing that did not fit, or `matched`. */
export type ExplainStep = 'matched' | 'binary' | 'port' | 'host';

export interface ConsideredEndpoint {
  readonly endpoint: EndpointRef;
  /** The policy's name, as logs show it. */
  readonly policy: string;
  readonly step: ExplainStep;
  /** Why, in words. */
  readonly why: string;
}

export interface Explanation {
  readonly decision: ConnectDecision;
  /** Every endpoint; those that came closest first. */
  readonly considered: readonly ConsideredEndpoint[];
  /** Where a request was asked about. */
  readonly request?: RequestExplanation;
}

export interface ExplainOptions extends CompileOptions {
  /** Also says what would become of this request on the connection. */
  readonly request?: RequestFacts;
}

const NO_GENERATION: Generation = generation(0);
const STEPS: readonly ExplainStep[] = ['matched', 'binary', 'port', 'host'];

/** Decides an intent, and a request where one is given, and says of every endpoint why it matched or not. Slow and complete, where the engine is quick. */
export function explain(
  subject: Policy | BuiltinEngine,
  intent: Intent,
  options: ExplainOptions = {},
): Explanation {
  const engine =
    subject instanceof BuiltinEngine ? subject : new BuiltinEngine(subject, NO_GENERATION, options);
  const considered = engine.rules.map((rule) => consider(rule, intent));
  considered.sort((a, b) => STEPS.indexOf(a.step) - STEPS.indexOf(b.step));
  return {
    decision: engine.authorizeConnect(intent),
    considered,
    ...(options.request ? { request: explainRequest(engine, intent, options.request) } : {}),
  };
}

function consider(rule: EndpointRule, intent: Intent): ConsideredEndpoint {
  const entry = (step: ExplainStep, why: string) => ({
    endpoint: rule.ref,
    policy: rule.policy.name,
    step,
    why,
  });
  if (rule.host && !hostMatches(rule.host, intent.host))
    return entry('host', `${intent.host} is not ${rule.ref.host}`);
  if (!rule.hasPort(intent.port))
    return entry('port', `port ${intent.port} is not among ${rule.endpoint.ports.join(', ')}`);
  if (rule.admits(intent.evidence))
    return entry('matched', `host, port and ${whoMatched(rule, intent.evidence)} match`);
  return entry('binary', whyNotAdmitted(rule, intent.evidence));
}

function whoMatched(rule: EndpointRule, evidence: Evidence): string {
  if (evidence.kind === 'unknown') return 'any program (the operator asks for no identity)';
  const programs = [evidence.executable, ...evidence.ancestors];
  return (
    programs.find(({ path }) => rule.binaries.matches(path))?.path ??
    'any program (the operator asks for no identity)'
  );
}

function whyNotAdmitted(rule: EndpointRule, evidence: Evidence): string {
  if (evidence.kind === 'unknown') return `the program is not known: ${evidence.reason}`;
  if (rule.binaries.isEmpty) return 'the policy names no binaries, so nothing may use it';
  const programs = [evidence.executable, ...evidence.ancestors].map(({ path }) => path);
  return `none of ${programs.join(', ')} is among ${rule.policy.binaries.join(', ')}`;
}
