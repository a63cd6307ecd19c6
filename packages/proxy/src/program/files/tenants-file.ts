import { resolve } from 'node:path';
import { sandboxId } from '@openshell/base';
import type { Recognition, TenantLimits } from '@openshell/control';
import { formatCidr, type Problem, parseCidr, type Read, readDocument, type Scope } from '@openshell/policy';
import { parseAddress } from '../options/address.ts';
import type { TenantFiles } from './tenant-files.ts';
import { TENANTS_SCHEMA } from './tenants-schema.ts';

export type TenantsResult =
  | { readonly ok: true; readonly tenants: readonly TenantFiles[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type RawTenant = NonNullable<Read<typeof TENANTS_SCHEMA>['tenants']>[number];
type RawRecognition = NonNullable<RawTenant['recognised_by']>[number];

/**
 * Reads a file of tenants; paths in it are relative to `directory`. Never throws: the answer is the tenants, or all that is wrong with its place.
 */
export function parseTenants(text: string, file: string, directory: string): TenantsResult {
  const document = readDocument(text, TENANTS_SCHEMA, { file, start: 'tenants:' });
  const scope = document.scope.at('tenants');
  const seen = new Set<string>();
  const recognised = new Map<string, string>();
  const tenants: TenantFiles[] = [];
  for (const [index, raw] of (document.value?.tenants ?? []).entries()) {
    // A hole or a broken entry has its problem already.
    if (raw === undefined || document.isBroken(raw)) continue;
    const here = scope.at(index);
    checkId(raw.id ?? '', seen, here.at('id'));
    const tenant = readTenant(raw, directory, here);
    checkRecognitions(tenant, recognised, here.at('recognised_by'));
    tenants.push(tenant);
  }
  const problems = document.problems();
  return problems.length > 0 ? { ok: false, problems } : { ok: true, tenants };
}

function readTenant(raw: RawTenant, directory: string, scope: Scope): TenantFiles {
  const { policy, credentials, routes, identity, limits } = raw;
  for (const [name, file] of Object.entries({ credentials, routes }))
    if (file !== undefined && policy === undefined)
      scope
        .at(name)
        .problem('no_policy', `There are ${name} and no policy.`, 'Add "policy", or remove this.', 'key');
  const from = (path: string | undefined) => path && resolve(directory, path);
  const recognitions = (raw.recognised_by ?? []).flatMap((one, index) =>
    readRecognition(one, scope.at('recognised_by', index)),
  );
  return {
    id: sandboxId(raw.id ?? ''),
    recognitions,
    programs: programsOf(identity, recognitions),
    policy: from(policy),
    credentials: from(credentials),
    routes: from(routes),
    limits: limits && readLimits(limits),
  };
}

/** Evidence of programs comes with the link from a node; every other way brings none. */
function programsOf(
  identity: string | undefined,
  recognitions: readonly Recognition[],
): TenantFiles['programs'] {
  if (identity === 'none') return 'any';
  return recognitions.length > 0 && recognitions.every(({ kind }) => kind === 'certificate')
    ? 'told-apart'
    : 'unnamed';
}

const ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

function checkId(id: string, seen: Set<string>, scope: Scope): void {
  if (!ID.test(id))
    scope.problem(
      'bad_tenant_id',
      `${JSON.stringify(id)} cannot be the name of a tenant.`,
      'Use up to 128 letters, digits, dots, colons, dashes and underscores; begin with a letter or digit.',
    );
  if (seen.has(id))
    scope.problem('duplicate_tenant', `There is another tenant "${id}".`, 'Give each its own name.');
  seen.add(id);
}

/** Nobody can be taken for two. Ranges within ranges are meant: the narrower one wins. */
function checkRecognitions(
  { id, recognitions }: TenantFiles,
  taken: Map<string, string>,
  scope: Scope,
): void {
  for (const recognition of recognitions) {
    const key = keyOf(recognition);
    if (key === undefined) continue;
    const other = taken.get(key);
    if (other !== undefined)
      scope.problem(
        'recognition_taken',
        `Tenant "${other}" is recognised by the same ${recognition.kind}.`,
        'Give each tenant something of its own.',
      );
    taken.set(key, id);
  }
}

/** A certificate may speak for several tenants; port 0 is another port each time. */
function keyOf(recognition: Recognition): string | undefined {
  switch (recognition.kind) {
    case 'listener':
      return recognition.port === 0 ? undefined : `listener ${recognition.host} ${recognition.port}`;
    case 'credentials':
      return `credentials ${recognition.username}`;
    case 'source': {
      const network = parseCidr(recognition.network);
      return network && `source ${formatCidr(network)}`;
    }
    case 'certificate':
      return undefined;
    default:
      return recognition satisfies never;
  }
}

function readRecognition(raw: RawRecognition, scope: Scope): readonly Recognition[] {
  const { listen, username, password_sha256: password, source, certificate } = raw;
  const kinds = [listen, username ?? password, source, certificate].filter((one) => one !== undefined);
  if (kinds.length !== 1) {
    scope.problem(
      'one_recognition',
      kinds.length === 0 ? 'This says nothing.' : 'Several ways stand in one entry.',
      'Give one of "listen", "username" with "password_sha256", "source" and "certificate" in each entry.',
    );
    return [];
  }
  if (listen !== undefined) return readListener(listen, scope.at('listen'));
  if (source !== undefined) return readSource(source, scope.at('source'));
  if (certificate !== undefined) return readCertificate(certificate, scope.at('certificate'));
  return readCredentials(username, password, scope);
}

function readListener(text: string, scope: Scope): readonly Recognition[] {
  try {
    return [{ kind: 'listener', ...parseAddress(text, 'listen') }];
  } catch {
    scope.problem(
      'bad_address',
      `${JSON.stringify(text)} is no address with a port.`,
      'Write for example "127.0.0.1:3129", "[::1]:3129", or ":3129" for every address.',
    );
    return [];
  }
}

function readSource(network: string, scope: Scope): readonly Recognition[] {
  if (parseCidr(network) !== undefined) return [{ kind: 'source', network }];
  scope.problem(
    'bad_network',
    `${JSON.stringify(network)} is no range of addresses.`,
    'Write for example "10.1.0.0/16", or "10.1.2.3/32" for one address.',
  );
  return [];
}

function readCertificate(name: string, scope: Scope): readonly Recognition[] {
  if (/^[\x21-\x7e]{1,512}$/.test(name)) return [{ kind: 'certificate', name }];
  scope.problem(
    'bad_certificate_name',
    'This cannot stand in a certificate.',
    'Write its URI or DNS name, as in "spiffe://example/node-1" or "node-1.example".',
  );
  return [];
}

/** RFC 7617 section 2 for the colon; RFC 1929 section 2 for the length. */
const USERNAME = /^[^:\p{Cc}]+$/u;
const MAX_USERNAME_BYTES = 255;

function readCredentials(
  username: string | undefined,
  passwordSha256: string | undefined,
  scope: Scope,
): readonly Recognition[] {
  if (username === undefined || passwordSha256 === undefined) {
    scope.problem(
      'half_credentials',
      'A user name and the hash of a password go together.',
      'Give "username" and "password_sha256".',
    );
    return [];
  }
  if (!USERNAME.test(username) || Buffer.byteLength(username) > MAX_USERNAME_BYTES)
    scope
      .at('username')
      .problem('bad_username', 'This cannot be a user name.', 'Use up to 255 bytes without a colon.');
  if (!/^[0-9a-f]{64}$/.test(passwordSha256))
    scope
      .at('password_sha256')
      .problem(
        'bad_password_hash',
        'This is no SHA-256 in lower-case hexadecimal.',
        'Make a random password, and its hash by: printf %s PASSWORD | sha256sum',
      );
  return [{ kind: 'credentials', username, passwordSha256 }];
}

const readLimits = ({
  connections,
  held_bytes: heldBytes,
  events_per_second: eventsPerSecond,
}: NonNullable<RawTenant['limits']>): TenantLimits => ({ connections, heldBytes, eventsPerSecond });
