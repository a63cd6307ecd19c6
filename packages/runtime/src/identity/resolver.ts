import { closeSync, openSync, readSync } from 'node:fs';
import { contentKey, type HashCache } from './hash-cache.ts';
import type { ExecutableIdentity, ProcessIdentity, UnknownCode } from './identity.ts';
import type { OwnerChain, ProcessFacts, WhoReply } from './reply.ts';

export interface IdentityResolverOptions {
  readonly hashes: HashCache;
  /** The sandbox's /proc, reachable from the supervisor. */
  readonly procPath: string;
  /** Whether the workload could write this path. */
  readonly writable: (path: string) => boolean;
}

/** Distinct executables remembered for trust on first use; more than that in one sandbox is refused. */
const MAX_KNOWN_PATHS = 16384;
const MAX_ARGV_BYTES = 4096;

const PROBLEMS: Readonly<Record<string, { code: UnknownCode; reason: string }>> = {
  gone: { code: 'gone', reason: 'the connection ended before its owner could be found' },
  none: { code: 'gone', reason: 'no process of the sandbox holds the connection any more' },
  vanished: { code: 'gone', reason: 'the process that holds the connection ended while it was looked at' },
  many: { code: 'shared', reason: 'too many processes hold the connection' },
};

const unknown = (code: UnknownCode, reason: string): ProcessIdentity => ({ kind: 'unknown', code, reason });

/** A program that never was a file has no name that a policy could mean (memfd_create(2)). */
const isAnonymous = (exe: string): boolean => exe.startsWith('/memfd:');

/** A file that was replaced while it ran keeps its name in the kernel's answer, with a mark. */
const withoutDeletedMark = (exe: string): string => (exe.endsWith(' (deleted)') ? exe.slice(0, -10) : exe);

/** Turns the launcher's facts into an identity, trusting each path's first content for the sandbox's life. */
export class IdentityResolver {
  readonly #options: IdentityResolverOptions;
  readonly #firstUse = new Map<string, ExecutableIdentity>();
  readonly #seen = new Map<string, ExecutableIdentity>();

  constructor(options: IdentityResolverOptions) {
    this.#options = options;
  }

  async resolve(reply: WhoReply): Promise<ProcessIdentity> {
    if ('problem' in reply) {
      const known = PROBLEMS[reply.problem];
      return unknown(
        known?.code ?? 'unreadable',
        known?.reason ?? `the owner of the connection is unreadable (${reply.problem})`,
      );
    }
    const [first, ...others] = reply.owners;
    if (!first) return unknown('gone', PROBLEMS.none!.reason);
    const identity = await this.#identify(first);
    for (const other of others) {
      const also = await this.#identify(other);
      if (identity.kind === 'process' && also.kind === 'process') {
        if (identity.executable === also.executable) continue;
        const names = `${identity.executable.path} and ${also.executable.path}`;
        return unknown('shared', `${names} hold the same connection`);
      }
      if (also.kind === 'unknown') return also;
    }
    return identity;
  }

  async #identify(chain: OwnerChain): Promise<ProcessIdentity> {
    try {
      const executables: ExecutableIdentity[] = [];
      for (const facts of chain) {
        if (isAnonymous(facts.exe))
          return unknown(
            'anonymous',
            'a program that exists in memory only opened the connection, or started what did',
          );
        const executable = await this.#executable(facts);
        if (typeof executable === 'string') return unknown('binary_changed', executable);
        executables.push(executable);
      }
      const [executable, ...ancestors] = executables;
      return {
        kind: 'process',
        pid: chain[0].pid,
        executable: executable!,
        ancestors,
        argv: this.#argv(chain[0].pid),
      };
    } catch {
      // The process ended or changed its program in between: whoever it was, it is not known now.
      return unknown('gone', PROBLEMS.vanished!.reason);
    }
  }

  /** The identity, or the reason why the path is no longer trusted. */
  async #executable(facts: ProcessFacts): Promise<ExecutableIdentity | string> {
    const key = contentKey(facts);
    const known = this.#seen.get(`${facts.exe}\0${key}`);
    if (known) return known;
    const path = withoutDeletedMark(facts.exe);
    const sha256 = await this.#options.hashes.sha256(key, `${this.#options.procPath}/${facts.pid}/exe`);
    const first = this.#firstUse.get(path);
    if (first && first.sha256 !== sha256) return `${path} is not the program that it was at its first use`;
    const identity = first ?? { path, sha256, pinned: !this.#options.writable(path) };
    if (!first && this.#firstUse.size >= MAX_KNOWN_PATHS)
      return `more than ${MAX_KNOWN_PATHS} different programs`;
    this.#firstUse.set(path, identity);
    if (this.#seen.size < MAX_KNOWN_PATHS) this.#seen.set(`${facts.exe}\0${key}`, identity);
    return identity;
  }

  /** Synchronous: the kernel answers from memory, and a round through the thread pool costs ten times as much. */
  #argv(pid: number): string[] {
    const file = openSync(`${this.#options.procPath}/${pid}/cmdline`, 'r');
    try {
      const buffer = Buffer.allocUnsafe(MAX_ARGV_BYTES);
      const words = buffer.toString('utf8', 0, readSync(file, buffer)).split('\0');
      return words.at(-1) === '' ? words.slice(0, -1) : words;
    } finally {
      closeSync(file);
    }
  }
}
