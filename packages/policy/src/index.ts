export { type Address, canonicalAddress, formatAddress, parseAddress } from './address/address.ts';
export { type AddressClass, classifyAddress } from './address/address-class.ts';
export { canonicalHost, isAddressLiteral } from './address/canonical-host.ts';
export { type Cidr, cidrContains, formatCidr, parseCidr } from './address/cidr.ts';
export { checkDestination, type DestinationQuery, type DestinationVerdict } from './address/destination.ts';
export { type PathExists, withBaseline } from './baseline.ts';
export { defaultPolicy } from './default-policy.ts';
export { diffPolicy, type PolicyDiff } from './diff.ts';
export { type Document, type DocumentOptions, readDocument } from './document.ts';
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
export {
  type ConsideredEndpoint,
  type ExplainOptions,
  type ExplainStep,
  type Explanation,
  explain,
} from './evaluate/explain.ts';
export { readsGraphqlMessages, wantsServerMessages } from './evaluate/request/endpoint.ts';
export type { ConsideredRequest, RequestExplanation, RequestStep } from './evaluate/request/explain.ts';
export { isMcpMethod, MCP_METHODS } from './evaluate/request/mcp-methods.ts';
export { type ExpandedRule, presetRules } from './evaluate/request/presets.ts';
export { pathWeight } from './evaluate/request/selection.ts';
export type { IdentityMode } from './evaluate/rule.ts';
export { compileGlob, escapeGlob, type Glob, globMatches, type Separator } from './glob/glob.ts';
export { domainOf, type HostPattern, hostMatches, parseHostPattern } from './glob/host-pattern.ts';
export { globRegex } from './glob/regex.ts';
export { policyHash } from './hash.ts';
export { type InspectedPart, inspectedParts } from './inspection.ts';
export { LearningEngine } from './learn/learning-engine.ts';
export { LearningRecord } from './learn/learning-record.ts';
export { POLICY_LIMITS } from './limits.ts';
export { type ParseOptions, type PolicyResult, parsePolicy } from './parse.ts';
export type {
  AccessPreset,
  Endpoint,
  FilesystemPolicy,
  GraphqlOptions,
  LandlockPolicy,
  McpOptions,
  Middleware,
  NetworkPolicy,
  OperationType,
  Policy,
  ProcessPolicy,
  Protocol,
  RequestRule,
  SigningOptions,
} from './policy.ts';
export {
  type Finding,
  formatFinding,
  formatPath,
  type Notice,
  type PolicySource,
  type Position,
  type Problem,
} from './problem.ts';
export { isInspected } from './protocols.ts';
export {
  type GraphqlOperation,
  type Inspection,
  type QueryParameter,
  type RequestContent,
  type RequestDecision,
  type RequestDenyCode,
  type RequestFacts,
  type RpcMessage,
  type SqlEffect,
  type SqlStatement,
  type Treatment,
  treatmentOf,
} from './request.ts';
export type { Read } from './schema/schema.ts';
export * as schema from './schema/schema.ts';
export type { Denial, DenialOperation } from './suggest/denial.ts';
export { mergePolicies, mergePolicyText } from './suggest/merge.ts';
export { type NotProposed, type Suggestion, suggestPolicy } from './suggest/suggest.ts';
export { endpointToFile, policyToFile, ruleToFile } from './unparse.ts';
export type { Scope } from './validate/scope.ts';
