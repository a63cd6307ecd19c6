import { OpenShellError } from '@openshell/base';
import { parseAddress } from '../address/address.ts';
import { classifyAddress, reachOf } from '../address/address-class.ts';
import { type HostPattern, parseHostPattern } from '../glob/host-pattern.ts';
import type { AccessPreset, CredentialSigning, Endpoint, Protocol, RequestRule } from '../policy.ts';
import { INSPECTED_PROTOCOLS, isInspected } from '../protocols.ts';
import type { RawEndpoint } from '../schema/policy-schema.ts';
import { readAllowedIps } from './allowed-ips.ts';
import { checkMcpBreadth } from './mcp-rules.ts';
import { readGraphqlOptions, readMcpOptions } from './protocol-options.ts';
import { checkPathPattern, checkRulesTogether, type RuleContext, readRule } from './rules.ts';
import type { Scope } from './scope.ts';

const HTTP: readonly Protocol[] = ['', 'rest', 'websocket', 'graphql', 'json-rpc', 'mcp'];

/** Which protocols each field says something for; elsewhere it would be ignored, so it is refused. */
const FIELD_PROTOCOLS: { readonly [Field in keyof RawEndpoint]?: readonly Protocol[] } = {
  path: HTTP,
  access: INSPECTED_PROTOCOLS,
  rules: INSPECTED_PROTOCOLS,
  deny_rules: INSPECTED_PROTOCOLS,
  allow_encoded_slash: HTTP.slice(1),
  websocket_credential_rewrite: ['rest', 'websocket'],
  request_body_credential_rewrite: ['rest'],
  persisted_queries: ['graphql', 'websocket'],
  graphql_persisted_queries: ['graphql', 'websocket'],
  graphql_max_body_bytes: ['graphql', 'websocket'],
  credential_signing: ['', 'rest'],
  signing_service: ['', 'rest'],
  signing_region: ['', 'rest'],
  credential_binding: HTTP,
  json_rpc: ['json-rpc'],
  mcp: ['mcp'],
};

/** Checks one endpoint by itself and fills in its defaults. What it returns counts only when no problem was found. */
export function readEndpoint(raw: RawEndpoint, scope: Scope): Endpoint {
  // The schema admits no other words.
  const written = (raw.protocol ?? '') as Protocol;
  checkFields(raw, written, scope);
  checkBase(raw, written, scope);
  checkSigning(raw, scope);
  const need = written === '' ? requestNeed(raw) : undefined;
  const protocol = need ? 'rest' : written;
  if (need) noticeNeed(need, raw, scope);
  if (raw.path) checkPathPattern(raw.path, scope.at('path'));
  const allowedIps = readAllowedIps(raw.allowed_ips, scope.at('allowed_ips'));
  return {
    host: readHost(raw, protocol, scope),
    ports: readPorts(raw, scope),
    path: raw.path ?? '',
    protocol,
    tls: readTls(raw, protocol, scope),
    enforcement: readEnforcement(raw, written, scope),
    ...(need ? { access: 'full' } : raw.access ? { access: raw.access as AccessPreset } : {}),
    ...readRules(raw, written, scope),
    ...(allowedIps ? { allowedIps } : {}),
    allowEncodedSlash: raw.allow_encoded_slash ?? false,
    websocketCredentialRewrite: raw.websocket_credential_rewrite ?? false,
    requestBodyCredentialRewrite: raw.request_body_credential_rewrite ?? false,
    allowUninspectedCredentials: raw.allow_uninspected_credentials ?? false,
    ...readGraphqlOptions(raw, protocol),
    ...readSigning(raw),
    ...(raw.credential_binding?.provider ? { credentialProvider: raw.credential_binding.provider } : {}),
    ...readMcpOptions(raw, protocol),
  };
}

/** The field that speaks of requests although no protocol does: it would mean nothing unless requests are looked into. */
function requestNeed(raw: RawEndpoint): 'path' | 'credential_signing' | 'credential_binding' | undefined {
  if (raw.path && raw.path !== '**') return 'path';
  if (raw.credential_signing) return 'credential_signing';
  return raw.credential_binding && !raw.allow_uninspected_credentials ? 'credential_binding' : undefined;
}

function noticeNeed(field: string, raw: RawEndpoint, scope: Scope): void {
  const message = `"${field}" is about requests, so they are inspected as rest; every one that fits is allowed.`;
  const fix =
    'Write "protocol: rest", "enforcement: enforce" and "access: full", or the rules that are meant.';
  scope.at(field).notice('inspected_by_need', message, fix, 'key');
  if (raw.enforcement === 'audit')
    scope
      .at('enforcement')
      .problem('audit_without_protocol', 'The endpoint has no rules that could be audited.', 'Remove it.');
}

function checkFields(raw: RawEndpoint, protocol: Protocol, scope: Scope): void {
  for (const [field, protocols] of Object.entries(FIELD_PROTOCOLS) as [
    keyof RawEndpoint & string,
    readonly Protocol[],
  ][]) {
    const value = raw[field];
    // What is switched off or empty says nothing, as the existing system's own exports write it.
    if (value === undefined || value === false || value === '' || protocols.includes(protocol)) continue;
    const names = protocols.filter((one) => one !== '').join(', ');
    scope
      .at(field)
      .problem(
        'field_not_for_protocol',
        protocol === ''
          ? `"${field}" needs inspection, and the endpoint has no protocol.`
          : `"${field}" has no meaning under protocol ${protocol}.`,
        `Set protocol to one of ${names}, or remove "${field}".`,
        'key',
      );
  }
}

/** Every inspected endpoint must allow something, in one way. */
function checkBase(raw: RawEndpoint, protocol: Protocol, scope: Scope): void {
  if (!isInspected(protocol)) return;
  if (raw.access && raw.rules)
    scope
      .at('access')
      .problem('access_and_rules', '"access" and "rules" are both given.', 'Keep one of them.', 'key');
  const presetless = protocol === 'json-rpc' || protocol === 'mcp';
  if (presetless && raw.access) {
    scope
      .at('access')
      .problem('preset_not_for_protocol', `Protocol ${protocol} has no presets.`, 'Write "rules".', 'key');
  }
  const allows = raw.rules || (raw.access && !presetless) || raw.mcp?.allow_all_known_mcp_methods;
  if (allows) return;
  const fix = presetless ? 'Add "rules".' : 'Add "access: read-only" or "rules".';
  scope.problem(
    'nothing_allowed',
    `The endpoint is inspected as ${protocol}, and nothing is allowed on it.`,
    fix,
  );
}

function readRules(
  raw: RawEndpoint,
  protocol: Protocol,
  scope: Scope,
): Pick<Endpoint, 'rules' | 'denyRules'> {
  if (!isInspected(protocol)) return {};
  const context: RuleContext = {
    protocol,
    strictToolNames: raw.mcp?.strict_tool_names ?? true,
    allowAllKnownMethods: raw.mcp?.allow_all_known_mcp_methods ?? false,
  };
  const allowed = (raw.rules ?? []).map((rule) => rule.allow ?? {});
  const denied = raw.deny_rules ?? [];
  const rules: RequestRule[] = allowed.map((rule, index) =>
    readRule(rule, context, scope.at('rules', index, 'allow')),
  );
  const denyRules: RequestRule[] = denied.map((rule, index) =>
    readRule(rule, context, scope.at('deny_rules', index)),
  );
  checkRulesTogether([...allowed, ...denied], context, scope);
  if (protocol === 'mcp') checkMcpBreadth(allowed, denied, scope);
  return { ...(raw.rules ? { rules } : {}), ...(raw.deny_rules ? { denyRules } : {}) };
}

function readHost(raw: RawEndpoint, protocol: Protocol, scope: Scope): string {
  const written = raw.host ?? '';
  if (written === '') {
    checkHostless(raw, protocol, scope);
    return '';
  }
  const pattern = tryHost(written, scope.at('host'));
  if (protocol === 'tcp' && pattern) checkTcpHost(written, pattern, scope.at('host'));
  if (pattern?.kind === 'address') noticeUnreachable(pattern.host, scope.at('host'));
  return pattern?.host ?? '';
}

function checkHostless(raw: RawEndpoint, protocol: Protocol, scope: Scope): void {
  if (protocol === 'tcp' || protocol === 'mcp') {
    scope.problem(
      'missing_host',
      `An endpoint with protocol ${protocol} needs a host name.`,
      'Add "host: NAME".',
    );
  } else if (!raw.allowed_ips?.length) {
    scope.problem('missing_host', 'The endpoint has neither host nor allowed_ips.', 'Add "host: NAME".');
  }
}

function checkTcpHost(written: string, pattern: HostPattern, scope: Scope): void {
  if (pattern.kind === 'address') {
    scope.problem(
      'tcp_address',
      'Native clients are recognised by the name that they look up; an address has none.',
      'Write the host name, or leave "protocol: tcp" out.',
    );
  } else if (written.endsWith('.'))
    scope.problem('tcp_host', `"${written}" ends in a dot.`, 'Leave the dot out.');
}

function noticeUnreachable(host: string, scope: Scope): void {
  const address = parseAddress(host);
  if (!address || reachOf(address) !== 'never') return;
  const kind = classifyAddress(address);
  const message = `${host} is a ${kind} address, where no policy may lead; the endpoint has no effect.`;
  scope.notice('unreachable_host', message, 'Remove the endpoint, unless the operator opens the address.');
}

function tryHost(text: string, scope: Scope): HostPattern | undefined {
  try {
    return parseHostPattern(text);
  } catch (thrown) {
    if (!(thrown instanceof OpenShellError)) throw thrown;
    scope.problem(thrown.code, thrown.message, thrown.remedy ?? '');
    return undefined;
  }
}

function readPorts(raw: RawEndpoint, scope: Scope): number[] {
  if (raw.port !== undefined && raw.ports !== undefined) {
    scope
      .at('port')
      .problem('port_and_ports', '"port" and "ports" are both given.', 'Keep one of them.', 'key');
  }
  const ports = raw.ports ?? (raw.port === undefined ? [] : [raw.port]);
  if (ports.length === 0)
    scope.problem('missing_port', 'The endpoint has no port.', 'Add "port: 443", or the port that is meant.');
  return [...new Set(ports)].sort((a, b) => a - b);
}

function readTls(raw: RawEndpoint, protocol: Protocol, scope: Scope): Endpoint['tls'] {
  if (raw.tls === 'terminate' || raw.tls === 'passthrough') {
    scope
      .at('tls')
      .notice(
        'deprecated_value',
        `"${raw.tls}" is an old word and now means "auto".`,
        'Remove the field, or write "skip" for TLS that is never opened.',
      );
  }
  if (raw.tls === 'skip' && isInspected(protocol)) {
    scope
      .at('tls')
      .problem(
        'skip_with_inspection',
        'TLS that is never opened cannot be inspected.',
        'Remove "tls: skip" (plain text is inspected without it) or "protocol".',
      );
  }
  return raw.tls === 'skip' ? 'skip' : 'auto';
}

function readEnforcement(raw: RawEndpoint, protocol: Protocol, scope: Scope): Endpoint['enforcement'] {
  if (isInspected(protocol)) {
    if (raw.enforcement) return raw.enforcement as Endpoint['enforcement'];
    scope.notice(
      'enforcement_default',
      'No enforcement is given: what the rules do not allow is now refused, where it used to be only logged.',
      'Write "enforcement: audit" to let it through, or "enforcement: enforce" to say what is meant.',
    );
    return 'enforce';
  }
  if (raw.enforcement) {
    scope
      .at('enforcement')
      .notice(
        'enforcement_unused',
        'Without inspection there are no rules to enforce; the endpoint itself always is.',
        'Remove it, or add a protocol.',
        'key',
      );
  }
  return 'enforce';
}

function checkSigning(raw: RawEndpoint, scope: Scope): void {
  if (!raw.credential_signing) {
    for (const field of ['signing_service', 'signing_region'] as const) {
      if (raw[field])
        scope
          .at(field)
          .problem(
            'field_not_used',
            `"${field}" means nothing without credential_signing.`,
            'Add "credential_signing: sigv4", or remove it.',
            'key',
          );
    }
    return;
  }
  if (!raw.signing_service)
    scope.problem(
      'missing_signing_service',
      'credential_signing needs signing_service.',
      'Add "signing_service: s3", or the service that is meant.',
    );
  if (raw.request_body_credential_rewrite) {
    scope
      .at('request_body_credential_rewrite')
      .problem(
        'signing_with_body_rewrite',
        'A signed body cannot be rewritten.',
        'Keep one of credential_signing and request_body_credential_rewrite.',
        'key',
      );
  }
}

function readSigning(raw: RawEndpoint): Pick<Endpoint, 'signing'> {
  if (!raw.credential_signing) return {};
  const region = raw.signing_region ? { region: raw.signing_region } : {};
  return {
    signing: {
      mode: raw.credential_signing as CredentialSigning,
      service: raw.signing_service ?? '',
      ...region,
    },
  };
}
