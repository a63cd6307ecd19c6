import { isIP } from 'node:net';
import { parseCidr } from '@openshell/policy';
import type { RotationStep } from '../contract/authority.ts';
import type { Recognition, TenantLimits, TenantSpec } from '../contract/tenant.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { checkName, invalid, isCount, isPort, isPrintable, isSha256 } from './words.ts';

/** As sandboxes are called everywhere: no character that means anything in a path, a header, a label or a terminal. */
const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]*$/;

/** The longest that draining can be given, in ms: a day. */
const DRAIN_MOST = 86_400_000;

export function checkTenantId(id: unknown): void {
  checkName("The tenant's id", id, 'tenant_invalid');
  if (!TENANT_ID.test(id as string))
    throw wrong("The tenant's id is not made of letters, digits, dots, colons, dashes and underscores");
}

export function checkTenantSpec({ id, recognitions, identity, limits }: TenantSpec): void {
  checkTenantId(id);
  if (recognitions.length === 0) throw wrong(`Tenant "${id}" would never be recognised`);
  if (recognitions.length > CONTROL_LIMITS.recognitions.value)
    throw wrong(`Tenant "${id}" has more than ${CONTROL_LIMITS.recognitions.value} recognitions`);
  for (const [index, recognition] of recognitions.entries()) {
    const why = whyNoRecognition(recognition);
    if (why) throw wrong(`Recognition ${index + 1} of tenant "${id}": ${why}`);
  }
  if (identity !== 'required' && identity !== 'not-required')
    throw wrong(`The identity of tenant "${id}" is neither "required" nor "not-required"`);
  if (limits) checkLimits(id, limits);
}

export function checkRotationStep(step: RotationStep): void {
  if (step !== 'prepare' && step !== 'activate' && step !== 'retire')
    throw invalid('The step of the rotation is not "prepare", "activate" or "retire"');
}

export function checkDrainTime(timeoutMs: number): void {
  if (!isCount(timeoutMs) || timeoutMs > DRAIN_MOST)
    throw invalid(`The time for draining is not a number of milliseconds up to ${DRAIN_MOST}`);
}

const whyNoRecognition = (recognition: Recognition): string | undefined => {
  switch (recognition.kind) {
    case 'listener':
      if (isIP(recognition.host) === 0) return 'its host is not an IP address';
      return isPort(recognition.port, 0) ? undefined : 'its port is not one';
    case 'credentials':
      return whyNoCredentials(recognition.username, recognition.passwordSha256);
    case 'source':
      return parseCidr(recognition.network)
        ? undefined
        : 'its network is not an address range such as 10.0.0.0/8';
    case 'certificate':
      return isBounded(recognition.name, 512) ? undefined : 'its name is empty, too long, or not printable';
    default:
      recognition satisfies never;
      return 'it is of no kind that is known';
  }
};

/** RFC 7617 section 2 for the colon; RFC 1929 section 2 for the length. */
const whyNoCredentials = (username: string, passwordSha256: string): string | undefined => {
  if (!isBounded(username, 255) || username.includes(':') || Buffer.byteLength(username) > 255)
    return 'its user name is empty, longer than 255 bytes, not printable, or has a colon';
  return isSha256(passwordSha256)
    ? undefined
    : 'its password is not given as 64 lower-case hexadecimal digits of SHA-256';
};

const isBounded = (text: unknown, most: number): boolean =>
  typeof text === 'string' && text !== '' && text.length <= most && isPrintable(text);

const checkLimits = (id: string, { connections, heldBytes, eventsPerSecond }: TenantLimits): void => {
  for (const [name, value] of Object.entries({ connections, heldBytes, eventsPerSecond }))
    if (value !== undefined && (!isCount(value) || value === 0))
      throw wrong(`The limit "${name}" of tenant "${id}" is not a number above 0`);
};

const wrong = (message: string) => invalid(message, 'tenant_invalid');
