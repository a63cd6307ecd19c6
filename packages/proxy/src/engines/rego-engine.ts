import { type Generation, OpenShellError } from '@openshell/base';
import {
  type ConnectDecision,
  canonicalAddress,
  type Intent,
  type Middleware,
  type PolicyEngine,
  type RequestDecision,
  type RequestFacts,
} from '@openshell/policy';
import {
  compile,
  fromJson,
  type JsonObject,
  type Module,
  parseModule,
  type Query,
  RegoError,
  type Limits as RegoLimits,
  type RegoObject,
  type RegoVersion,
  type Value,
} from '@openshell/rego';
import { LIMITS } from '../limits.ts';
import { AnswerReader } from './answer.ts';
import {
  connectInput,
  nameInput,
  PACKAGE,
  QUESTIONS,
  type Question,
  referenceTo,
  requestInput,
} from './questions.ts';
import { conclude, RequestAnswerReader } from './request-answer.ts';
import { withShippedModules } from './shipped-modules.ts';

/** Far beyond what sensible rules need, and soon enough over for everybody else's connections. */
const RULE_LIMITS: RegoLimits = {
  maxSteps: LIMITS.ruleSteps.value,
  maxElements: LIMITS.ruleElements.value,
  maxStringLength: LIMITS.ruleText.value,
  maxResults: 1,
};

export interface RegoEngineOptions {
  readonly generation: Generation;
  /** Texts by file name. None: our own rules, which answer as the policy file says. */
  readonly modules: Readonly<Record<string, string>>;
  /** How the modules are written; `v1` unless told. */
  readonly version?: RegoVersion;
  /** What `data` is: `policyData` of a policy, and whatever the rules want. Must not change afterwards. */
  readonly data: JsonObject | RegoObject;
  /** Of the policy: what answers can name. */
  readonly middlewares?: readonly Middleware[];
  readonly limits?: Partial<RegoLimits>;
}

/** Rules in Rego that are put the same questions as the built-in evaluator, in this process and at once. */
export class RegoEngine implements PolicyEngine {
  readonly generation: Generation;
  /** What the rules answer; what they do not say is absent. */
  readonly #queries: ReadonlyMap<Question, Query>;
  readonly #connect: Query;
  readonly #reader: AnswerReader;
  readonly #requests: RequestAnswerReader;

  /** @throws OpenShellError `rules_invalid` with every place as `file:line:column`, its line and what is wrong with it. */
  constructor(options: RegoEngineOptions) {
    const { generation, data, limits, middlewares } = options;
    this.generation = generation;
    const modules = readModules(options);
    const policy = reported(() => compile(modules, { data, limits: { ...RULE_LIMITS, ...limits } }));
    this.#queries = new Map(
      QUESTION_NAMES.filter(
        (question) => policy.program.tree.find([...PACKAGE, QUESTIONS[question]]) !== undefined,
      ).map((question) => [question, policy.query(referenceTo(question))]),
    );
    const connect = this.#queries.get('connect');
    if (connect === undefined) throw unanswered(Object.keys(options.modules));
    this.#connect = connect;
    const origin = originOf(options);
    this.#reader = new AnswerReader({ generation, origin }, middlewares);
    this.#requests = new RequestAnswerReader({ generation, origin });
  }

  authorizeConnect(intent: Intent): ConnectDecision {
    let answer: Value | undefined;
    try {
      answer = this.#connect.value(fromJson(connectInput(intent)));
    } catch (thrown) {
      return this.#reader.failed(textOf(thrown));
    }
    return this.#reader.decide(answer, intent);
  }

  authorizeRequest(intent: Intent, request: RequestFacts): RequestDecision {
    try {
      const input = fromJson(requestInput(intent, request));
      return conclude(this.#requests.ask(intent, request), (question) =>
        this.#queries.get(question)?.value(input),
      );
    } catch (thrown) {
      return this.#requests.failed(textOf(thrown));
    }
  }

  couldAllowName(host: string): boolean {
    const input = nameInput(host);
    return input !== undefined && this.#holds('name', input);
  }

  couldAllowAddress(text: string, port: number): boolean {
    const host = canonicalAddress(text);
    return host !== undefined && this.#holds('address', { network: { host, port } });
  }

  /** Only `true` is a yes; what cannot be computed is a no. Where the rules do not say, each connection decides. */
  #holds(question: Question, input: JsonObject): boolean {
    const query = this.#queries.get(question);
    if (query === undefined) return true;
    try {
      return query.value(fromJson(input)) === true;
    } catch {
      return false; // the connection itself is refused with the reason
    }
  }
}

const QUESTION_NAMES = Object.keys(QUESTIONS) as readonly Question[];

const textOf = (thrown: unknown): string => (thrown instanceof RegoError ? thrown.line : String(thrown));

const readModules = ({ modules, version }: RegoEngineOptions): readonly Module[] => {
  const options = version === undefined ? {} : { version };
  return withShippedModules(
    Object.entries(modules).map(([file, text]) => reported(() => parseModule(file, text, options))),
  );
};

const originOf = ({ modules }: RegoEngineOptions): string =>
  Object.keys(modules).slice(0, 3).join(', ') || 'openshell.sandbox';

const reported = <T>(work: () => T): T => {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof RegoError)) throw cause;
    throw new OpenShellError(
      `the rules are not valid:\n${cause.all.map((error) => error.describe()).join('\n')}`,
      {
        code: 'rules_invalid',
        remedy: "'openshell rego check' shows the same for files and directories.",
        cause,
      },
    );
  }
};

const unanswered = (files: readonly string[]): OpenShellError =>
  new OpenShellError(`none of the rules (${files.join(', ')}) defines ${referenceTo('connect')}`, {
    code: 'rules_invalid',
    remedy:
      'Write a module with "package openshell.sandbox" and the rule "egress_authorization"; docs/rego.md shows one to begin with.',
  });
