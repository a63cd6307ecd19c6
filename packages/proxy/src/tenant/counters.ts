import type { TenantCounters } from '@openshell/control';

/** What has happened to a tenant since its start. Plain numbers: they are counted on the hot path and read seldom. */
export class Counters implements TenantCounters {
  accepted = 0;
  shed = 0;
  connectionsAllowed = 0;
  connectionsDenied = 0;
  requestsAllowed = 0;
  requestsDenied = 0;
  upstreamFailures = 0;
  bytesIn = 0;
  bytesOut = 0;
  events = 0;
  eventsLost = 0;

  /** A request that has ended. */
  request(action: 'allowed' | 'audited' | 'denied' | 'failed', bytesIn: number, bytesOut: number): void {
    this.traffic(bytesIn, bytesOut);
    if (action === 'denied') this.requestsDenied += 1;
    else if (action === 'failed') this.upstreamFailures += 1;
    else this.requestsAllowed += 1;
  }

  /** What went through a connection or a request that is over. */
  traffic(bytesIn: number, bytesOut: number): void {
    this.bytesIn += bytesIn;
    this.bytesOut += bytesOut;
  }
}
