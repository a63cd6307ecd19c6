import type { Duplex } from 'node:stream';
import type { Verdict } from './admission.ts';
import type { ControlServer } from './options.ts';

/** Takes a connection with what was found out about it. `who` is for the record. */
export type Accept = (connection: Duplex, verdict: Verdict, who: string) => void;

/** Accepts connections until it is disposed of; those that it has passed on are no longer its own. */
export type Listener = ControlServer;
