import type { Scratch } from './scratch.ts';
import type { Series } from './series.ts';
import type { Target } from './target.ts';

export interface TopicContext {
  /** How often everything is measured; each topic says what a round is. */
  readonly rounds: number;
  /** A rough answer in a fraction of the time. */
  readonly quick: boolean;
  /** Directory for what is needed while it runs. */
  readonly scratch: Scratch;
  /** Something that the reader has to know: a peer that is missing, a step that was left out. */
  readonly note: (text: string) => void;
}

export interface TopicResult {
  readonly series: readonly Series[];
  /** For each group, the name of the series that the others are divided by. */
  readonly references: Readonly<Record<string, string>>;
  readonly targets: readonly Target[];
}

export interface Topic {
  readonly name: string;
  /** What is measured, in a sentence. */
  readonly title: string;
  readonly run: (context: TopicContext) => Promise<TopicResult>;
}
