import { OpenShellError } from '@openshell/base';
import { type Eventually, type Refusal, unavailable } from './injection.ts';
import { SecretValue } from './secret.ts';

/** Something that has a value when asked. Shared by the generations that describe it alike. */
export interface SecretSource {
  /** At once where it is at hand. Never rejects. */
  get(): Eventually<SecretValue | Refusal>;
  /** Values that it has given out and that may still be accepted somewhere: the newest first. */
  readonly known: readonly SecretValue[];
}

/** How many earlier values of one source are still looked for in what comes back. */
const REMEMBERED = 4;

/** The values that a source has had. */
export class KnownValues {
  #values: readonly SecretValue[] = [];

  get values(): readonly SecretValue[] {
    return this.#values;
  }

  add(value: SecretValue): void {
    if (this.#values[0]?.equals(value)) return;
    this.#values = [value, ...this.#values.filter((known) => !known.equals(value))].slice(0, REMEMBERED);
  }
}

/** Makes a value of text, or says why it is none. */
export function secretOr(text: string, name: string, remedy: string): SecretValue | Refusal {
  try {
    return new SecretValue(text, name);
  } catch (thrown) {
    if (thrown instanceof OpenShellError) return unavailable(thrown.message, remedy);
    throw thrown;
  }
}
