import type { ConfigEvent } from './events/config.ts';
import type { DnsEvent } from './events/dns.ts';
import type { FindingEvent } from './events/finding.ts';
import type { HttpEvent } from './events/http.ts';
import type { LifecycleEvent } from './events/lifecycle.ts';
import type { NetworkEvent } from './events/network.ts';
import type { ProcessEvent } from './events/process.ts';

/** Any event; `class_uid` tells which. */
export type SecurityEvent =
  | ProcessEvent
  | FindingEvent
  | NetworkEvent
  | HttpEvent
  | DnsEvent
  | ConfigEvent
  | LifecycleEvent;
