import { encodingIsSafe, encodingIsUtf8 } from './encodings.ts';
import type { LexicalState } from './lexer.ts';
import { ContentReader, type Handling } from './wire.ts';

/** Messages that are read: authentication, settings, errors, readiness, the key for cancellation, the beginning of COPY. */
const READ = 'RSEZKvGW';
/** Messages that are passed on as they come: answers, rows, notices, notifications, data. */
const PASSED = '123DTtCIsnNAdcHV';
const LOGIN = 'RSEZKvN';

export const handlingOfBackend = (type: string, loggedIn: boolean): Handling => {
  if (!loggedIn && !LOGIN.includes(type)) return 'unknown';
  if (READ.includes(type)) return 'whole';
  return PASSED.includes(type) ? 'stream' : 'unknown';
};

/** How the server reads statements at the moment, as far as it has said so (ParameterStatus). */
export class ServerState implements LexicalState {
  #stringsOn = false;
  #stringsOff = false;
  #utf8 = false;
  #leftUtf8 = false;

  /** Once it was off it may be again, before we learn of it: the client need not wait for answers. */
  get standardStrings(): boolean {
    return this.#stringsOn && !this.#stringsOff;
  }

  get unicodeNames(): boolean {
    return this.#utf8 && !this.#leftUtf8;
  }

  /** A statement asks for another encoding: when that is in force is not known. */
  leaveUtf8(): void {
    this.#leftUtf8 = true;
  }

  /** Takes a ParameterStatus. The reason why nothing can be understood any more, if so. */
  report(bytes: Buffer): string | undefined {
    const content = new ContentReader(bytes);
    const name = content.string().toString('latin1');
    const value = content.string().toString('latin1');
    if (!content.complete) return 'the server sent a malformed ParameterStatus';
    if (name === 'standard_conforming_strings') {
      if (value === 'on') this.#stringsOn = true;
      else this.#stringsOff = true;
    }
    if (name === 'client_encoding') {
      if (!encodingIsSafe(value)) return 'the encoding of the connection has two readings for the same bytes';
      this.#utf8 = encodingIsUtf8(value);
    }
    return undefined;
  }
}
