import type { Body } from './ast/expr.ts';
import type { Module, RegoVersion } from './ast/module.ts';
import { moduleToJson } from './ast/opa-json.ts';
import { call, type Term, variable } from './ast/term.ts';
import { type BuiltinDeclaration, BuiltinError, type Granted } from './builtin.ts';
import { builtins as standardBuiltins } from './builtins/index.ts';
import { compileProgram, compileQuery, type Program } from './compile/program.ts';
import { RegoError } from './error.ts';
import { type Cached, Evaluation, patched } from './evaluate/evaluation.ts';
import { DEFAULT_LIMITS, type Limits } from './evaluate/limits.ts';
import { ProgramLinker } from './evaluate/program-linker.ts';
import { CompiledQuery } from './evaluate/query.ts';
import { type EvaluateOptions, Session, type SessionGround } from './evaluate/session.ts';
import { guarded } from './guard.ts';
import { type ParseOptions, parseModule, parseQuery } from './syntax/parse.ts';
import { fromJson, type Json, RegoObject, toJson, type Value } from './value/index.ts';

export interface CompileOptions {
  /** The base document: what `data` has besides rules. Not to be changed afterwards; see `Policy.withData`. */
  readonly data?: Json | RegoObject;
  /** `v1` unless told. */
  readonly version?: RegoVersion;
  /** Longest text of a module, in UTF-16 units; 4 Mi unless told. */
  readonly maxModuleLength?: number;
  /** Refuse also what OPA's strict mode refuses. */
  readonly strict?: boolean;
  /** Built-ins besides the standard ones, or instead of them. */
  readonly builtins?: Iterable<BuiltinDeclaration>;
  /** Abilities that policies have not by themselves: the network. */
  readonly granted?: Granted;
  readonly limits?: Partial<Limits>;
}

/** A query of a policy; calling it answers it. */
export interface Query {
  /** The value of the query's expression, as JSON; undefined when it is undefined. */
  (input?: Json, options?: EvaluateOptions): Json | undefined;
  /** The same as a value, with sets and all digits of numbers. The input may be a value that was made before. */
  value(input?: Value, options?: EvaluateOptions): Value | undefined;
  /** All solutions, each the values of the query's variables. */
  results(input?: Value, options?: EvaluateOptions): readonly ReadonlyMap<string, Value>[];
}

/** Modules by file name, or already parsed. */
export type Modules = Readonly<Record<string, string>> | readonly Module[];

/**
 * Compiles modules to a policy.
 * Throws a RegoError with the place and the offending line; `all` has the others of the same pass.
 */
export const compile = (modules: Modules, options: CompileOptions = {}): Policy =>
  guarded(() => compileUnguarded(modules, options));

const compileUnguarded = (modules: Modules, options: CompileOptions): Policy => {
  const parsed = isParsed(modules)
    ? modules
    : Object.entries(modules).map(([file, text]) => parseModule(file, text, parseOptions(options)));
  const builtins = effectiveBuiltins(options);
  const program = compileProgram(parsed, { builtins, strict: options.strict === true });
  return new Policy(program, options);
};

const isParsed = (modules: Modules): modules is readonly Module[] => Array.isArray(modules);

const parseOptions = ({ version, maxModuleLength }: CompileOptions): ParseOptions => ({
  ...(version === undefined ? {} : { version }),
  ...(maxModuleLength === undefined ? {} : { maxLength: maxModuleLength }),
});

/** The standard built-ins, and the embedder's own. Those that need a grant say so when they are called without it. */
const effectiveBuiltins = ({ builtins = [] }: CompileOptions): ReadonlyMap<string, BuiltinDeclaration> => {
  const all = new Map(standardBuiltins);
  for (const declaration of builtins) all.set(declaration.name, declaration);
  return all;
};

/** Compiled modules with their data. Cheap to query as often as one likes; safe to share. */
export class Policy {
  readonly #program: Program;
  readonly #options: CompileOptions;
  readonly #ground: SessionGround;
  readonly #linker: ProgramLinker;
  #data: Value;
  #constants = newConstants();

  constructor(program: Program, options: CompileOptions) {
    this.#program = program;
    this.#options = options;
    this.#ground = {
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      granted: options.granted ?? {},
      sharedCache: new Map(),
      parseModule: parseToJson,
    };
    this.#linker = new ProgramLinker(program);
    this.#data = toValue(options.data ?? {});
  }

  get program(): Program {
    return this.#program;
  }

  /** Replaces the base document, or what it has at a path. Nothing is compiled again. */
  setData(data: Json | RegoObject, path: readonly string[] = []): void {
    this.#data = patched(this.#data, path, toValue(data));
    this.#constants = newConstants();
  }

  /**
   * Prepares a query: an expression such as `data.x.allow`, or statements with variables.
   * Throws a RegoError.
   */
  query(text: string): Query {
    return guarded(() => this.#prepare(text));
  }

  #prepare(text: string): Query {
    const body = parseQuery(text, parseOptions(this.#options));
    const value = this.#valueQuery(body);
    let all: CompiledQuery | undefined;
    const results: Query['results'] = (input, options = {}) => {
      all ??= new CompiledQuery(compileQuery(body, this.#program), this.#linker);
      return all.results(this.#evaluation(input, options), this.#ground.limits);
    };
    const getValue: Query['value'] = (input, options = {}) =>
      value.first(this.#evaluation(input, options), VALUE);
    const query = (input?: Json, options?: EvaluateOptions) => {
      const found = getValue(input === undefined ? undefined : guarded(() => fromJson(input)), options);
      return found === undefined ? undefined : guarded(() => toJson(found));
    };
    return Object.assign(query, { value: getValue, results });
  }

  /** The query whose variable `VALUE` is the value of a single expression, or `true` for statements that hold. */
  #valueQuery(body: Body): CompiledQuery {
    const last = body.at(-1)!;
    const { location } = last;
    const bind = (term: Term) => call('eq', [variable(VALUE, location), term], location, '=');
    const isValue = last.statement.type === 'term' && !last.negated && !isEquation(last.statement.term);
    const extended: Body = isValue
      ? [
          ...body.slice(0, -1),
          { ...last, statement: { type: 'term', term: bind((last.statement as TermStatement).term) } },
        ]
      : [
          ...body,
          {
            negated: false,
            with: [],
            location,
            statement: { type: 'term', term: bind({ type: 'scalar', value: true, location }) },
          },
        ];
    return new CompiledQuery(compileQuery(extended, this.#program), this.#linker);
  }

  #evaluation(input: Value | undefined, options: EvaluateOptions): Evaluation {
    const session = new Session(this.#ground, options);
    const { strict, lenient } = this.#constants;
    const constants = session.strict ? strict : lenient;
    // Whoever wants to know what was reached wants to see it reached.
    const shared = options.covered === undefined ? constants : undefined;
    return new Evaluation(session, { input, data: this.#data }, shared);
  }
}

/**
 * Documents that depend on data alone, until data changes. Those that were computed while errors of built-ins were
 * forgiven are of no use where they are not.
 */
const newConstants = (): Readonly<Record<'strict' | 'lenient', (Cached | undefined)[]>> => ({
  strict: [],
  lenient: [],
});

type TermStatement = Extract<Body[number]['statement'], { type: 'term' }>;

/** Not a name that a query could have. */
const VALUE = 'value of the query';

const isEquation = (term: Term): boolean =>
  term.type === 'call' &&
  term.operator.type === 'var' &&
  (term.operator.name === 'eq' || term.operator.name === 'assign');

const toValue = (data: Json | RegoObject): Value => (data instanceof RegoObject ? data : fromJson(data));

/** OPA's text for a module that cannot be parsed, as an error of the built-in that was to parse it. */
const parseToJson = (filename: string, text: string): Value => {
  try {
    return moduleToJson(parseModule(filename, text));
  } catch (error) {
    throw error instanceof RegoError ? new BuiltinError(`1 error occurred: ${error.line}`) : error;
  }
};
