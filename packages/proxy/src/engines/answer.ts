import type { Generation } from '@openshell/base';
import {
  type ConnectDecision,
  type DenyCode,
  type DestinationRule,
  type EndpointRef,
  type Intent,
  parseCidr,
} from '@openshell/policy';
import { isArray, isObject, type RegoObject, type Value } from '@openshell/rego';

type Allow = Extract<ConnectDecision, { action: 'allow' }>;
type Deny = Extract<ConnectDecision, { action: 'deny' }>;

/** Longest text of the rules' that goes into decisions, in UTF-16 units. */
const MAX_TEXT = 2000;

const DENY_CODES: ReadonlySet<string> = new Set<DenyCode>([
  'no_policy',
  'endpoint_not_allowed',
  'binary_not_allowed',
  'identity_unknown',
  'rules_denied',
  'rules_failed',
]);

/** An answer that is none: what is wrong with it is the message. */
class Malformed extends Error {}

export interface AnswerOptions {
  readonly generation: Generation;
  /** Where the rules are, for the person who has to look at them: `rules.rego`, `http://127.0.0.1:8181`. */
  readonly origin: string;
}

/**
 * Makes decisions of what rules answer (docs/rego.md, "Result"). Nothing is assumed in favour of the connection: an answer that is not
 * understood to its end is a denial that says why.
 */
export class AnswerReader {
  readonly #options: AnswerOptions;
  /** The decision of an endpoint that came up before: the endpoints of a policy are the same objects in every answer. */
  readonly #decisions = new WeakMap<RegoObject, { named?: Allow; other?: Allow }>();
  readonly #blocks = new WeakMap<readonly Value[], readonly string[]>();

  constructor(options: AnswerOptions) {
    this.#options = options;
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
    const { generation, origin } = this.#options;
    return {
      action: 'deny',
      generation,
      code: 'rules_failed',
      reason: `the rules (${origin}) cannot decide: ${why.slice(0, MAX_TEXT)}`,
      remedy: 'Nothing is let through until they can: correct the rules or their data.',
    };
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
    const policy = textIn(answer, 'matched_policy');
    const named = flagIn(answer, 'exact_declared_endpoint_host');
    const match = firstIn(answer, 'matched_endpoints');
    if (match === undefined) return this.#bareAllow(answer, intent, policy, named);
    const known = this.#decisions.get(match);
    const ready = named ? known?.named : known?.other;
    if (ready !== undefined && ready.policy === policy) return ready;
    const decision = this.#fromMatch(match, policy, named);
    this.#decisions.set(match, { ...known, ...(named ? { named: decision } : { other: decision }) });
    return decision;
  }

  #fromMatch(match: RegoObject, matchedPolicy: string, named: boolean): Allow {
    const policy = matchedPolicy || textIn(match, 'policy_name');
    const key = textIn(match, 'policy_key') || textIn(match, 'policy_name');
    const index = match.getString('endpoint_index');
    const endpoint = match.getString('endpoint');
    if (key === '') throw new Malformed('an element of matched_endpoints has no policy_name');
    if (!Number.isSafeInteger(index))
      throw new Malformed('an element of matched_endpoints has no endpoint_index');
    if (!isObject(endpoint)) throw new Malformed('an element of matched_endpoints has no endpoint');
    const ref = { policy: key, index: index as number, host: textIn(endpoint, 'host') };
    const reason = `allowed by network_policies.${key}.endpoints[${index}]`;
    return this.#decision(reason, policy, Object.freeze(ref), endpoint, named);
  }

  /** Allowed by the rules' own word, with no endpoint of a policy behind it: public addresses only, unless the answer says more. */
  #bareAllow(answer: RegoObject, intent: Intent, matchedPolicy: string, named: boolean): Allow {
    const policy = matchedPolicy || 'rules';
    const endpoint = firstIn(answer, 'endpoint_configs');
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

/** A text of the answer; empty when it has none. */
const textIn = (object: RegoObject, name: string): string => {
  const value = object.getString(name);
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value.length > MAX_TEXT ? value.slice(0, MAX_TEXT) : value;
  throw new Malformed(`${name} is no string`);
};

const flagIn = (object: RegoObject, name: string): boolean => {
  const value = object.getString(name);
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw new Malformed(`${name} is neither true nor false`);
};

const firstIn = (object: RegoObject, name: string): RegoObject | undefined => {
  const list = object.getString(name);
  if (list === undefined) return undefined;
  if (!isArray(list)) throw new Malformed(`${name} is no array`);
  const [first] = list;
  if (first === undefined) return undefined;
  if (!isObject(first)) throw new Malformed(`${name} has an element that is no object`);
  return first;
};

const tlsOf = (endpoint: RegoObject | undefined): Allow['tls'] => {
  const tls = endpoint?.getString('tls');
  if (tls === 'skip') return 'skip';
  if (tls === undefined || tls === '' || tls === 'auto') return 'auto';
  throw new Malformed('an endpoint has a tls that is neither "auto" nor "skip"');
};
