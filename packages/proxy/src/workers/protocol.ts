import type { Refusal } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import type {
  Applied,
  ApplyOrder,
  ExplainAnswer,
  ExplainQuery,
  ProxyStatus,
  TenantReport,
  TenantSpec,
} from '@openshell/control';
import type { GenerationMark } from '../control/tenants/served-tenant.ts';
import type { SourceKinds } from '../credentials/source-kinds.ts';
import type { LinkCertificates } from '../link/index.ts';
import type { Address, ListenWord } from '../program/options/address.ts';

/** What a worker needs to know before it can be told of tenants. */
export interface WorkerStart {
  /** The command line of the proxy, which each process reads for itself. */
  readonly args: readonly string[];
  /** Where nodes connect to, with the port that was chosen. */
  readonly link: Address | undefined;
}

export interface WorkerOrder {
  readonly order: ApplyOrder;
  readonly sources: SourceKinds;
  /** Where another worker has it already: what it is called there. */
  readonly as: GenerationMark | undefined;
}

/** A refusal for the person at the node of a sandbox, whose session another worker may have. */
export interface NodeRefusal {
  readonly tenant: SandboxId;
  readonly refusal: Refusal;
}

/**
 * What the first process asks of a worker. A type and no interface: it travels as structured clones (Node.js "advanced" serialisation), so
 * that maps stay maps; secrets and keys are in it, and the pipe is the two processes' own.
 */
export type WorkerCalls = {
  readonly start: (start: WorkerStart) => void;
  readonly register: (spec: TenantSpec) => TenantReport;
  readonly remove: (id: SandboxId) => void;
  readonly apply: (order: WorkerOrder) => Applied;
  /** From now on it accepts connections, also of the tenants that it was told of before. Descriptors are those of the worker. */
  readonly serve: (words: readonly ListenWord[]) => void;
  readonly report: (nothing: undefined) => ProxyStatus;
  readonly explain: (query: ExplainQuery) => ExplainAnswer;
  /** The keys of the authority, as `AuthorityKeys.reveal` gives them. */
  readonly adopt: (keys: string) => void;
  /** What nodes are shown from now on. */
  readonly renewLink: (certificates: LinkCertificates) => void;
  readonly refused: (refusal: NodeRefusal) => void;
  readonly drain: (timeoutMs: number) => void;
  /** Ends every connection, hands over the last events, and ends. */
  readonly end: (nothing: undefined) => void;
};

/** What a worker asks of the first process. */
export type FirstCalls = {
  /** The keys of the authority. They are sent anew with each change, once they were asked for. */
  readonly authority: (nothing: undefined) => string;
  /** Takes events (`ControlEvent[]`) into the record; answered when there is room for more. As JSON, which takes a quarter of what clones take. */
  readonly events: (json: string) => void;
  readonly refused: (refusal: NodeRefusal) => void;
};
