/** The words of one command line after they were checked against the command's options. */
export class Arguments {
  readonly operands: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>, operands: readonly string[]) {
    this.#values = values;
    this.operands = operands;
  }

  /** Whether the option was given at all. */
  has(option: string): boolean {
    return this.#values.has(option);
  }

  /** The value of an option that may be given once. */
  value(option: string): string | undefined {
    return this.#values.get(option)?.[0];
  }

  /** The value of an option that the command requires: the parser has refused the line without it. */
  required(option: string): string {
    return this.#values.get(option)![0]!;
  }

  /** The values of an option that may be repeated, in their order. */
  values(option: string): readonly string[] {
    return this.#values.get(option) ?? [];
  }
}
