export { CALL_RULES, requireRole, requireVersion } from './call-rules.ts';
export { GuardedSession, type SessionKeeper } from './guarded-session.ts';
export type { ControlCall, ControlOperations } from './operations.ts';
export { type SessionChange, SessionDesk, type SessionDeskOptions } from './session-desk.ts';
export { endedRefusal } from './session-end.ts';
