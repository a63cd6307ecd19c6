import { hash, timingSafeEqual } from 'node:crypto';
import { open } from 'node:fs/promises';
import { ControlRefusal } from '../contract/refusal.ts';
import { CONTROL_LIMITS } from '../limits.ts';

const SCHEME = /^bearer +([^\s]+)$/i;

/** A token that stands in a file. It is read anew for each call, so a new one is in force at once, however the file was replaced. */
export class TokenFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Throws `unauthenticated`, also where the file cannot be read or is empty. */
  async admit(authorization: string | undefined): Promise<void> {
    const shown = SCHEME.exec(authorization ?? '')?.[1];
    const token = await this.#read();
    if (token === undefined) throw refusal('the proxy has no token to compare with');
    if (shown === undefined) throw refusal('the call brings no token');
    if (!isSame(shown, token)) throw refusal('the token is another one');
  }

  async #read(): Promise<string | undefined> {
    try {
      await using file = await open(this.#path);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(CONTROL_LIMITS.tokenBytes.value + 1));
      if (bytesRead > CONTROL_LIMITS.tokenBytes.value) return undefined;
      return buffer.toString('utf8', 0, bytesRead).trim() || undefined;
    } catch {
      return undefined;
    }
  }
}

/** In a time that depends on neither text. */
const isSame = (one: string, other: string): boolean =>
  timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'));

const refusal = (why: string): ControlRefusal =>
  new ControlRefusal(`who controls the proxy needs its token: ${why}`, {
    code: 'unauthenticated',
    remedy: 'Send "Authorization: Bearer" with what stands in the token file of the proxy.',
  });
