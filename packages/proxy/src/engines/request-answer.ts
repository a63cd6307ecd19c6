import type { EndpointRef, Intent, RequestDecision, RequestDenyCode, RequestFacts } from '@openshell/policy';
import { isObject, RegoObject, type Value } from '@openshell/rego';
import { isPosition, Malformed, textIn } from './answer-fields.ts';
import type { Question } from './questions.ts';
import { type AnswerOptions, rulesFailed } from './rules-failed.ts';

type Denied = Extract<RequestDecision, { action: 'deny' }>;

const DENY_CODES: ReadonlySet<string> = new Set<RequestDenyCode>([
  'request_not_allowed',
  'request_denied',
  'request_malformed',
  'rules_denied',
  'rules_failed',
]);

/** The answer of rules that only have a word to say. */
const EMPTY = new RegoObject();

/** What the rules are asked about one request, one question after another: each is answered with the value of the rule. */
export type RequestDialogue = Generator<Question, RequestDecision, Value | undefined>;

/** Leads a dialogue with rules that answer at once. Throws what they throw. */
export const conclude = (
  dialogue: RequestDialogue,
  ask: (question: Question) => Value | undefined,
): RequestDecision => {
  let step = dialogue.next();
  while (!step.done) step = dialogue.next(ask(step.value));
  return step.value;
};

/** Leads a dialogue with rules that are elsewhere. */
export const concludeElsewhere = async (
  dialogue: RequestDialogue,
  ask: (question: Question) => Promise<Value | undefined>,
): Promise<RequestDecision> => {
  let step = dialogue.next();
  while (!step.done) step = dialogue.next(await ask(step.value));
  return step.value;
};

/**
 * Makes decisions of what rules answer about requests (docs/rego.md, "Requests"). Rules answer with a whole decision; those that give none are
 * asked for a word. What is not understood to its end is a denial that says why.
 */
export class RequestAnswerReader {
  readonly #options: AnswerOptions;

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  /** Throws only what whoever leads the dialogue throws into it. */
  *ask(intent: Intent, { content }: RequestFacts): RequestDialogue {
    const decision = yield* this.#answer(intent);
    // Nobody could say what such a request does, so no rule can vouch for it.
    if (content.kind !== 'malformed' || decision.action === 'deny') return decision;
    const { generation, policy, endpoint, rule } = decision;
    const reason = `the request cannot be understood: ${content.reason}`;
    const remedy = 'No rule can allow it; send a request that can be read.';
    return { action: 'deny', generation, code: 'request_malformed', reason, remedy, policy, endpoint, rule };
  }

  /** The denial for when there is no answer. */
  failed(why: string): Denied {
    return rulesFailed(this.#options, why);
  }

  *#answer(intent: Intent): RequestDialogue {
    const answer = yield 'request';
    if (answer !== undefined) return this.#whole(answer, intent);
    const word = yield 'allowRequest';
    if (word === undefined) {
      const why = 'they give no answer to this request, only to its connection';
      const remedy =
        'Add "request_authorization := policy.request_authorization" to the rules: then requests are what the policy file says.';
      return rulesFailed(this.#options, why, remedy);
    }
    if (word === true) return this.#allowed('allow', EMPTY, intent);
    const reason = yield 'requestDenyReason';
    return { ...this.#denied(EMPTY), ...(typeof reason === 'string' && reason !== '' ? { reason } : {}) };
  }

  #whole(answer: Value, intent: Intent): RequestDecision {
    try {
      if (!isObject(answer)) return this.failed('their answer is no object');
      const action = answer.getString('action');
      if (action === 'allow' || action === 'audit') return this.#allowed(action, answer, intent);
      if (action === 'deny') return this.#denied(answer);
      return this.failed('their answer has none of the actions "allow", "audit" and "deny"');
    } catch (thrown) {
      if (thrown instanceof Malformed) return this.failed(thrown.message);
      throw thrown;
    }
  }

  #allowed(action: 'allow' | 'audit', answer: RegoObject, { host }: Intent): RequestDecision {
    const { generation, origin } = this.#options;
    const endpoint = endpointIn(answer);
    const policy = textIn(answer, 'policy') || endpoint?.policy || 'rules';
    const rule = textIn(answer, 'rule') || `the rules (${origin})`;
    return {
      action,
      generation,
      reason: textIn(answer, 'reason') || `allowed by ${rule}`,
      policy,
      endpoint: endpoint ?? { policy, index: 0, host },
      rule,
    };
  }

  #denied(answer: RegoObject): Denied {
    const { generation, origin } = this.#options;
    const code = answer.getString('code');
    const policy = textIn(answer, 'policy');
    const endpoint = endpointIn(answer);
    const rule = textIn(answer, 'rule');
    return {
      action: 'deny',
      generation,
      code: typeof code === 'string' && DENY_CODES.has(code) ? (code as RequestDenyCode) : 'rules_denied',
      reason: textIn(answer, 'reason') || `the rules (${origin}) do not allow it`,
      remedy: textIn(answer, 'remedy') || `The rules in ${origin} would have to allow it.`,
      ...(policy === '' ? {} : { policy }),
      ...(endpoint ? { endpoint } : {}),
      ...(rule === '' ? {} : { rule }),
    };
  }
}

const endpointIn = (answer: RegoObject): EndpointRef | undefined => {
  const endpoint = answer.getString('endpoint');
  if (endpoint === undefined) return undefined;
  if (!isObject(endpoint)) throw new Malformed('endpoint is no object');
  const policy = textIn(endpoint, 'policy');
  const index = endpoint.getString('index');
  if (policy === '') throw new Malformed('endpoint has no policy');
  if (!isPosition(index)) throw new Malformed('endpoint has no index');
  return { policy, index, host: textIn(endpoint, 'host') };
};
