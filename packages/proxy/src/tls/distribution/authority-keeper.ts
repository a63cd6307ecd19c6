import { messageOf, OpenShellError } from '@openshell/base';
import { once } from '../../once.ts';
import { type AuthorityNotice, authorityNotice } from '../authority-notice.ts';
import { AuthorityRing } from '../authority-ring.ts';
import { type AuthorityOutput, publish } from './authority-output.ts';
import {
  type AuthoritySource,
  isExposed,
  keyFile,
  type OperatorSource,
  readAuthority,
  watchedPaths,
} from './authority-source.ts';

/** Steps of a rotation are days apart; outputs that could not be written are tried again as often. */
const CHECK_MS = 3_600_000;

export interface AuthorityKeeperOptions {
  readonly source: AuthoritySource;
  /** From the moment at which an operator's new pair is read until it signs; 0: at once. */
  readonly overlapMs: number;
  readonly outputs: readonly AuthorityOutput[];
  /** Must not throw. */
  readonly report: (notice: AuthorityNotice) => void;
}

/** The authority of one proxy program: reads it where its operator put it, and publishes what clients have to trust at each change. */
export class AuthorityKeeper implements Disposable {
  readonly #options: AuthorityKeeperOptions;
  readonly #ring: () => AuthorityRing;
  #made: AuthorityRing | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Outputs that do not have the bundle of this moment. */
  #stale = new Set<AuthorityOutput>();

  private constructor(options: AuthorityKeeperOptions) {
    this.#options = options;
    this.#ring = once(() => this.#begin());
  }

  /**
   * Throws what is wrong with the operator's pair, or `authority_unwritable`. An authority in memory that is published nowhere is made
   * when it is first asked for.
   */
  static start(options: AuthorityKeeperOptions): AuthorityKeeper {
    const keeper = new AuthorityKeeper(options);
    if (options.source.kind === 'memory' && options.outputs.length === 0) return keeper;
    const { bundlePem } = keeper.ring();
    for (const output of options.outputs) publish(output, bundlePem);
    return keeper;
  }

  /** What there is without anybody having asked for it. */
  get made(): AuthorityRing | undefined {
    return this.#made;
  }

  /** For the proxy. */
  ring(): AuthorityRing {
    return this.#ring();
  }

  /** Files and directories that `reload` reads. */
  get watched(): readonly string[] {
    return watchedPaths(this.#options.source);
  }

  /** Reads the operator's pair again. What cannot be used is reported, and the last good one stays. */
  reload(): void {
    const { source, overlapMs, report } = this.#options;
    if (source.kind === 'memory') return;
    try {
      this.#ring().offer(readAuthority(source), overlapMs);
    } catch (error) {
      report(authorityNotice('refused', `${explained(error)} The authority stays as it was.`));
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #begin(): AuthorityRing {
    const { source, report } = this.#options;
    const ring =
      source.kind === 'memory' ? AuthorityRing.inMemory() : AuthorityRing.ofOperator(readAuthority(source));
    if (source.kind !== 'memory') this.#reportExposed(source);
    this.#made = ring;
    ring.onNotice(report);
    ring.onChange(() => {
      this.#stale = new Set(this.#options.outputs);
      this.#publishStale(ring);
    });
    this.#timer = setInterval(() => {
      ring.check();
      this.#publishStale(ring);
    }, CHECK_MS).unref();
    return ring;
  }

  #publishStale(ring: AuthorityRing): void {
    for (const output of this.#stale) {
      try {
        publish(output, ring.bundlePem);
        this.#stale.delete(output);
      } catch (error) {
        this.#options.report(authorityNotice('unwritable', explained(error)));
      }
    }
  }

  #reportExposed(source: OperatorSource): void {
    if (!isExposed(source)) return;
    const message = `Every user of this machine can read the authority's key ${keyFile(source)}: make it readable to this one alone.`;
    this.#options.report(authorityNotice('exposed', message));
  }
}

const explained = (error: unknown): string =>
  error instanceof OpenShellError && error.remedy !== undefined
    ? `${error.message}. ${error.remedy}`
    : `${messageOf(error)}.`;
