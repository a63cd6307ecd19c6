import { open } from 'node:fs/promises';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { messageOf, OpenShellError } from '@openshell/base';

/** What the exporter itself says. */
const OWN = new Set(['host', 'content-type', 'content-length', 'transfer-encoding', 'connection']);

/**
 * The header fields that the operator wants sent along: a `Name: value` a line, `#` for comments. They may be secrets, so no message
 * says more than the line. Read with every export: tokens are replaced.
 * @throws OpenShellError `bad_otlp_headers`
 */
export async function readHeaders(file: string, maxBytes: number): Promise<Record<string, string>> {
  const text = await readBounded(file, maxBytes);
  const headers: Record<string, string> = {};
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (!isField(name, value)) throw bad(file, `line ${index + 1} is no header field`);
    if (OWN.has(name)) throw bad(file, `line ${index + 1} is about what the exporter says itself`);
    headers[name] = value;
  }
  return headers;
}

function isField(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    // What Node says holds the value.
    return false;
  }
}

async function readBounded(file: string, maxBytes: number): Promise<string> {
  try {
    await using handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
    if (bytesRead > maxBytes) throw bad(file, `it is larger than ${maxBytes} bytes`);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (cause) {
    throw cause instanceof OpenShellError ? cause : bad(file, messageOf(cause));
  }
}

const bad = (file: string, what: string): OpenShellError =>
  new OpenShellError(`the headers for the collector (${file}): ${what}`, {
    code: 'bad_otlp_headers',
    remedy: 'Write one field a line, as in "Authorization: Bearer TOKEN".',
  });
