import type { EventCursor } from '@openshell/control';
import { usageError } from '../command/usage-error.ts';

/** Where to begin among the events of a proxy. */
export type Beginning =
  | { readonly kind: 'oldest' }
  | { readonly kind: 'newest' }
  | { readonly kind: 'after'; readonly cursor: EventCursor };

/** `INSTANCE:SEQUENCE`. */
export const cursorText = ({ instance, sequence }: EventCursor): string => `${instance}:${sequence}`;

/** Reads what `--after` says. Throws `usage`. */
export const beginningOf = (text: string | undefined): Beginning => {
  if (text === undefined) return { kind: 'oldest' };
  if (text === 'now') return { kind: 'newest' };
  const [, instance, digits] = /^(.+):([0-9]{1,16})$/s.exec(text) ?? [];
  const sequence = Number(digits);
  if (instance !== undefined && Number.isSafeInteger(sequence))
    return { kind: 'after', cursor: { instance, sequence } };
  throw usageError(
    `--after: '${text}' is not the cursor of an event`,
    "Write one as 'openshell proxyctl events --json' prints it, or now.",
  );
};
