import { type OcsfProcess, ocsfProcess, type ProcessOptions } from '../objects.ts';
import { type BaseEvent, baseEvent, type CommonOptions } from '../ocsf.ts';
import { ACTIONS } from './network.ts';

/** RFC 1035 section 4.1.1 response codes that are reported, with the number that OCSF gives them. */
const RCODES = {
  NXDomain: 3,
  Refused: 5,
} as const;

/** OCSF 4003. */
export interface DnsEvent extends BaseEvent {
  readonly class_uid: 4003;
  readonly action_id: 2;
  readonly action: 'Denied';
  readonly disposition_id: 2;
  readonly disposition: 'Blocked';
  readonly actor?: { readonly process: OcsfProcess };
  readonly query: { readonly hostname: string; readonly type: string };
  readonly rcode: keyof typeof RCODES;
  readonly rcode_id: number;
}

export interface DnsOptions extends CommonOptions {
  readonly name: string;
  /** `A`, `AAAA`, ... */
  readonly type: string;
  readonly rcode: keyof typeof RCODES;
  readonly reason: string;
  readonly process?: ProcessOptions | undefined;
}

/** A name that a sandbox asked for and may not know. */
export function dnsRefusedEvent(options: DnsOptions): DnsEvent {
  return {
    ...baseEvent('dns', { id: 2, name: 'Response' }, { ...options, severity: options.severity ?? 'low' }),
    ...ACTIONS.denied,
    ...(options.process !== undefined && { actor: { process: ocsfProcess(options.process) } }),
    query: { hostname: options.name, type: options.type },
    rcode: options.rcode,
    rcode_id: RCODES[options.rcode],
    status_detail: options.reason,
  };
}
