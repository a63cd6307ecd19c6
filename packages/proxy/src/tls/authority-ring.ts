import { OpenShellError } from '@openshell/base';
import type { AuthorityStatus, RotationStep } from '@openshell/control';
import { LIMITS } from '../limits.ts';
import { type Leaf, SigningAuthority } from './authority.ts';
import { AuthorityKeys, type PreviousAuthority, type RingContent } from './authority-keys.ts';
import { type AuthorityNotice, authorityNotice } from './authority-notice.ts';
import { areIndistinguishable } from './certificate-fields.ts';
import { readCertificates } from './pem.ts';
import {
  endsSoon,
  isValidAt,
  needsSuccessor,
  possibleSteps,
  type RingOrigin,
  refusedStep,
} from './rotation.ts';

/** Makes certificates for inspected hosts. Another object as soon as what it made before is not to be shown any more. */
export interface LeafIssuer {
  /** As `SigningAuthority.issueLeaf`. Throws `authority_expired`. */
  issue(host: string, spki: Buffer, now: number): Leaf;
}

export interface RingClock {
  /** Milliseconds since 1970; may jump. What certificates are compared with. */
  now(): number;
  /** Milliseconds since some moment; never jumps. What an overlap is measured with. */
  elapsed(): number;
}

const CLOCK: RingClock = { now: Date.now, elapsed: () => performance.now() };

/**
 * Who signs for inspected hosts, who will, and who did: clients trust all of them, so that there is no moment in a rotation at which
 * a client does not believe what it is shown. Where time makes a step due, it is taken when the ring is next used or checked:
 * there is no timer that a suspended machine could miss.
 */
export class AuthorityRing {
  readonly #origin: RingOrigin;
  readonly #clock: RingClock;
  #content: RingContent;
  #issuer: LeafIssuer;
  /** By `elapsed`; undefined: only when somebody says so, or the signing one has expired. */
  #activateAt: number | undefined;
  readonly #onChange = new Set<() => void>();
  readonly #onNotice = new Set<(notice: AuthorityNotice) => void>();
  /** What was said already, by kind and fingerprint; of no more authorities than are in the ring. */
  #said = new Set<string>();

  private constructor(content: RingContent, origin: RingOrigin, clock: RingClock) {
    this.#content = content;
    this.#origin = origin;
    this.#clock = clock;
    this.#issuer = issuerOf(content);
  }

  /** A new authority that exists nowhere else and renews itself. Takes some 15 ms. */
  static inMemory(clock: RingClock = CLOCK): AuthorityRing {
    return new AuthorityRing({ signing: SigningAuthority.create(clock.now()) }, 'memory', clock);
  }

  /** An operator's, which is followed by what the operator offers. */
  static ofOperator(signing: SigningAuthority, clock: RingClock = CLOCK): AuthorityRing {
    return new AuthorityRing({ signing }, 'operator', clock);
  }

  /** What another process of the same proxy exported. It goes with that one's rotations by `adopt`. Throws `authority_invalid`. */
  static shared(keys: AuthorityKeys, clock: RingClock = CLOCK): AuthorityRing {
    return new AuthorityRing(keys.open(), 'shared', clock);
  }

  /** What clients have to trust at this moment. */
  get bundlePem(): string {
    return this.status().bundlePem;
  }

  status(): AuthorityStatus {
    this.check();
    const { signing, next, previous } = this.#content;
    const certificates = [
      { role: 'signing', authority: signing } as const,
      ...(next === undefined ? [] : [{ role: 'next', authority: next } as const]),
      ...(previous === undefined ? [] : [{ role: 'previous', authority: previous } as const]),
    ].map(({ role, authority }) => ({
      role,
      pem: authority.certificatePem,
      fingerprint: authority.fingerprint,
      notBefore: authority.notBefore.getTime(),
      notAfter: authority.notAfter.getTime(),
    }));
    return { certificates, bundlePem: joined(certificates.map(({ pem }) => pem)) };
  }

  /** Who makes certificates at this moment. The same object until there is a reason to make them anew. */
  issuer(): LeafIssuer {
    this.check();
    return this.#issuer;
  }

  /** Goes on with a rotation. Throws `ControlRefusal` `rotation_order`, which says what is possible. */
  rotate(step: RotationStep): AuthorityStatus {
    this.check();
    if (!possibleSteps(this.#content, this.#origin).includes(step))
      throw refusedStep(step, this.#content, this.#origin);
    switch (step) {
      case 'prepare':
        this.#prepare(SigningAuthority.create(this.#clock.now()), undefined);
        break;
      case 'activate':
        this.#activate();
        break;
      case 'retire':
        this.#retire();
        break;
      default:
        return step satisfies never;
    }
    return this.status();
  }

  /**
   * What the operator's files hold now. Another authority becomes the next one and signs after this overlap in milliseconds (0: at
   * once); the one that signs already, put back, withdraws the next. Throws `authority_invalid` where clients could not tell it
   * from the present one.
   */
  offer(authority: SigningAuthority, overlapMs: number): void {
    const { signing, next, previous } = this.#content;
    if (authority.fingerprint === signing.fingerprint) {
      if (next === undefined && authority.certificatePem === signing.certificatePem) return;
      this.#activateAt = undefined;
      this.#set({ signing: authority, previous });
      if (next !== undefined)
        this.#say('withdrawn', `the authority ${shown(next)} does not become the next one`);
      return;
    }
    if (authority.certificatePem === next?.certificatePem) return;
    this.#requireDistinct(authority);
    this.#prepare(authority, overlapMs);
    this.check();
  }

  /** For another process of the same proxy. */
  export(): AuthorityKeys {
    return AuthorityKeys.of(this.#content);
  }

  /** Takes over what another process exported. Throws `authority_invalid`, and stays as it was. */
  adopt(keys: AuthorityKeys): void {
    this.#set(keys.open());
  }

  /** Takes the step that time has made due, if any, and says what an operator has to know. */
  check(): void {
    const now = this.#clock.now();
    if (this.#origin !== 'shared') this.#takeDueStep(now);
    this.#warn(now);
  }

  /** Called after each change of what clients have to trust or are shown; must not throw. Gives what ends it. */
  onChange(listener: () => void): () => void {
    this.#onChange.add(listener);
    return () => void this.#onChange.delete(listener);
  }

  /** The same, with what an operator should learn. */
  onNotice(listener: (notice: AuthorityNotice) => void): () => void {
    this.#onNotice.add(listener);
    return () => void this.#onNotice.delete(listener);
  }

  #takeDueStep(now: number): void {
    const { signing, next } = this.#content;
    if (next === undefined) {
      if (this.#origin === 'memory' && needsSuccessor(signing, now))
        this.#prepare(SigningAuthority.create(now), LIMITS.authorityOverlap.value);
      return;
    }
    const isDue = this.#activateAt !== undefined && this.#clock.elapsed() >= this.#activateAt;
    const isExpired = now >= signing.notAfter.getTime();
    if ((isDue || isExpired) && isValidAt(next, now)) this.#activate();
  }

  #prepare(next: SigningAuthority, overlapMs: number | undefined): void {
    this.#activateAt = overlapMs === undefined ? undefined : this.#clock.elapsed() + overlapMs;
    const { signing, previous } = this.#content;
    // A previous one that comes back is not in the ring twice.
    const kept = previous?.fingerprint === next.fingerprint ? undefined : previous;
    this.#set({ signing, next, previous: kept });
    this.#say('prepared', `clients have to trust the authority ${shown(next)}, which is the next to sign`);
  }

  #activate(): void {
    const { signing, next } = this.#content;
    if (next === undefined) return;
    const { certificatePem, fingerprint, notBefore, notAfter } = signing;
    const vouchingPem = signing.vouchFor(next) ?? '';
    this.#activateAt = undefined;
    this.#set({
      signing: next,
      previous: { certificatePem, fingerprint, notBefore, notAfter, vouchingPem },
    });
    this.#say(
      'activated',
      `the authority ${shown(next)} signs from now on; ${shown(signing)} stays in the bundle`,
    );
  }

  #retire(): void {
    const { signing, next, previous } = this.#content;
    this.#set({ signing, next });
    if (previous !== undefined)
      this.#say('retired', `the authority ${shown(previous)} is not in the bundle any more`);
  }

  #set(content: RingContent): void {
    this.#content = content;
    this.#issuer = issuerOf(content);
    for (const listener of this.#onChange) listener();
  }

  #requireDistinct(authority: SigningAuthority): void {
    const { signing, previous } = this.#content;
    const own = certificateOf(authority);
    for (const present of [signing, previous]) {
      if (present === undefined || !areIndistinguishable(own, certificateOf(present))) continue;
      throw new OpenShellError(
        `the new authority has the name of ${shown(present)} and another key, and clients could not tell them apart`,
        {
          code: 'authority_invalid',
          remedy: 'Give it another name, or make both with a subject key identifier.',
        },
      );
    }
  }

  #warn(now: number): void {
    const { signing, next } = this.#content;
    const end = signing.notAfter.toISOString();
    if (now >= signing.notAfter.getTime()) {
      this.#sayOnce(
        'expired',
        signing,
        `the authority ${shown(signing)} has expired (${end}): TLS that is to be inspected is refused`,
      );
    } else if (next === undefined && endsSoon(signing, now)) {
      this.#sayOnce(
        'expiring',
        signing,
        `the authority ${shown(signing)} expires on ${end} and has no successor yet`,
      );
    }
  }

  #sayOnce(kind: AuthorityNotice['kind'], { fingerprint }: Known, message: string): void {
    const key = `${kind} ${fingerprint}`;
    if (this.#said.has(key)) return;
    this.#said = new Set([...this.#said].filter((said) => said.endsWith(fingerprint))).add(key);
    this.#say(kind, message);
  }

  #say(kind: AuthorityNotice['kind'], message: string): void {
    for (const listener of this.#onNotice) listener(authorityNotice(kind, message));
  }
}

type Known = Pick<PreviousAuthority, 'fingerprint'>;

/** Enough of a fingerprint to find it among a few. */
const shown = ({ fingerprint }: Known): string => fingerprint.slice(0, 16);

const certificateOf = ({ certificatePem }: Pick<PreviousAuthority, 'certificatePem'>) =>
  readCertificates(certificatePem, "the authority's certificate")[0]!;

/** Without the roots and others that two chains have in common. */
const joined = (pems: readonly string[]): string => {
  const certificates = pems.flatMap((pem) => readCertificates(pem, 'the bundle').map(String));
  return [...new Set(certificates)].join('');
};

const issuerOf = ({ signing, previous }: RingContent): LeafIssuer => ({
  issue: (host, spki, now) => {
    const leaf = signing.issueLeaf(host, spki, now);
    return { ...leaf, chainPem: leaf.chainPem + (previous?.vouchingPem ?? '') };
  },
});
