import { generation, sandboxId } from '@openshell/base';
import { defaultPolicy } from '../default-policy.ts';
import type { Intent } from '../engine.ts';
import { type BuiltinEngine, compilePolicy } from '../evaluate/compile.ts';
import { ruleFor } from '../evaluate/request/remedy.ts';
import { escapeGlob } from '../glob/glob.ts';
import { POLICY_LIMITS } from '../limits.ts';
import { parsePolicy } from '../parse.ts';
import type { Endpoint, Policy } from '../policy.ts';
import { isInspected } from '../protocols.ts';
import { treatmentToFile } from '../unparse.ts';
import { type Denial, factsOf } from './denial.ts';
import { obstacle } from './eligible.ts';
import { generalisePaths } from './generalise.ts';
import { mergePolicies } from './merge.ts';
import {
  renderSuggestion,
  type SuggestedEndpoint,
  type SuggestedNetwork,
  type SuggestedRule,
} from './render.ts';

export interface NotProposed {
  readonly denial: Denial;
  /** Why, in words. */
  readonly reason: string;
}

export interface Suggestion {
  /** A policy file to merge into the one that refused; it has no network policies when there is nothing to propose. */
  readonly policy: string;
  readonly notProposed: readonly NotProposed[];
}

/**
 * Proposes the smallest policy that would have allowed what was refused: each host and port for the program that asked, each request by
 * method and path. It widens nothing by itself, except that many siblings of one path become a `*`. What deny rules, protected addresses
 * or contradictions refused is not proposed, nor what the result would refuse all the same.
 */
export function suggestPolicy(policy: Policy | undefined, denials: readonly Denial[]): Suggestion {
  const base = policy ?? defaultPolicy;
  const notProposed: NotProposed[] = [];
  let open: Denial[] = [];
  for (const denial of denials) {
    const reason = obstacle(denial);
    if (reason === undefined) open.push(denial);
    else notProposed.push({ denial, reason });
  }
  for (let round = Round.of(base, open); ; round = Round.of(base, open)) {
    // Where the whole is no policy, what is none by itself is to blame.
    const refused = open
      .map((denial) => ({
        denial,
        reason: (round.engine ? round : Round.of(base, [denial])).refusal(denial),
      }))
      .filter((entry): entry is NotProposed => entry.reason !== undefined);
    if (open.length === 0 || (refused.length === 0 && round.engine))
      return { policy: round.text, notProposed };
    const dropped = refused.length > 0 ? refused : open.map((denial) => ({ denial, reason: round.problem }));
    notProposed.push(...dropped);
    const gone = new Set(dropped.map(({ denial }) => denial));
    open = open.filter((denial) => !gone.has(denial));
  }
}

/** One attempt at a proposal, with the engine that the base and the proposal make together. */
class Round {
  readonly text: string;
  /** Undefined: the two make no policy. */
  readonly engine: BuiltinEngine | undefined;
  readonly problem: string;

  private constructor(base: Policy, text: string) {
    this.text = text;
    const addition = parsePolicy(text);
    const merged = addition.ok ? mergePolicies(base, addition.policy) : addition;
    this.engine = merged.ok ? compilePolicy(merged.policy, generation(0)) : undefined;
    this.problem = merged.ok ? '' : `no policy can say it: ${merged.problems[0]?.message}`;
  }

  static of(base: Policy, denials: readonly Denial[]): Round {
    return new Round(base, renderSuggestion(networksFor(base, denials)));
  }

  /** Why the denial would be refused all the same. */
  refusal(denial: Denial): string | undefined {
    if (!this.engine) return this.problem;
    const intent = intentOf(denial);
    const decision =
      denial.stage === 'connect'
        ? this.engine.authorizeConnect(intent)
        : this.engine.authorizeRequest(intent, factsOf(denial));
    return decision.action === 'deny' ? `it would still be refused: ${decision.reason}` : undefined;
  }
}

function intentOf({ host, port, binary = '' }: Denial): Intent {
  const executable = { path: binary, sha256: '', pinned: false };
  const evidence = { kind: 'process', pid: 0, executable, ancestors: [], argv: [] } as const;
  return { sandbox: sandboxId('suggest'), adapter: 'connect', host, port, evidence };
}

function networksFor(base: Policy, denials: readonly Denial[]): SuggestedNetwork[] {
  const engine = compilePolicy(base, generation(0));
  const taken = new Set<string>();
  const byBinary = [...Map.groupBy(denials, ({ binary }) => binary!)].sort(byFirst);
  return byBinary.flatMap(([binary, mine]): SuggestedNetwork[] => {
    const endpoints = [...Map.groupBy(mine, ({ host, port }) => `${host} ${port}`)]
      .sort(byFirst)
      .flatMap(([, here]) => endpointsFor(engine, here))
      .filter(({ rules }) => rules === undefined || rules.length > 0);
    return endpoints.length === 0
      ? []
      : [{ key: keyFor(binary, taken), binary: escapeGlob(binary), endpoints }];
  });
}

const byFirst = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0);

function keyFor(binary: string, taken: Set<string>): string {
  const program = binary
    .split('/')
    .at(-1)!
    .replaceAll(/[^A-Za-z0-9]+/g, '_');
  let key = `suggested_${program}`;
  for (let number = 2; taken.has(key); number++) key = `suggested_${program}_${number}`;
  taken.add(key);
  return key;
}

/** The endpoints for one host, port and program. Requests make the connection possible, too. */
function endpointsFor(engine: BuiltinEngine, denials: readonly Denial[]): SuggestedEndpoint[] {
  const requests = denials.filter(({ stage, protocol }) => stage !== 'connect' && isInspected(protocol));
  if (requests.length === 0) return [connectionFor(engine, denials)];
  const groups = Map.groupBy(requests, (denial) => {
    const { protocol, path } = treatmentFor(engine, denial);
    return `${protocol} ${path}`;
  });
  return [...groups].sort(byFirst).map(([, group]) => ({
    fields: {
      ...treatmentToFile(treatmentFor(engine, group[0]!)),
      // Only a learning run gets that far with such a path; without the field it would be refused before any rule is asked.
      ...(group.some(({ path }) => /%2f/i.test(path ?? '')) ? { allow_encoded_slash: true } : {}),
      enforcement: 'enforce',
    },
    rules: rulesFor(engine, group),
    count: total(group),
  }));
}

/** A connection that is treated like those of others to the same host and port. */
function connectionFor(engine: BuiltinEngine, denials: readonly Denial[]): SuggestedEndpoint {
  const { host, port } = denials[0]!;
  const near = engine.matching(host, port)[0]?.endpoint;
  const fields = {
    host,
    port,
    ...(near?.protocol === 'tcp' ? { protocol: 'tcp' } : {}),
    ...(near?.tls === 'skip' ? { tls: 'skip' } : {}),
    ...(near?.allowedIps ? { allowed_ips: near.allowedIps } : {}),
  };
  return { fields, rules: undefined, count: total(denials) };
}

/** The endpoint that read the request, for this host alone: what is proposed beside it must be read in the same way. */
function treatmentFor(engine: BuiltinEngine, denial: Denial): Endpoint {
  const { host, port, protocol, path = '/' } = denial;
  const treatments = engine.inspectedFor(intentOf(denial));
  const near = treatments.find(
    (treatment) => treatment.matches(path) && treatment.endpoint.protocol === protocol,
  );
  const { mcp, ...endpoint } = near?.endpoint ?? plainEndpoint(protocol);
  const allowedIps = engine.matching(host, port)[0]?.endpoint.allowedIps;
  return {
    ...endpoint,
    ...(mcp ? { mcp: { ...mcp, allowAllKnownMethods: false } } : {}),
    ...(allowedIps ? { allowedIps } : {}),
    host,
    ports: [port],
  };
}

const plainEndpoint = (protocol: Endpoint['protocol']): Endpoint => ({
  host: '',
  ports: [],
  path: '',
  protocol,
  tls: 'auto',
  enforcement: 'enforce',
  allowEncodedSlash: false,
  websocketCredentialRewrite: false,
  requestBodyCredentialRewrite: false,
  allowUninspectedCredentials: false,
});

function rulesFor(engine: BuiltinEngine, denials: readonly Denial[]): SuggestedRule[] {
  const endpoint = treatmentFor(engine, denials[0]!);
  const byRule = Map.groupBy(denials, (denial) =>
    JSON.stringify(ruleFor(endpoint, factsOf(denial), 0) ?? null),
  );
  byRule.delete('null');
  const rules = [...byRule]
    .sort(byFirst)
    .map(([text, group]) => ({ allow: JSON.parse(text), count: total(group) }));
  const joined = endpoint.protocol === 'rest' ? joinPaths(rules) : joinTools(rules);
  return joined.slice(0, POLICY_LIMITS.rules);
}

function joinPaths(rules: readonly SuggestedRule[]): SuggestedRule[] {
  const methods = Map.groupBy(rules, ({ allow }) => (allow as { method: string }).method);
  return [...methods].flatMap(([method, group]) => {
    const paths = group.map(({ allow }) => (allow as { path: string }).path);
    return generalisePaths(paths).map((path) => {
      const exact = group.find((_, index) => paths[index] === path);
      return { allow: { method, path }, count: exact?.count ?? countUnder(path, paths, group) };
    });
  });
}

/** How often what a generalised path stands for was refused. */
function countUnder(path: string, paths: readonly string[], rules: readonly SuggestedRule[]): number {
  const segments = path.split('/');
  const isUnder = (other: string) => {
    const others = other.split('/');
    return (
      others.length === segments.length && segments.every((one, at) => one === '*' || one === others[at])
    );
  };
  return rules.filter((_, index) => isUnder(paths[index]!)).reduce((sum, { count }) => sum + count, 0);
}

/** One rule for all tools that were called. */
function joinTools(rules: readonly SuggestedRule[]): SuggestedRule[] {
  const calls = rules.filter(({ allow }) => 'tool' in allow).slice(0, POLICY_LIMITS.ruleValues);
  if (calls.length < 2) return [...rules];
  const { method } = calls[0]!.allow as { method: string };
  const any = calls.map(({ allow }) => (allow as { tool: string }).tool);
  return [
    ...rules.filter((rule) => !calls.includes(rule)),
    { allow: { method, tool: { any } }, count: total(calls) },
  ];
}

const total = (entries: readonly { readonly count: number }[]): number =>
  entries.reduce((sum, { count }) => sum + count, 0);
