export interface OpenShellErrorOptions {
  /** Stable, lower-case with underscores: what a program may branch on. */
  readonly code: string;
  /** What the person can do about it, as one sentence. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/**
 * The one error family of OpenShell. The message says what went wrong and where; `remedy` says what to do;
 * `code` stays the same across versions. Made at the place that knows, never rebuilt from another error's text.
 */
export class OpenShellError extends Error {
  readonly code: string;
  readonly remedy: string | undefined;

  constructor(message: string, options: OpenShellErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'OpenShellError';
    this.code = options.code;
    this.remedy = options.remedy;
  }
}

/** The text of anything that was thrown. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);
