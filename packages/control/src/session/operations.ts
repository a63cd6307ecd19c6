import type { ControlSession } from '../contract/proxy-control.ts';

/** What a proxy does for a session. Called only with arguments that were checked, and only while the session may call it. */
export type ControlOperations = Omit<ControlSession, 'hello' | 'ended' | typeof Symbol.asyncDispose>;

export type ControlCall = keyof ControlOperations;
