import type { X509Certificate } from 'node:crypto';

/** `DNS:a.example, URI:spiffe://a/b`; a value with a comma or the like stands in quotes as JSON (Node.js, CVE-2021-44532). */
const ENTRY = /([A-Za-z0-9 ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/y;

/**
 * Whom a client certificate is for: its URI and DNS subject alternative names (RFC 5280 section 4.2.1.6), DNS names in lower case. Its subject says
 * nothing: authorities sign there what they like.
 */
export function namesOf({ subjectAltName }: Pick<X509Certificate, 'subjectAltName'>): string[] {
  const names: string[] = [];
  const text = subjectAltName ?? '';
  ENTRY.lastIndex = 0;
  for (let found = ENTRY.exec(text); found !== null && found[0] !== ''; found = ENTRY.exec(text)) {
    const [, kind, written = ''] = found;
    const value = written.startsWith('"') ? unquoted(written) : written;
    // What has a colon is a URI and what has none is a DNS name, so one never passes for the other.
    if (kind === 'DNS' && !value.includes(':')) names.push(value.toLowerCase());
    if (kind === 'URI' && value.includes(':')) names.push(value);
    if (ENTRY.lastIndex >= text.length) break;
  }
  return names;
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return '';
  }
}
