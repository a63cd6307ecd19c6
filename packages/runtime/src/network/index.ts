import type { NetlinkItem } from '../spec/spec.ts';
import { captureRules } from './capture.ts';
import { everythingLocal, loopbackUp } from './routes.ts';

/** The capture rules alone, for finding out whether this kernel has them. */
export { captureRules } from './capture.ts';

/** All messages for a sandbox whose transparent listeners are on `capturePort`, in the order in which they are sent. */
export const sandboxNetwork = (capturePort: number): NetlinkItem[] => [
  loopbackUp(),
  everythingLocal(4),
  everythingLocal(6),
  captureRules(4, capturePort),
  captureRules(6, capturePort),
];
