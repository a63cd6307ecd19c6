import type { Location } from './location.ts';

export type AnnotationScope = 'package' | 'subpackages' | 'document' | 'rule';

/** One `# METADATA` block. `fields` is what it says, as JSON, `scope` included. */
export interface Annotations {
  readonly scope: AnnotationScope;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly location: Location;
  /** The line of the last comment of the block. */
  readonly endRow: number;
  /** Path below `data` of what it describes. */
  readonly target?: readonly string[];
}
