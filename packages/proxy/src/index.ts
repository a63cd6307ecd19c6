export { loadProxyHost } from './control/load.ts';
export type { ControlView, ProxyHost, ProxyHostOptions } from './control/proxy-host.ts';
export type { CredentialSpec } from './credentials/spec.ts';
export type { OperatorOverride, OperatorOverrides } from './destination/overrides.ts';
export { type Resolver, systemResolver } from './destination/resolver.ts';
export { type EngineSpec, loadEngine } from './engines/load-engine.ts';
export { type PolicyDataOptions, policyData } from './engines/policy-data.ts';
export { type ShippedName, shippedText } from './engines/shipped-text.ts';
export type { EvidenceSource, Flow } from './evidence.ts';
export type { InferenceRoute } from './inference/routes.ts';
export { LIMITS, type Limits } from './limits.ts';
export type { MiddlewareService } from './middleware/service/connection.ts';
export { type Generation as SettingsGeneration, Generations, type Grants } from './operator/generations.ts';
export { loadOperatorReaders } from './operator/load.ts';
export { readTarget } from './operator/target.ts';
export {
  type ClientCertificateFiles,
  readUpstream,
  type UpstreamProxyWord,
  type UpstreamWord,
} from './operator/upstream.ts';
export { EgressProxy, type EgressProxyOptions } from './proxy.ts';
export { NO_CREDENTIALS, policyAlone, type TenantSettings } from './tenant/settings.ts';
export type { Tenant, TenantListeners, TenantOptions, TenantStatus } from './tenant/tenant.ts';
export type { AuthorityNotice } from './tls/authority-notice.ts';
export type { AuthorityRing } from './tls/authority-ring.ts';
export type { AuthorityKeeper, AuthorityKeeperOptions } from './tls/distribution/authority-keeper.ts';
export type { AuthorityOutput } from './tls/distribution/authority-output.ts';
export type { AuthoritySource } from './tls/distribution/authority-source.ts';
export { startAuthority } from './tls/distribution/start-authority.ts';
export { type OpenTracingOptions, openTracing, type Tracing } from './tracing/open-tracing.ts';
export { TRACE_HEADERS, type TraceHeader, type TracingOptions } from './tracing/options.ts';
