import type { DestinationRule } from '../engine.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { type AddressClass, classifyAddress, innerAddress, reachOf } from './address-class.ts';
import { type Cidr, cidrContains, parseCidr } from './cidr.ts';

/** What is about to be dialled: the rule of the decision, and the host and port that were decided on. */
export interface DestinationQuery extends DestinationRule {
  readonly host: string;
  readonly port: number;
  /**
   * Blocks that the operator (never the policy) opens although their class is never reachable, e.g. loopback for a test. Such an
   * address is then treated as a private one: the policy must still name its host exactly.
   */
  readonly operatorAllows?: readonly string[];
}

/** The answer for all addresses of a name: one bad address refuses the whole name. */
export type DestinationVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** The first address that may not be dialled; empty when the name has none. */
      readonly address: string;
      readonly class: AddressClass | 'invalid';
      readonly reason: string;
      readonly remedy: string;
    };

type Refusal = Extract<DestinationVerdict, { ok: false }>;

/** Ports on which orchestrators answer inside private networks: etcd, the Kubernetes API and its kubelets. */
export const CONTROL_PLANE_PORTS: readonly number[] = [2379, 2380, 6443, 10250, 10255];

/**
 * Decides whether a name that the policy allows may be dialled at these addresses (egress design: "allowed by name means allowed by
 * address too"). Every address must pass; the caller dials exactly those and never resolves again. Pure; never throws.
 */
export function checkDestination(addresses: readonly string[], query: DestinationQuery): DestinationVerdict {
  if (addresses.length === 0)
    return refusal('', 'invalid', `${query.host} has no address`, 'Check the name and the resolver.');
  for (const text of addresses) {
    const refused = checkAddress(text, query);
    if (refused) return refused;
  }
  return { ok: true };
}

function checkAddress(text: string, query: DestinationQuery): Refusal | undefined {
  const address = parseAddress(text);
  if (!address)
    return refusal(text, 'invalid', `"${text}" is not an IP address`, 'Check what the resolver returned.');
  const kind = classifyAddress(address);
  const opened = within(address, query.operatorAllows);
  const reach = opened ? 'private' : reachOf(address);
  if (reach === 'never') return forbidden(address, kind, query);
  if (query.allowedIps && !within(address, query.allowedIps)) return outsideList(address, kind, query);
  return reach === 'private' ? checkPrivate(address, kind, query) : undefined;
}

function checkPrivate(address: Address, kind: AddressClass, query: DestinationQuery): Refusal | undefined {
  const text = formatAddress(address);
  const where = `${query.host} is at ${text} (${kind})`;
  if (CONTROL_PLANE_PORTS.includes(query.port)) {
    const reason = `${where}, and port ${query.port} there belongs to cluster control planes`;
    return refusal(
      text,
      kind,
      reason,
      'Control-plane ports on private addresses cannot be opened by a policy.',
    );
  }
  if (query.exactHost || query.allowedIps) return undefined;
  return refusal(
    text,
    kind,
    `${where}, and the endpoint that allows it is a wildcard without allowed_ips`,
    `Name the host exactly ({ host: ${yamlText(query.host)}, port: ${query.port} }) or add allowed_ips: ["${text}"] to its endpoint.`,
  );
}

function forbidden(address: Address, kind: AddressClass, query: DestinationQuery): Refusal {
  const text = formatAddress(address);
  const inner = innerAddress(address);
  const stands = inner ? `, which stands for ${formatAddress(inner)} (${classifyAddress(inner)})` : '';
  return refusal(
    text,
    kind,
    `${query.host} is at ${text} (${kind})${stands}, where no policy may lead`,
    'Only the operator can open such an address; a policy cannot.',
  );
}

function outsideList(address: Address, kind: AddressClass, query: DestinationQuery): Refusal {
  const text = formatAddress(address);
  return refusal(
    text,
    kind,
    `${query.host} is at ${text} (${kind}), outside the endpoint's allowed_ips (${query.allowedIps?.join(', ')})`,
    `Add "${text}" to the endpoint's allowed_ips if this address is meant.`,
  );
}

const refusal = (address: string, kind: Refusal['class'], reason: string, remedy: string): Refusal => ({
  ok: false,
  address,
  class: kind,
  reason,
  remedy,
});

const yamlText = (host: string): string => (host.includes(':') ? `"${host}"` : host);

/** Rules are made once per generation, so their blocks are parsed once and found again by the list itself. */
const parsedLists = new WeakMap<readonly string[], readonly Cidr[]>();

/** Whether the address lies in one of the blocks; blocks that do not parse contain nothing. */
export function within(address: Address, blocks: readonly string[] | undefined): boolean {
  if (!blocks) return false;
  let parsed = parsedLists.get(blocks);
  if (!parsed) {
    parsed = blocks.map(parseCidr).filter((cidr) => cidr !== undefined);
    parsedLists.set(blocks, parsed);
  }
  return parsed.some((cidr) => cidrContains(cidr, address));
}
