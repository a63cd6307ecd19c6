import type { BodyReceiver } from '../exchange/body.ts';
import type { HeaderField } from '../http/request-head.ts';

export type FindingSeverity = 'info' | 'low' | 'medium' | 'high' | 'critical';

/** What a stage wants an operator to know. Never quotes what was found. */
export interface StageFinding {
  /** `[a-z][a-z0-9_]*` */
  readonly code: string;
  readonly message: string;
  readonly severity: FindingSeverity;
  readonly count: number;
}

/** A request as a stage sees it: allowed by policy, not yet given its credentials. */
export interface StageRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Path and query; credentials in it are replaced by `[CREDENTIAL]`. */
  readonly target: string;
  /** What `visible-fields.ts` lets through. */
  readonly fields: readonly HeaderField[];
  /** Absent: there is none, or the stage does not want it. */
  readonly body?: Buffer;
  readonly sandbox: string;
  /** The executable that asks; empty where it is not known. */
  readonly binary: string;
}

/** What a stage wants changed. Applied as a whole or not at all. */
export interface StageChanges {
  /** Only `x-openshell-middleware-*`; an earlier value is replaced. Names in lower case. */
  readonly setFields: readonly { readonly name: string; readonly value: string }[];
  /** Lower-case names of fields that the stage was shown. */
  readonly removeFields: readonly string[];
  readonly body?: Buffer;
}

export type StageAnswer =
  | {
      readonly kind: 'allow';
      readonly changes?: StageChanges;
      readonly findings: readonly StageFinding[];
    }
  | {
      readonly kind: 'deny';
      /** `[a-z][a-z0-9_]*`, or empty. */
      readonly reasonCode: string;
      /** What was found is in the target, which is then kept out of records. */
      readonly targetIsSecret?: boolean;
      readonly findings: readonly StageFinding[];
    };

/** What a stage needs in order to work; known before the body is read. */
export interface StageNeeds {
  readonly requestBody: boolean;
  /** Beyond it the stage has failed without being asked. */
  readonly maxBodyBytes: number;
}

/** One configured implementation. */
export interface Stage {
  readonly needs: StageNeeds;
  /**
   * Answers at once or later. Throws or rejects when it cannot answer: `on_error` then decides. The signal ends when nobody waits any
   * more.
   */
  evaluate(request: StageRequest, signal: AbortSignal): StageAnswer | Promise<StageAnswer>;
  /** Set: what comes back passes through it. */
  readonly filterResponse?: (options: ResponseFilterOptions) => BodyReceiver;
}

export interface ResponseFilterOptions {
  readonly receiver: BodyReceiver;
  readonly onFinding: (finding: StageFinding) => void;
}
