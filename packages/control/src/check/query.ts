import type { EventQuery } from '../contract/events.ts';
import type { ExplainQuery } from '../contract/explain.ts';
import { checkTenantId } from './tenant.ts';
import { invalid, isCount, isPort, isPrintable } from './words.ts';

/** Lengths in characters, and one number of paths; more than anything that is real. */
const HOST_MOST = 255;
const PATH_MOST = 4096;
const BINARIES_MOST = 64;
const TARGET_MOST = 8192;
const INSTANCE_MOST = 128;
const TENANTS_MOST = 10_000;

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;

export function checkEventQuery({ after, tenants = [] }: EventQuery): void {
  if (after && (!isText(after.instance, INSTANCE_MOST) || !isCount(after.sequence)))
    throw invalid('The place in the events is none');
  if (tenants.length > TENANTS_MOST) throw invalid(`More than ${TENANTS_MOST} tenants are named`);
  for (const tenant of tenants) checkTenantId(tenant);
}

export function checkExplainQuery({ tenant, host, port, binaries, request }: ExplainQuery): void {
  checkTenantId(tenant);
  if (!isText(host, HOST_MOST)) throw invalid('The host is neither a name nor an address');
  if (!isPort(port, 1)) throw invalid('The port is not one');
  if (binaries.length > BINARIES_MOST) throw invalid(`More than ${BINARIES_MOST} binaries are named`);
  for (const path of binaries)
    if (!path.startsWith('/') || !isText(path, PATH_MOST))
      throw invalid('A binary is not named by its absolute path');
  if (!request) return;
  if (!TOKEN.test(request.method))
    throw invalid('The method of the request is not one (RFC 9110 section 9.1)');
  if (!isText(request.target, TARGET_MOST))
    throw invalid('The target of the request is empty, too long, or not printable');
}

const isText = (text: unknown, most: number): boolean =>
  typeof text === 'string' && text !== '' && text.length <= most && isPrintable(text);
