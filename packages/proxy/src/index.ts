export type { OperatorOverride, OperatorOverrides } from './destination/overrides.ts';
export { type Resolver, systemResolver } from './destination/resolver.ts';
export { type EngineSpec, loadEngine } from './engines/load-engine.ts';
export { type PolicyDataOptions, policyData } from './engines/policy-data.ts';
export { type ShippedName, shippedText } from './engines/shipped-text.ts';
export type { EvidenceSource, Flow } from './evidence.ts';
export { LIMITS, type Limits, renderLimitsDocs } from './limits.ts';
export { EgressProxy, type EgressProxyOptions } from './proxy.ts';
export type { Tenant, TenantListeners, TenantOptions, TenantStatus } from './tenant/tenant.ts';
