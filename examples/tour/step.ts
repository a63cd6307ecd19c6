/** What one command did. */
export interface Outcome {
  readonly code: number;
  /** Standard output and error as they came, together. */
  readonly output: string;
}

/** One thing that the tour shows. */
export interface Step {
  readonly title: string;
  /** A line for `sh`, shown as it is. */
  readonly command: string;
  /** Programs of the system without which the step is skipped. */
  readonly needs: readonly string[];
  /** What the person sees in it; said when `holds`. */
  readonly verdict: string;
  holds(outcome: Outcome): boolean;
}

export interface Chapter {
  readonly title: string;
  readonly steps: readonly Step[];
}
