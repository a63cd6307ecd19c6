import type { Intent, RequestContent } from '@openshell/policy';

/** What became of one request, for events. Holds no query, no field, no body. */
export interface RequestRecord {
  readonly intent: Intent;
  readonly generation: number;
  readonly traceId: string;
  /** 16 hexadecimal digits, where there is a span of it. */
  readonly spanId?: string | undefined;
  readonly protocol: string;
  readonly scheme: 'http' | 'https';
  readonly version: '1.0' | '1.1' | '2';
  readonly method: string;
  /** Canonical, without query; credentials are `[CREDENTIAL]`. `-` where it could not be understood. */
  readonly path: string;
  /** What was asked for inside it, in a few words: an operation, a tool, a statement. */
  readonly operation?: string | undefined;
  /** What was read of it. Events show the names of operations in it, for `openshell policy suggest`, and no values. */
  readonly content?: RequestContent | undefined;
  readonly action: 'allowed' | 'audited' | 'denied' | 'failed';
  /** Of the refusal or failure: `request_not_allowed`, `upstream_timeout`, ... */
  readonly code?: string | undefined;
  readonly policy?: string | undefined;
  /** Place in the policy of what decided. */
  readonly rule?: string | undefined;
  readonly reason?: string | undefined;
  readonly remedy?: string | undefined;
  /** Why it ended before its end. */
  readonly broken?: string | undefined;
  /** Names of the credentials that went along. */
  readonly credentials?: readonly string[] | undefined;
  /** What the client got; 0: the connection ended without an answer. */
  readonly status: number;
  /** Content bytes that the workload sent, and got. */
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly durationMs: number;
}
