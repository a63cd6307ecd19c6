import type { Location } from './ast/location.ts';

/** OPA's codes, and two of our own: an evaluation that goes beyond its limits, and a bundle that cannot be read. */
export type RegoErrorCode =
  | 'rego_parse_error'
  | 'rego_compile_error'
  | 'rego_type_error'
  | 'rego_unsafe_var_error'
  | 'rego_recursion_error'
  | 'eval_conflict_error'
  | 'eval_type_error'
  | 'eval_builtin_error'
  | 'eval_limit_error'
  | 'bundle_error';

/** Everything that can be wrong with a policy. `message` says what; `location` where, with the offending line. */
export class RegoError extends Error {
  readonly code: RegoErrorCode;
  readonly location: Location | undefined;
  /** All errors of the same pass, this one first. */
  readonly all: readonly RegoError[];

  constructor(code: RegoErrorCode, message: string, location?: Location, more: readonly RegoError[] = []) {
    super(message);
    this.name = 'RegoError';
    this.code = code;
    this.location = location;
    this.all = [this, ...more];
  }

  /** One line as OPA writes it: `file:row: code: message`. */
  get line(): string {
    const place = this.location === undefined ? '' : `${position(this.location, false)}: `;
    return `${place}${this.code}: ${this.message}`;
  }

  /** For people: `file:line:column: code: message`, the offending line, and a mark below the column. */
  describe(): string {
    if (this.location === undefined) return this.line;
    const head = `${position(this.location, true)}: ${this.code}: ${this.message}`;
    const text = this.location.source.lineText(this.location.row);
    if (text.trim() === '') return head;
    const indent = text.slice(0, this.location.column - 1).replace(/[^\t]/g, ' ');
    return `${head}\n\t${text}\n\t${indent}^`;
  }
}

/** One error that carries all; for passes that find several. Throws nothing when there are none. */
export const throwAll = (errors: readonly RegoError[]): void => {
  const [first, ...others] = errors;
  if (first !== undefined) throw new RegoError(first.code, first.message, first.location, others);
};

const position = (location: Location, withColumn: boolean): string => {
  const { file } = location.source;
  const row = withColumn ? `${location.row}:${location.column}` : String(location.row);
  if (file === '') return withColumn ? row : `${location.row}:${location.column}`;
  return `${file}:${row}`;
};
