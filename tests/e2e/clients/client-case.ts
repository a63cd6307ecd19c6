import type { ClientRun, ClientWorld } from './client-world.ts';

/** What one run must have been like. */
export interface Attempt extends ClientRun {
  readonly command: readonly string[];
  /** On standard output where it is allowed; anywhere in what was printed where it is refused. */
  readonly shows: RegExp;
  /** Among the HTTP events: `GET web.test/open/a 200`. */
  readonly requests?: readonly string[];
  /** What the origins must have noted, or, where it is refused, must not have. */
  readonly arrives: readonly string[];
}

/** A real client: what it may do, and what the policy refuses it at the same host. */
export interface ClientCase {
  readonly client: string;
  /** Programs of the system. */
  readonly needs?: readonly string[];
  /** What else is missing here. */
  readonly unless?: string | false;
  readonly allowed: Attempt;
  readonly refused: Attempt & {
    /** In the line on standard error of `openshell run`, which says who was refused what. */
    readonly line: RegExp;
  };
  /** Files and the like that the commands need. */
  prepare?(world: ClientWorld): void;
}

/** A line for `sh`. */
export const shell = (line: string): readonly string[] => ['sh', '-c', line];
