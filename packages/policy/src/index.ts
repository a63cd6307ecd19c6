export { type Address, canonicalAddress, formatAddress, parseAddress } from './address/address.ts';
export { type AddressClass, classifyAddress } from './address/address-class.ts';
export { canonicalHost, isAddressLiteral } from './address/canonical-host.ts';
export { type Cidr, cidrContains, formatCidr, parseCidr } from './address/cidr.ts';
export { checkDestination, type DestinationQuery, type DestinationVerdict } from './address/destination.ts';
export { type PathExists, withBaseline } from './baseline.ts';
export { defaultPolicy } from './default-policy.ts';
export { diffPolicy, type PolicyDiff } from './diff.ts';
export type {
  Adapter,
  BinaryIdentity,
  ConnectDecision,
  DenyCode,
  DestinationRule,
  EndpointRef,
  Evidence,
  Intent,
  PolicyEngine,
} from './engine.ts';
export type { BinaryPathResolver } from './evaluate/binaries.ts';
export { type BuiltinEngine, type CompileOptions, compilePolicy } from './evaluate/compile.ts';
export { type ConsideredEndpoint, type ExplainStep, type Explanation, explain } from './evaluate/explain.ts';
export type { IdentityMode } from './evaluate/rule.ts';
export { compileGlob, escapeGlob, type Glob, type Separator } from './glob/glob.ts';
export { domainOf, type HostPattern, hostMatches, parseHostPattern } from './glob/host-pattern.ts';
export { globRegex } from './glob/regex.ts';
export { policyHash } from './hash.ts';
export { type InspectionNeed, inspectionNeeded } from './inspection.ts';
export { POLICY_LIMITS } from './limits.ts';
export { type ParseOptions, type PolicyResult, parsePolicy } from './parse.ts';
export type {
  AccessPreset,
  Endpoint,
  FilesystemPolicy,
  LandlockPolicy,
  Middleware,
  NetworkPolicy,
  Policy,
  ProcessPolicy,
  Protocol,
  RequestRule,
} from './policy.ts';
export {
  type Finding,
  formatFinding,
  type Notice,
  type PolicySource,
  type Position,
  type Problem,
} from './problem.ts';
