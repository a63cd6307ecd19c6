import type { InferenceProtocol } from './routes.ts';
import type { TokenUsage } from './usage.ts';

/** What became of one request to inference.local, for its event. Holds no field, no body, no key. */
export interface InferenceRecord {
  readonly action: 'allowed' | 'denied' | 'failed';
  /** Of the refusal or failure, also one in the middle of a response. */
  readonly code?: string;
  readonly reason?: string;
  readonly protocol?: InferenceProtocol;
  /** As the workload named it. */
  readonly model?: string;
  /** Name of the route. */
  readonly route?: string;
  /** `https://HOST:PORT` of the backend. */
  readonly backend?: string;
  readonly usage?: TokenUsage;
  /** What the client got; 0: it has gone before. */
  readonly status: number;
  /** Content bytes that the workload sent, and got. */
  readonly bytesOut: number;
  readonly bytesIn: number;
}
