import { canonicalAddress } from './address.ts';

// RFC 1035 section 2.3.4: a label has at most 63 octets, a name 253 in its written form.
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
const MAX_NAME = 253;
const FAST_NAME = /^[a-z][a-z0-9]*(?:\.[a-z][a-z0-9]*)+$/;

/**
 * The one spelling of a host that intents, policies and caches compare: lower case, no trailing dot, address literals canonical and
 * without brackets. Undefined when the text is no host: empty or over-long labels, characters outside letters, digits, `-`
 * and `_` (international names must come as `xn--` labels), and the number forms that some resolvers take for an address
 * (`127.1`, `0x7f.0.0.1`, `2130706433`): a name never ends in a number (WHATWG URL, "ends in a number").
 */
export function canonicalHost(text: string): string | undefined {
  if (text.length <= MAX_NAME && FAST_NAME.test(text) && !text.split('.').some((label) => label.length > 63))
    return text;
  if (text.startsWith('[')) return bracketed(text);
  if (text.includes(':')) return canonicalAddress(text);
  const lower = text.toLowerCase();
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  if (name.length > MAX_NAME) return undefined;
  const labels = name.split('.');
  if (endsInNumber(labels.at(-1)!)) return name === lower ? canonicalAddress(name) : undefined;
  return labels.every((label) => LABEL.test(label)) ? name : undefined;
}

/** Whether a canonical host is an address literal rather than a name. */
export function isAddressLiteral(host: string): boolean {
  const last = host.charCodeAt(host.length - 1);
  // Asked for every request: nearly every name ends in a letter.
  return (last >= DIGIT_0 && last <= DIGIT_9 && /\.\d+$/.test(host)) || host.includes(':');
}

const DIGIT_0 = 48;
const DIGIT_9 = 57;

function bracketed(text: string): string | undefined {
  const inner = text.slice(1, -1);
  return text.endsWith(']') && inner.includes(':') ? canonicalAddress(inner) : undefined;
}

const endsInNumber = (label: string): boolean => /^(?:\d+|0x[0-9a-f]*)$/.test(label);
