import type { SecurityEvent } from '@openshell/audit';

/** OCSF profile `security_control`. */
const DENIED = 2;

/** Whether an event is about something that was denied, or counts what was. */
export const isDenial = (event: SecurityEvent): boolean => 'action_id' in event && event.action_id === DENIED;
