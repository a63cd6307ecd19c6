import type { RotationStep } from '@openshell/control';
import { ControlRefusal } from '@openshell/control';
import { LIMITS } from '../limits.ts';
import type { RingContent } from './authority-keys.ts';

/**
 * Where the authorities of a ring come from. `memory`: they are made here, and succeed one another by themselves. `operator`: they
 * are read from an operator's files. `shared`: another process of the same proxy says which they are.
 */
export type RingOrigin = 'memory' | 'operator' | 'shared';

/** The steps that a rotation can go on with. Two where an operator brings a successor before the last rotation was finished. */
export function possibleSteps({ next, previous }: RingContent, origin: RingOrigin): readonly RotationStep[] {
  if (origin === 'shared') return [];
  const steps: RotationStep[] = [];
  if (next !== undefined) steps.push('activate');
  if (previous !== undefined) steps.push('retire');
  if (steps.length === 0 && origin === 'memory') steps.push('prepare');
  return steps;
}

/** What is said to whoever asks for another step than those. */
export function refusedStep(step: RotationStep, content: RingContent, origin: RingOrigin): ControlRefusal {
  const possible = possibleSteps(content, origin).map((name) => `"${name}"`);
  const message = `the authority cannot be rotated by "${step}" now`;
  return new ControlRefusal(message, { code: 'rotation_order', remedy: remedyFor(possible, origin) });
}

function remedyFor(possible: readonly string[], origin: RingOrigin): string {
  if (possible.length > 0)
    return `Possible now: ${possible.join(', ')}. The order is "prepare", "activate", "retire".`;
  return origin === 'operator'
    ? "Put the new pair where the proxy's operator has the present one: it is prepared when it is read."
    : 'It is rotated by the process that all workers of this proxy share it with.';
}

interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export const isValidAt = ({ notBefore, notAfter }: Validity, now: number): boolean =>
  now >= notBefore.getTime() && now < notAfter.getTime();

/** Whether it is time that an authority made in memory gets a successor. An expired one gets none by itself: the clock may be wrong. */
export const needsSuccessor = (authority: Validity, now: number): boolean =>
  isValidAt(authority, now) && authority.notAfter.getTime() - now < LIMITS.authorityTime.value / 3;

/** Whether its end is so near that somebody has to be told. */
export function endsSoon({ notBefore, notAfter }: Validity, now: number): boolean {
  const life = notAfter.getTime() - notBefore.getTime();
  return notAfter.getTime() - now < Math.min(LIMITS.authorityWarningTime.value, life / 6);
}
