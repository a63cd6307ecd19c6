export type {
  AuthorityCertificate,
  AuthorityRole,
  AuthorityStatus,
  RotationStep,
} from './contract/authority.ts';
export type { ControlEvent, EventCursor, EventQuery } from './contract/events.ts';
export type { ExplainAnswer, ExplainQuery } from './contract/explain.ts';
export type {
  Applied,
  ApplyOrder,
  GenerationParts,
  InstalledGeneration,
  KeptPart,
  KeptSecrets,
  Part,
  PartHashes,
  PushedSecrets,
  TextPart,
} from './contract/generation.ts';
export { generationHash, textHash } from './contract/generation-hash.ts';
export {
  FEATURES,
  type Feature,
  formatRange,
  negotiate,
  PROTOCOL,
  type ProtocolRange,
} from './contract/protocol.ts';
export type {
  ControllerHello,
  ControlSession,
  ProxyControl,
  ProxyHello,
  SessionEnd,
} from './contract/proxy-control.ts';
export {
  CONTROL_CODES,
  type ControlCode,
  type ControlProblem,
  ControlRefusal,
  type ControlRefusalOptions,
} from './contract/refusal.ts';
export type { ProxyState, ProxyStatus, WorkerReport } from './contract/status.ts';
export type {
  Recognition,
  TenantCounters,
  TenantLimits,
  TenantReport,
  TenantSpec,
} from './contract/tenant.ts';
