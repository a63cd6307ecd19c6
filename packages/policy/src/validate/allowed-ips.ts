import { forbiddenOverlap } from '../address/address-class.ts';
import { type Cidr, formatCidr, parseCidr } from '../address/cidr.ts';
import type { Scope } from './scope.ts';

// Shorter prefixes than these cover more than any one network that somebody runs.
const BROAD_PREFIX = { 4: 16, 6: 32 } as const;

/** Checks and canonicalises `allowed_ips`; an empty list is none. */
export function readAllowedIps(list: readonly string[] | undefined, scope: Scope): string[] | undefined {
  if (!list?.length) return undefined;
  const blocks = list
    .map((text, index) => readBlock(text, scope.at(index)))
    .filter((cidr) => cidr !== undefined);
  return [...new Set(blocks.map(formatCidr))].sort();
}

function readBlock(text: string, scope: Scope): Cidr | undefined {
  const cidr = parseCidr(text);
  if (!cidr) {
    scope.problem(
      'bad_address_block',
      `"${text}" is neither an address nor a CIDR block.`,
      'Write "10.1.0.0/16" or "10.1.2.3".',
    );
    return undefined;
  }
  const forbidden = forbiddenOverlap(cidr);
  if (forbidden) {
    scope.problem(
      'forbidden_address_block',
      `"${text}" reaches into ${forbidden} addresses, where no policy may lead.`,
      'Name only blocks that hosts live in.',
    );
  } else if (cidr.prefix < BROAD_PREFIX[cidr.family]) {
    scope.notice(
      'broad_address_block',
      `"${text}" is a very large block.`,
      'Name the network that is meant.',
    );
  }
  return cidr;
}
