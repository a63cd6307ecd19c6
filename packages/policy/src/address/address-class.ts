import { OpenShellError } from '@openshell/base';
import type { Address } from './address.ts';
import { type Cidr, cidrContains, cidrsOverlap, cidrWithin, parseCidr } from './cidr.ts';

/** What kind of place an address is. */
export type AddressClass =
  | 'unspecified'
  | 'loopback'
  | 'link-local'
  | 'cloud-metadata'
  | 'multicast'
  | 'broadcast'
  | 'reserved'
  | 'documentation'
  | 'benchmarking'
  | 'nat64'
  | '6to4'
  | 'teredo'
  | 'v4-mapped'
  | 'private'
  | 'unique-local'
  | 'cgnat'
  | 'public';

/** How the egress rule treats a class: reachable, reachable when the policy means it, or out of bounds. */
export type Reach = 'public' | 'private' | 'never';

/** One row: the blocks of a class and where the class is defined. */
interface ClassRow {
  readonly class: Exclude<AddressClass, 'public'>;
  readonly reach: Exclude<Reach, 'public'>;
  readonly source: string;
  readonly blocks: readonly string[];
}

/**
 * Every block that is not simply public, from the IANA special-purpose registries (RFC 6890 and its updates) and the clouds' own
 * documentation. The first row that contains an address names it, so narrower rows stand before wider ones.
 */
export const ADDRESS_CLASSES: readonly ClassRow[] = [
  {
    class: 'cloud-metadata',
    reach: 'never',
    source: 'AWS, Azure, GCP, Oracle, OpenStack, DigitalOcean, Alibaba, Tencent documentation',
    blocks: [
      '169.254.169.254/32', // AWS, Azure, GCP, Oracle, OpenStack, DigitalOcean
      '169.254.170.2/32', // AWS ECS task credentials
      '169.254.170.23/32', // AWS EKS pod identity
      '169.254.0.23/32', // Tencent
      '100.100.100.200/32', // Alibaba
      '168.63.129.16/32', // Azure WireServer; a public address that only the host answers
      '192.0.0.192/32', // Oracle Cloud (classic)
      'fd00:ec2::254/128', // AWS over IPv6
      'fd00:ec2::23/128', // AWS EKS pod identity over IPv6
      'fd20:ce::254/128', // GCP over IPv6
      'fe80::a9fe:a9fe/128', // OpenStack over IPv6
    ],
  },
  {
    class: 'unspecified',
    reach: 'never',
    source: 'RFC 1122 3.2.1.3, RFC 4291 2.5.2',
    blocks: ['0.0.0.0/8', '::/128'],
  },
  {
    class: 'loopback',
    reach: 'never',
    source: 'RFC 1122 3.2.1.3, RFC 4291 2.5.3',
    blocks: ['127.0.0.0/8', '::1/128'],
  },
  {
    class: 'link-local',
    reach: 'never',
    source: 'RFC 3927, RFC 4291 2.5.6',
    blocks: ['169.254.0.0/16', 'fe80::/10'],
  },
  {
    class: 'multicast',
    reach: 'never',
    source: 'RFC 5771, RFC 4291 2.7',
    blocks: ['224.0.0.0/4', 'ff00::/8'],
  },
  { class: 'broadcast', reach: 'never', source: 'RFC 919', blocks: ['255.255.255.255/32'] },
  {
    class: 'documentation',
    reach: 'never',
    source: 'RFC 5737, RFC 3849, RFC 9637',
    blocks: ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'],
  },
  {
    class: 'benchmarking',
    reach: 'never',
    source: 'RFC 2544, RFC 5180',
    blocks: ['198.18.0.0/15', '2001:2::/48'],
  },
  {
    class: 'nat64',
    reach: 'never',
    source: 'RFC 6052, RFC 8215',
    blocks: ['64:ff9b::/96', '64:ff9b:1::/48'],
  },
  { class: '6to4', reach: 'never', source: 'RFC 3056, RFC 7526', blocks: ['192.88.99.0/24', '2002::/16'] },
  { class: 'teredo', reach: 'never', source: 'RFC 4380', blocks: ['2001::/32'] },
  { class: 'v4-mapped', reach: 'never', source: 'RFC 4291 2.5.5.2', blocks: ['::ffff:0:0/96'] },
  {
    class: 'private',
    reach: 'private',
    source: 'RFC 1918',
    blocks: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  },
  { class: 'cgnat', reach: 'private', source: 'RFC 6598', blocks: ['100.64.0.0/10'] },
  { class: 'unique-local', reach: 'private', source: 'RFC 4193', blocks: ['fc00::/7'] },
  {
    class: 'reserved',
    reach: 'never',
    source: 'RFC 6890, RFC 1112 4, RFC 4291 2.4 (outside 2000::/3 nothing is allocated to hosts)',
    blocks: [
      '192.0.0.0/24',
      '240.0.0.0/4',
      '2001::/23',
      '::/3',
      // All from 4000:: on except unique-local, link-local and multicast.
      '4000::/2',
      '8000::/2',
      'c000::/3',
      'e000::/4',
      'f000::/5',
      'f800::/6',
      'fe00::/9',
      'fec0::/10',
    ],
  },
];

interface ClassBlock {
  readonly row: ClassRow;
  readonly cidr: Cidr;
}

const BLOCKS: readonly ClassBlock[] = ADDRESS_CLASSES.flatMap((row) =>
  row.blocks.map((text) => ({ row, cidr: knownCidr(text) })),
);

/** The class of an address. A v4-mapped address is `v4-mapped`; `innerAddress` gives the one it stands for. */
export const classifyAddress = (address: Address): AddressClass => rowOf(address)?.class ?? 'public';

/** How far the egress rule lets anything reach the address. */
export const reachOf = (address: Address): Reach => rowOf(address)?.reach ?? 'public';

/** The IPv4 address inside a v4-mapped one; undefined for every other. */
export function innerAddress({ family, value }: Address): Address | undefined {
  return family === 6 && value >> 32n === 0xffffn ? { family: 4, value: value & 0xffff_ffffn } : undefined;
}

/**
 * The never-reachable class that a block of `allowed_ips` reaches into, if any. The few metadata addresses that lie inside private
 * ranges (100.64.0.0/10, fd00::/8) do not forbid the whole range, only a block that lies within them: they are refused one by one
 * when a connection is made.
 */
export function forbiddenOverlap(cidr: Cidr): AddressClass | undefined {
  return BLOCKS.find(({ row, cidr: block }) => {
    if (row.reach !== 'never') return false;
    return row.class === 'cloud-metadata' ? cidrWithin(cidr, block) : cidrsOverlap(block, cidr);
  })?.row.class;
}

function rowOf(address: Address): ClassRow | undefined {
  return BLOCKS.find(({ cidr }) => cidrContains(cidr, address))?.row;
}

function knownCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (!cidr)
    throw new OpenShellError(`The address table holds "${text}", which is no block.`, { code: 'internal' });
  return cidr;
}
