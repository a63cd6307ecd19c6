/** What a value is, so that a shell can complete it. A list holds every word that is allowed. */
export type ValueKind = 'file' | 'directory' | 'command' | 'variable' | 'text' | readonly string[];

export interface ValueSpec {
  /** As it stands in the synopsis: `FILE`, `SECONDS`. */
  readonly placeholder: string;
  readonly kind: ValueKind;
}

export interface OptionSpec {
  /** Without the two hyphens. */
  readonly name: string;
  /** One letter, without the hyphen. */
  readonly short?: string;
  /** Absent: the option is a flag. */
  readonly value?: ValueSpec;
  readonly repeat?: boolean;
  readonly required?: boolean;
  /** A few words, for completion. */
  readonly summary: string;
  /** Full sentences: what it does, its unit, its default. */
  readonly details: string;
}

/** What may stand after the options. */
export type OperandsSpec =
  | { readonly kind: 'none' }
  | { readonly kind: 'words'; readonly value: ValueSpec; readonly minimum: number; readonly maximum: number }
  /** The rest of the line, as it is: a program and its arguments. */
  | { readonly kind: 'program' };

export interface Example {
  readonly line: string;
  readonly explains: string;
}

export interface ExitCode {
  readonly code: string;
  readonly meaning: string;
}

/** One command: everything that the parser, the help, the completion and the documentation know of it. */
export interface CommandSpec<Name extends string = string> {
  /** The words after `openshell`, separated by one blank. */
  readonly name: Name;
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly operands: OperandsSpec;
  readonly options: readonly OptionSpec[];
  readonly examples: readonly Example[];
  readonly exitCodes: readonly ExitCode[];
  /** The exit code of a mistake in the command line, and of whatever keeps the command from doing its work. */
  readonly failure: number;
  /** What `--json` prints, as a commented example. */
  readonly json?: string;
}

/** The options that every command has. */
export const commonOptions = [
  {
    name: 'help',
    short: 'h',
    summary: 'show what the command does and how',
    details: 'Shows this text and does nothing else.',
  },
] as const satisfies readonly OptionSpec[];
