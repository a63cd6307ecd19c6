import { inspect } from 'node:util';
import { OpenShellError } from '@openshell/base';
import { LIMITS } from '../limits.ts';

const SHOWN = '[secret]';

/**
 * A value that cannot be printed by accident: text, JSON, `console.log` and inspection give `[secret]`. Whoever calls
 * `reveal` answers for where the value goes.
 */
export class SecretValue {
  readonly #value: string;

  /**
   * @param name of the credential; for the error.
   * @throws OpenShellError `bad_secret`, without the value.
   */
  constructor(value: string, name: string) {
    const fault = faultOf(value);
    if (fault) {
      throw new OpenShellError(`The value of credential ${name} ${fault}.`, {
        code: 'bad_secret',
        remedy: 'Give the bare value on one line, as the service issued it.',
      });
    }
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  equals(other: SecretValue): boolean {
    return this.#value === other.#value;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}

/** CR, LF and NUL end header fields and lines: with one of them a value could say more than itself. */
function faultOf(value: string): string | undefined {
  if (value === '') return 'is empty';
  if (Buffer.byteLength(value) > LIMITS.credentialBytes.value)
    return `is longer than ${LIMITS.credentialBytes.value} bytes`;
  if (/[\r\n\0]/.test(value)) return 'contains a line break or NUL';
  return undefined;
}
