export { connectProxy } from './connect/connect-proxy.ts';
export { type KeepConnectedOptions, keepConnected } from './connect/keep-connected.ts';
export { planTenants, type TenantStep, type WantedParts, type WantedTenant } from './connect/plan-tenants.ts';
export { type Reconciled, reconcile } from './connect/reconcile.ts';
export {
  type ControlAddress,
  type ControlTarget,
  type ControlTls,
  parseControlTarget,
} from './connect/target.ts';
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
export { tenantHash } from './contract/tenant-hash.ts';
export {
  isManifestName,
  MANIFEST_NAME,
  type ManifestTarget,
  renderManifest,
} from './kubernetes-manifest.ts';
export { CONTROL_LIMITS, type ControlLimit } from './limits.ts';
export { certificateNames } from './serve/certificate-names.ts';
export type { ControlServer, ListenAddress, ServeOptions, ServerTls } from './serve/options.ts';
export { serveControl, serveControlOn } from './serve/serve-control.ts';
export {
  CALL_RULES,
  type ControlCall,
  type ControlOperations,
  endedRefusal,
  requireRole,
  requireVersion,
  type SessionChange,
  SessionDesk,
  type SessionDeskOptions,
} from './session/index.ts';
