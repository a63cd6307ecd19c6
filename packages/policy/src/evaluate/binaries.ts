import type { Evidence } from '../engine.ts';
import { compileGlob, type Glob, globMatches } from '../glob/glob.ts';

/** Where a symbolic link leads inside the sandbox; undefined when the path is none, or leads nowhere. */
export type BinaryPathResolver = (path: string) => string | undefined;

/** The programs of one policy, ready to be matched. */
export class BinaryMatcher {
  readonly #exact = new Set<string>();
  readonly #globs: Glob[] = [];
  readonly #any: boolean;

  /** Exact paths that are links also admit what they lead to, since the kernel names programs by where they really are. */
  constructor(paths: readonly string[], resolve?: BinaryPathResolver) {
    this.#any = paths.includes('/**') || paths.includes('**');
    for (const path of paths) {
      const glob = compileGlob(path, '/');
      if (glob.literal === undefined) this.#globs.push(glob);
      else this.#addExact(glob.literal, resolve);
    }
  }

  /** Whether nothing can match. */
  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#globs.length === 0;
  }

  /** Whether the program or one of those that started it is admitted. `argv` never counts: the workload chooses it. */
  admits(evidence: Extract<Evidence, { kind: 'process' }>): boolean {
    if (this.matches(evidence.executable.path)) return true;
    const { ancestors } = evidence;
    for (let index = 0; index < ancestors.length; index++)
      if (this.matches(ancestors[index]!.path)) return true;
    return false;
  }

  matches(path: string): boolean {
    if (this.#any) return path.startsWith('/');
    if (this.#exact.has(path)) return true;
    for (const glob of this.#globs) if (globMatches(glob, path)) return true;
    return false;
  }

  #addExact(path: string, resolve: BinaryPathResolver | undefined): void {
    this.#exact.add(path);
    const target = resolve?.(path);
    if (target !== undefined) this.#exact.add(target);
  }
}
