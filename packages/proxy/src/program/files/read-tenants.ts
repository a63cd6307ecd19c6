import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { plainText } from '@openshell/audit';
import { messageOf, OpenShellError } from '@openshell/base';
import type { GenerationParts, TenantSpec, TextPart } from '@openshell/control';
import { formatFinding } from '@openshell/policy';
import { namedPrograms } from './named-programs.ts';
import type { TenantFiles } from './tenant-files.ts';
import { parseTenants } from './tenants-file.ts';

/** What the files say about one tenant at this moment. */
export interface WantedTenant {
  readonly spec: TenantSpec;
  readonly files: TenantFiles;
  readonly content: WantedContent;
}

export type WantedContent =
  | { readonly kind: 'parts'; readonly parts: GenerationParts }
  /** No policy is wanted: everything is denied. */
  | { readonly kind: 'nothing' }
  /** Already by looking at the files. */
  | { readonly kind: 'unusable'; readonly problems: string };

/** Where tenants stand: given by the options, or in a file. */
export type TenantsSource =
  | { readonly kind: 'given'; readonly tenants: readonly TenantFiles[] }
  | { readonly kind: 'file'; readonly file: string };

/** Throws `tenants_unreadable` or `tenants_invalid`, with every place named. */
export async function readTenantFiles(source: TenantsSource): Promise<readonly TenantFiles[]> {
  if (source.kind === 'given') return source.tenants;
  const { file } = source;
  const text = await readText(file, 'the tenants').catch((cause: unknown) => {
    throw new OpenShellError(messageOf(cause), { code: 'tenants_unreadable', cause });
  });
  const result = parseTenants(text, file, dirname(file));
  if (result.ok) return result.tenants;
  throw new OpenShellError(result.problems.map(formatFinding).join('\n'), { code: 'tenants_invalid' });
}

/** Reads all files of a tenant. Never throws: what is wrong is in the answer. */
export async function readTenant(files: TenantFiles): Promise<WantedTenant> {
  const { id, recognitions, programs, limits } = files;
  const spec: TenantSpec = {
    id,
    recognitions,
    identity: programs === 'told-apart' ? 'required' : 'not-required',
    ...(limits && { limits }),
  };
  return { spec, files, content: await readContent(files) };
}

async function readContent({ policy, credentials, routes, programs }: TenantFiles): Promise<WantedContent> {
  if (policy === undefined) return { kind: 'nothing' };
  const read = await Promise.allSettled([
    readPart(policy, 'the policy'),
    readPart(credentials, 'the credentials'),
    readPart(routes, 'the inference routes'),
  ]);
  const failed = read.flatMap((one) => (one.status === 'rejected' ? [messageOf(one.reason)] : []));
  if (failed.length > 0) return { kind: 'unusable', problems: failed.join('\n') };
  const [policyPart, credentialsPart, routesPart] = read.map((one) =>
    one.status === 'fulfilled' ? one.value : undefined,
  );
  if (policyPart === undefined) return { kind: 'nothing' };
  const named = programs === 'unnamed' ? namedPrograms(policyPart.text, policy) : [];
  if (named.length > 0) return { kind: 'unusable', problems: named.join('\n') };
  return { kind: 'parts', parts: { policy: policyPart, credentials: credentialsPart, routes: routesPart } };
}

async function readPart(file: string | undefined, what: string): Promise<TextPart | undefined> {
  return file === undefined
    ? undefined
    : { kind: 'text', name: partName(file), text: await readText(file, what) };
}

/** Nothing of a content is in a message. */
const readText = (file: string, what: string): Promise<string> =>
  readFile(file, 'utf8').catch((cause: unknown) => {
    throw new OpenShellError(`${what} cannot be read: ${messageOf(cause)}`, {
      code: 'operator_file_unreadable',
      cause,
    });
  });

/** As the contract bounds the name of a part. */
const MAX_NAME = 128;

/** What messages call a file: its path, or the end of a long one. */
function partName(file: string): string {
  const shown = plainText(file);
  return shown.length <= MAX_NAME ? shown : `...${shown.slice(3 - MAX_NAME)}`;
}
