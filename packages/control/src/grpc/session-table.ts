import { randomBytes } from 'node:crypto';
import type { ControlSession } from '../contract/proxy-control.ts';
import { ControlRefusal } from '../contract/refusal.ts';

/** The sessions of one service, by an id that nobody can guess: 128 random bits. */
export class SessionTable {
  readonly #sessions = new Map<string, ControlSession>();

  add(session: ControlSession): string {
    const id = randomBytes(16).toString('hex');
    this.#sessions.set(id, session);
    return id;
  }

  remove(id: string): void {
    this.#sessions.delete(id);
  }

  /** Throws `session_ended`. */
  find(id: string | null): ControlSession {
    const session = id === null ? undefined : this.#sessions.get(id);
    if (session) return session;
    const message = id === null ? 'the call names no session' : 'there is no such session (any longer)';
    throw new ControlRefusal(message, { code: 'session_ended', remedy: 'Connect again.' });
  }
}
