import { type Intent, isAddressLiteral, type RequestFacts } from '@openshell/policy';
import type { JsonObject } from '@openshell/rego';
import { requestMembers } from './request-input.ts';

/** Where the answers are, below `data`. */
export const PACKAGE = ['openshell', 'sandbox'] as const;

/** The rules that are asked. */
export const QUESTIONS = {
  connect: 'egress_authorization',
  request: 'request_authorization',
  /** For rules that have no more to say than yes or no, as the existing system asks them. */
  allowRequest: 'allow_request',
  requestDenyReason: 'request_deny_reason',
  name: 'could_allow_name',
  address: 'could_allow_address',
} as const;

export type Question = keyof typeof QUESTIONS;

/** As a reference: `data.openshell.sandbox.egress_authorization`. */
export const referenceTo = (question: Question): string =>
  ['data', ...PACKAGE, QUESTIONS[question]].join('.');

/** An attempt to get out as the rules see it (docs/rego.md, "Input"). */
export const connectInput = ({ sandbox, adapter, host, port, evidence }: Intent): JsonObject => {
  const network = { host, port };
  if (evidence.kind === 'unknown') return { sandbox, adapter, network, unidentified: evidence.reason };
  const { executable, ancestors, argv } = evidence;
  const exec = {
    path: executable.path,
    sha256: executable.sha256,
    pinned: executable.pinned,
    ancestors: ancestors.map(({ path }) => path),
    cmdline_paths: argv.length === 0 ? NONE : argv.filter((word) => word.startsWith('/')),
  };
  return { sandbox, adapter, network, exec };
};

const NONE: readonly string[] = [];

/** One request on a connection: the same input, and the request. */
export const requestInput = (intent: Intent, request: RequestFacts): JsonObject => ({
  ...connectInput(intent),
  request: requestMembers(request),
});

/** A name that DNS was asked for; undefined for an address, which is never one. */
export const nameInput = (host: string): JsonObject | undefined =>
  isAddressLiteral(host) ? undefined : { network: { host } };
