import type { Location } from '../ast/location.ts';
import type { BuiltinContext, BuiltinLimits, Granted } from '../builtin.ts';
import { RegoError } from '../error.ts';
import { fromJson, isObject, type Json, RegoObject, type Value } from '../value/index.ts';
import type { Limits } from './limits.ts';

/** What all evaluations of a policy have in common. */
export interface SessionGround {
  readonly limits: Limits;
  readonly granted: Granted;
  readonly sharedCache: Map<string, unknown>;
  readonly parseModule: (filename: string, text: string) => Value;
}

/** What may be different from one evaluation to the next. */
export interface EvaluateOptions {
  /** Errors of built-ins end the evaluation instead of making the call undefined. */
  readonly strictBuiltinErrors?: boolean;
  /** Nanoseconds since 1970; the clock's time unless told. */
  readonly nowNs?: bigint;
  /** Makes `rand.intn` and the like repeatable. */
  readonly seed?: number;
  /** What `opa.runtime` tells. */
  readonly runtime?: Json;
  readonly print?: (text: string) => void;
  readonly trace?: (note: string) => void;
  /** Collects the places that evaluation came along; for coverage. */
  readonly covered?: Set<Location>;
}

/** What all parts of one evaluation share: its budget, and what built-ins may know. */
export class Session implements BuiltinContext {
  readonly #ground: SessionGround;
  readonly #options: EvaluateOptions;
  /** The places that were reached, when somebody wants to know. */
  readonly covered: Set<Location> | undefined;
  #steps: number;
  #variations = 0;
  #elements: number;
  #nowNs: bigint | undefined;
  #random: (() => number) | undefined;
  #cache: Map<string, unknown> | undefined;

  constructor(ground: SessionGround, options: EvaluateOptions) {
    this.#ground = ground;
    this.#options = options;
    this.covered = options.covered;
    this.#steps = ground.limits.maxSteps;
    this.#elements = ground.limits.maxElements;
    this.#nowNs = options.nowNs;
  }

  get strict(): boolean {
    return this.#options.strictBuiltinErrors === true;
  }

  /** One more step; called for every rule, iteration and call. */
  step(): void {
    this.#steps -= 1;
    if (this.#steps < 0) throw outOfSteps(this.#ground.limits);
  }

  spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw outOfSteps(this.#ground.limits);
  }

  /** One more element of a collection. */
  grow(): void {
    this.#steps -= 1;
    this.#elements -= 1;
    if (this.#elements < 0 || this.#steps < 0) throw outOfRoom(this.#ground.limits);
  }

  /** How often something was asked for that another evaluation may answer otherwise. */
  get variations(): number {
    return this.#variations;
  }

  /** Notes that what is being computed holds for this evaluation only. */
  vary(): void {
    this.#variations += 1;
  }

  get nowNs(): bigint {
    this.vary();
    this.#nowNs ??= BigInt(Date.now()) * 1_000_000n;
    return this.#nowNs;
  }

  random(): number {
    this.vary();
    const { seed } = this.#options;
    this.#random ??= seed === undefined ? Math.random : seeded(seed);
    return this.#random();
  }

  get cache(): Map<string, unknown> {
    this.vary();
    this.#cache ??= new Map();
    return this.#cache;
  }

  get sharedCache(): Map<string, unknown> {
    return this.#ground.sharedCache;
  }

  get limits(): BuiltinLimits {
    const { maxStringLength, maxElements } = this.#ground.limits;
    return { maxStringLength, maxCollectionSize: maxElements };
  }

  get runtime(): RegoObject {
    this.vary();
    const { runtime } = this.#options;
    const value = runtime === undefined ? undefined : fromJson(runtime);
    return isObject(value) ? value : new RegoObject();
  }

  get granted(): Granted {
    this.vary();
    return this.#ground.granted;
  }

  print(text: string): void {
    this.vary();
    this.#options.print?.(text);
  }

  trace(note: string): void {
    this.vary();
    this.#options.trace?.(note);
  }

  parseModule(filename: string, text: string): Value {
    return this.#ground.parseModule(filename, text);
  }
}

const outOfSteps = ({ maxSteps }: Limits): RegoError =>
  new RegoError('eval_limit_error', `the evaluation took more than ${maxSteps} steps`);

const outOfRoom = ({ maxElements }: Limits): RegoError =>
  new RegoError('eval_limit_error', `the evaluation made more than ${maxElements} elements of collections`);

/** A small generator (mulberry32) for evaluations that must be repeatable; not for secrets. */
const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
