import { type Intent, isAddressLiteral } from '@openshell/policy';
import type { JsonObject } from '@openshell/rego';

/** Where the answers are, below `data`. */
export const PACKAGE = ['openshell', 'sandbox'] as const;

/** The rules that are asked. */
export const QUESTIONS = {
  connect: 'egress_authorization',
  name: 'could_allow_name',
  address: 'could_allow_address',
} as const;

/** As a reference: `data.openshell.sandbox.egress_authorization`. */
export const referenceTo = (question: keyof typeof QUESTIONS): string =>
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

/** A name that DNS was asked for; undefined for an address, which is never one. */
export const nameInput = (host: string): JsonObject | undefined =>
  isAddressLiteral(host) ? undefined : { network: { host } };
