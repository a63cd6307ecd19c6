import { type Generation, messageOf, OpenShellError } from '@openshell/base';
import {
  type ConnectDecision,
  canonicalAddress,
  type Intent,
  type Middleware,
  type PolicyEngine,
  type RequestDecision,
  type RequestFacts,
} from '@openshell/policy';
import { fromJson, type Json, type JsonObject, type Value } from '@openshell/rego';
import { LIMITS } from '../limits.ts';
import { AnswerReader } from './answer.ts';
import { connectInput, nameInput, PACKAGE, QUESTIONS, type Question, requestInput } from './questions.ts';
import { conclude, RequestAnswerReader } from './request-answer.ts';

/** In pages of 64 KiB: data, input and everything that a program computes. */
const MEMORY_PAGES = { initial: 16, maximum: LIMITS.wasmMemory.value } as const;

export interface WasmEngineOptions {
  readonly generation: Generation;
  readonly program: Uint8Array<ArrayBuffer>;
  readonly origin: string;
  readonly data: JsonObject;
  /** Of the policy: what answers can name. */
  readonly middlewares?: readonly Middleware[];
}

/** What a compiled policy offers; the part of the SDK's `LoadedPolicy` that is used. */
export interface WasmPolicy {
  readonly entrypoints: Readonly<Record<string, number>>;
  evaluate(input: JsonObject, entrypoint: string): unknown;
  setData(data: JsonObject): void;
}

/**
 * Loads rules that OPA compiled (`opa build -t wasm -e openshell/sandbox/egress_authorization -e openshell/sandbox/request_authorization`).
 * @throws OpenShellError `wasm_invalid`
 */
export const loadWasmEngine = async (options: WasmEngineOptions): Promise<WasmEngine> => {
  const { program, origin, data } = options;
  let policy: WasmPolicy;
  try {
    const { loadPolicy } = await import('@open-policy-agent/opa-wasm');
    policy = (await loadPolicy(program, { ...MEMORY_PAGES })) as unknown as WasmPolicy;
    policy.setData(data);
  } catch (cause) {
    throw new OpenShellError(`${origin} is not a policy compiled to WebAssembly: ${messageOf(cause)}`, {
      code: 'wasm_invalid',
      remedy: `Build it with: opa build -t wasm -e ${entrypoint('connect')} RULES`,
      cause,
    });
  }
  if (!Object.hasOwn(policy.entrypoints, entrypoint('connect'))) {
    const known = Object.keys(policy.entrypoints).join(', ') || 'none';
    throw new OpenShellError(`${origin} has no entrypoint ${entrypoint('connect')} (it has: ${known})`, {
      code: 'wasm_invalid',
      remedy: `Build it with: opa build -t wasm -e ${entrypoint('connect')} RULES`,
    });
  }
  return new WasmEngine(policy, options);
};

/**
 * Rules as a WebAssembly program in this process. It has a bound of memory and none of time: WebAssembly cannot be interrupted, so this
 * engine is for rules that are trusted to end. Our own Rego engine counts steps.
 * Of the built-ins that are not in the program itself, the SDK has a few: a rule that needs another, or a verb of `sprintf` such as `%q`
 * that the SDK's does not know, gives no answer, which is a denial.
 */
export class WasmEngine implements PolicyEngine {
  readonly generation: Generation;
  readonly #policy: WasmPolicy;
  readonly #reader: AnswerReader;
  readonly #requests: RequestAnswerReader;

  constructor(
    policy: WasmPolicy,
    { generation, origin, middlewares }: Omit<WasmEngineOptions, 'program' | 'data'>,
  ) {
    this.generation = generation;
    this.#policy = policy;
    this.#reader = new AnswerReader({ generation, origin }, middlewares);
    this.#requests = new RequestAnswerReader({ generation, origin });
  }

  authorizeConnect(intent: Intent): ConnectDecision {
    try {
      return this.#reader.decide(this.#evaluate('connect', connectInput(intent)), intent);
    } catch (thrown) {
      return this.#reader.failed(messageOf(thrown));
    }
  }

  /** A program that has no entrypoint for requests has no answer to them. */
  authorizeRequest(intent: Intent, request: RequestFacts): RequestDecision {
    try {
      const input = requestInput(intent, request);
      return conclude(this.#requests.ask(intent, request), (question) =>
        this.#answers(question) ? this.#evaluate(question, input) : undefined,
      );
    } catch (thrown) {
      return this.#requests.failed(messageOf(thrown));
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

  /** Where the program does not say, each connection decides. */
  #holds(question: Question, input: JsonObject): boolean {
    if (!this.#answers(question)) return true;
    try {
      return this.#evaluate(question, input) === true;
    } catch {
      return false; // the connection itself is refused with the reason
    }
  }

  #answers(question: Question): boolean {
    return Object.hasOwn(this.#policy.entrypoints, entrypoint(question));
  }

  /** The program answers with a list of results, which is empty when the document is undefined. */
  #evaluate(question: Question, input: JsonObject): Value | undefined {
    const results = this.#policy.evaluate(input, entrypoint(question));
    if (!Array.isArray(results)) throw new Error('the program answers with something else than results');
    const result = (results[0] as { readonly result?: Json } | undefined)?.result;
    return result === undefined ? undefined : fromJson(result);
  }
}

const entrypoint = (question: Question): string => [...PACKAGE, QUESTIONS[question]].join('/');
