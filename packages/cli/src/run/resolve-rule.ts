import { isIPv4, isIPv6 } from 'node:net';
import type { ResolveRule } from '@openshell/sandbox';
import { usageError } from '../command/usage-error.ts';

const form = 'NAME[:PORT]=ADDRESS[:PORT], with IPv6 addresses in brackets, as in api.test:443=[::1]:8443';

/**
 * Reads one rule `NAME[:PORT]=ADDRESS[:PORT]`.
 *
 * @param source names where the text stands, for messages: `--resolve`, or a file and line.
 * @throws OpenShellError with code `usage`.
 */
export const parseResolveRule = (text: string, source: string): ResolveRule => {
  const wrong = (why: string) => usageError(`${source}: '${text}': ${why}`, `Write ${form}.`);
  const equals = text.indexOf('=');
  if (equals < 0) throw wrong('there is no =');
  const [name, port] = splitName(text.slice(0, equals), wrong);
  const [address, toPort] = splitAddress(text.slice(equals + 1), wrong);
  return {
    name,
    ...(port === undefined ? {} : { port }),
    address,
    ...(toPort === undefined ? {} : { toPort }),
  };
};

/**
 * The operator's rules in the order in which they are tried. The command line comes before the configuration file;
 * within each, a rule for one port before a rule for all: otherwise it would never be reached.
 *
 * @throws OpenShellError with code `usage` when one source says two things about the same name and port.
 */
export const orderResolveRules = (
  commandLine: readonly ResolveRule[],
  configuration: readonly ResolveRule[],
): readonly ResolveRule[] => [
  ...portsFirst(commandLine, '--resolve'),
  ...portsFirst(configuration, 'resolve'),
];

type Wrong = (why: string) => Error;

const splitName = (text: string, wrong: Wrong): [string, number | undefined] => {
  if (text.startsWith('[') || isIPv6(text)) throw wrong('before the = stands a name, not an address');
  const colon = text.indexOf(':');
  const written = colon < 0 ? text : text.slice(0, colon);
  const name = written.toLowerCase().replace(/\.$/, '');
  if (name === '') throw wrong('the name is missing');
  if (isIPv4(name)) throw wrong('before the = stands a name, not an address');
  if (name.includes('*')) throw wrong('a rule is for one name, not for a pattern');
  if (!isHostName(name)) throw wrong(`'${written}' is not a host name`);
  return [name, colon < 0 ? undefined : parsePort(text.slice(colon + 1), wrong)];
};

const splitAddress = (text: string, wrong: Wrong): [string, number | undefined] => {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  if (bracketed !== null) {
    const [, inner = '', port] = bracketed;
    if (!isIPv6(inner) || inner.includes('%')) throw wrong(`'${inner}' is not an IPv6 address`);
    return [canonicalIPv6(inner), port === undefined ? undefined : parsePort(port, wrong)];
  }
  if (text === '') throw wrong('the address is missing');
  if (isIPv6(text)) throw wrong('an IPv6 address stands in brackets');
  const colon = text.indexOf(':');
  const address = colon < 0 ? text : text.slice(0, colon);
  if (!isIPv4(address)) throw wrong(`'${address}' is not an address`);
  return [address, colon < 0 ? undefined : parsePort(text.slice(colon + 1), wrong)];
};

const parsePort = (text: string, wrong: Wrong): number => {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw wrong(`'${text}' is not a port (1 to 65535)`);
  return port;
};

/**
 * RFC 1123 section 2.1, with underscores, which names of services have; at most 253 octets (RFC 1035 section 2.3.4). A name
 * that ends in a number would be taken for an address (WHATWG URL, "ends in a number").
 */
const isHostName = (name: string): boolean =>
  name.length <= 253 &&
  name.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)) &&
  !/(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/.test(name);

/** RFC 5952, as the WHATWG URL parser writes it. */
const canonicalIPv6 = (address: string): string => new URL(`http://[${address}]`).hostname.slice(1, -1);

const portsFirst = (rules: readonly ResolveRule[], source: string): readonly ResolveRule[] => {
  const seen = new Set<string>();
  for (const { name, port } of rules) {
    const key = `${name}:${port ?? ''}`;
    if (seen.has(key))
      throw usageError(`${source}: there are two rules for ${port === undefined ? name : key}`, 'Keep one.');
    seen.add(key);
  }
  return [
    ...rules.filter(({ port }) => port !== undefined),
    ...rules.filter(({ port }) => port === undefined),
  ];
};
