import {
  type ConnectDecision,
  type DenyCode,
  type DestinationRule,
  type EndpointRef,
  type Intent,
  type Middleware,
  parseCidr,
} from '@openshell/policy';
import { isArray, isObject, type RegoObject, type Value } from '@openshell/rego';
import { flagIn, Malformed, objectsIn, readMatch, textIn } from './answer-fields.ts';
import { InspectionReader } from './inspection-reader.ts';
import { type AnswerOptions, rulesFailed } from './rules-failed.ts';

type Allow = Extract<ConnectDecision, { action: 'allow' }>;
type Deny = Extract<ConnectDecision, { action: 'deny' }>;

const DENY_CODES: ReadonlySet<string> = new Set<DenyCode>([
  'no_policy',
  'endpoint_not_allowed',
  'binary_not_allowed',
  'identity_unknown',
  'rules_denied',
  'rules_failed',
]);

/**
 * Makes decisions of what rules answer about connections (docs/rego.md, "Result"). Nothing is assumed in favour of the connection: an answer that is not
 * understood to its end is a denial that says why.
 */
export class AnswerReader {
  readonly #options: AnswerOptions;
  /** The decision of an endpoint that came up before: the endpoints of a policy are the same objects in every answer. */
  readonly #decisions = new WeakMap<RegoObject, { named?: Allow; other?: Allow }>();
  readonly #inspections: InspectionReader;
  readonly #blocks = new WeakMap<readonly Value[], readonly string[]>();

  /** `middlewares`: those of the policy, which answers name. */
  constructor(options: AnswerOptions, middlewares: readonly Middleware[] = []) {
    this.#options = options;
    this.#inspections = new InspectionReader(middlewares);
  }

  /** Never throws. */
  decide(answer: Value | undefined, intent: Intent): ConnectDecision {
    try {
      if (answer === undefined) return this.failed('they give no answer to this connection');
      if (!isObject(answer)) return this.failed('their answer is no object');
      const action = answer.getString('action');
      if (action === 'allow') return this.#allow(answer, intent);
      if (action === 'deny') return this.#deny(answer);
      return this.failed('their answer has neither the action "allow" nor "deny"');
    } catch (thrown) {
      return this.failed(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  /** The denial for when there is no answer. */
  failed(why: string): Deny {
    return rulesFailed(this.#options, why);
  }

  #deny(answer: RegoObject): Deny {
    const { generation, origin } = this.#options;
    const code = answer.getString('deny_code');
    const policy = textIn(answer, 'matched_policy');
    return {
      action: 'deny',
      generation,
      code: typeof code === 'string' && DENY_CODES.has(code) ? (code as DenyCode) : 'rules_denied',
      reason: textIn(answer, 'deny_reason') || `the rules (${origin}) do not allow it`,
      remedy: textIn(answer, 'remedy') || `The rules in ${origin} would have to allow it.`,
      ...(policy === '' ? {} : { policy }),
    };
  }

  #allow(answer: RegoObject, intent: Intent): Allow {
    const decision = this.#connection(answer, intent);
    // TLS that is never opened shows no request.
    const inspection = decision.tls === 'skip' ? undefined : this.#inspections.read(answer, intent);
    return inspection ? { ...decision, inspection } : decision;
  }

  #connection(answer: RegoObject, intent: Intent): Allow {
    const policy = textIn(answer, 'matched_policy');
    const named = flagIn(answer, 'exact_declared_endpoint_host');
    const [match] = objectsIn(answer, 'matched_endpoints');
    if (match === undefined) return this.#bareAllow(answer, intent, policy, named);
    const known = this.#decisions.get(match);
    const ready = named ? known?.named : known?.other;
    if (ready !== undefined && ready.policy === policy) return ready;
    const decision = this.#fromMatch(match, policy, named);
    this.#decisions.set(match, { ...known, ...(named ? { named: decision } : { other: decision }) });
    return decision;
  }

  #fromMatch(match: RegoObject, matchedPolicy: string, named: boolean): Allow {
    const { ref, policy, endpoint } = readMatch(match);
    const reason = `allowed by network_policies.${ref.policy}.endpoints[${ref.index}]`;
    return this.#decision(reason, matchedPolicy || policy, ref, endpoint, named);
  }

  /** Allowed by the rules' own word, with no endpoint of a policy behind it: public addresses only, unless the answer says more. */
  #bareAllow(answer: RegoObject, intent: Intent, matchedPolicy: string, named: boolean): Allow {
    const policy = matchedPolicy || 'rules';
    const [endpoint] = objectsIn(answer, 'endpoint_configs');
    const ref = { policy, index: 0, host: intent.host };
    return this.#decision(`allowed by the rules (${this.#options.origin})`, policy, ref, endpoint, named);
  }

  #decision(
    reason: string,
    policy: string,
    endpoint: EndpointRef,
    config: RegoObject | undefined,
    exactHost: boolean,
  ): Allow {
    const allowedIps = this.#allowedIps(config?.getString('allowed_ips'));
    const destination: DestinationRule = Object.freeze({ exactHost, ...(allowedIps ? { allowedIps } : {}) });
    const { generation } = this.#options;
    const tls = tlsOf(config);
    return Object.freeze({ action: 'allow', generation, reason, policy, endpoint, tls, destination });
  }

  /** The same list each time for the same value: whoever reads it parses each list once. */
  #allowedIps(value: Value | undefined): readonly string[] | undefined {
    if (value === undefined) return undefined;
    if (!isArray(value)) throw new Malformed('allowed_ips is no array');
    const known = this.#blocks.get(value);
    if (known !== undefined) return known;
    const blocks = value.map((block) => {
      if (typeof block === 'string' && parseCidr(block) !== undefined) return block;
      throw new Malformed('allowed_ips has something else than addresses and blocks of addresses');
    });
    this.#blocks.set(value, Object.freeze(blocks));
    return blocks;
  }
}

const tlsOf = (endpoint: RegoObject | undefined): Allow['tls'] => {
  const tls = endpoint?.getString('tls');
  if (tls === 'skip') return 'skip';
  if (tls === undefined || tls === '' || tls === 'auto') return 'auto';
  throw new Malformed('an endpoint has a tls that is neither "auto" nor "skip"');
};
