import { type CommonOptions, findingEvent, networkEvent, type SecurityEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type { Intent } from '@openshell/policy';
import { processOf } from '../evidence.ts';
import { formatAuthority } from '../http/authority.ts';
import { ENGINE } from './request-events.ts';

/** Something captured on its way past the proxy and not let out. */
export interface RefusedCapture {
  readonly host: string;
  readonly port: number;
  readonly code: string;
  readonly reason: string;
  readonly remedy?: string | undefined;
  readonly policy?: string | undefined;
  readonly intent?: Intent | undefined;
  readonly traceId: string;
  /** That decided. */
  readonly generation: number;
}

/** The events of so many refused captures alike. The trace is that of the first. */
export function captureEvents(capture: RefusedCapture, count: number, sandbox: SandboxId): SecurityEvent[] {
  const { host, port, code, reason, policy, intent, traceId, generation } = capture;
  const process = intent === undefined ? undefined : processOf(intent.evidence);
  const about = { generation, destination: formatAuthority(host, port), code, count };
  const common: CommonOptions = { sandbox, traceId, unmapped: about };
  return [
    networkEvent({
      ...common,
      unmapped: { adapter: 'transparent', ...about, stage: 'capture' },
      activity: 'refuse',
      process,
      destination: { host, port },
      rule: { name: policy ?? 'bypass-detect', type: policy === undefined ? 'capture' : ENGINE },
      reason,
    }),
    findingEvent({
      ...common,
      uid: 'bypass-detect',
      title: 'A connection past the proxy was captured and refused',
      description: reason,
      action: 'denied',
      process,
      count,
    }),
  ];
}
