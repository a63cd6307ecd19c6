import type { Json } from '../src/index.ts';

/** One case of OPA's suite, as far as it matters to an evaluation. */
export interface Case {
  readonly note: string;
  readonly query: string;
  readonly modules?: readonly string[] | null;
  readonly data?: Json;
  readonly input?: Json;
  /** The input as Rego text, when JSON cannot say it. */
  readonly input_term?: string;
  readonly want_result?: readonly Readonly<Record<string, Json>>[] | null;
  readonly want_error_code?: string;
  readonly want_error?: string;
  readonly sort_bindings?: boolean;
  readonly strict_error?: boolean;
  readonly file?: string;
}

export interface CaseFile {
  readonly cases: readonly Case[];
}

export const isCaseFile = (parsed: unknown): parsed is CaseFile =>
  typeof parsed === 'object' && parsed !== null && Array.isArray((parsed as { cases?: unknown }).cases);
