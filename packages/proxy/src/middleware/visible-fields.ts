import type { HeaderField } from '../http/request-head.ts';
import type { StageChanges } from './stage.ts';

/** The only fields that a stage may set. */
export const WRITABLE_PREFIX = 'x-openshell-middleware-';

/** Fields that carry credentials, placeholders or not: a stage neither sees nor removes them. */
const HIDDEN = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'x-auth-token',
  'x-csrf-token',
  'private-token',
  'job-token',
  'x-vault-token',
  'x-amz-security-token',
]);

/** Describe the body and go together with it: shown, and the proxy's own to change. */
const FIXED = new Set(['content-type', 'content-encoding', 'content-length', 'host', 'expect']);

export const visibleFields = (fields: readonly HeaderField[]): readonly HeaderField[] =>
  fields.filter(({ lowerName }) => !HIDDEN.has(lowerName));

// RFC 9110 section 5.5, without obs-text: nothing that a reader further on could take for a line of its own.
const VALUE = /^[\t\x20-\x7e]*$/;
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** Why the changes to the header are none that a stage may make; undefined when they are. */
export function refuseFieldChanges(
  changes: StageChanges,
  visible: readonly HeaderField[],
): string | undefined {
  for (const { name, value } of changes.setFields) {
    if (!name.startsWith(WRITABLE_PREFIX) || !NAME.test(name))
      return `it sets a field other than ${WRITABLE_PREFIX}*`;
    if (!VALUE.test(value)) return 'a value that it sets is not printable text';
  }
  const removable = new Set(visible.map(({ lowerName }) => lowerName));
  const wrong = changes.removeFields.find((name) => !removable.has(name) || FIXED.has(name));
  return wrong === undefined ? undefined : 'it removes a field that is not its to remove';
}

/** The fields with the changes made, those that the stage did not see included. */
export function changeFields(fields: readonly HeaderField[], changes: StageChanges): readonly HeaderField[] {
  const gone = new Set([...changes.removeFields, ...changes.setFields.map(({ name }) => name)]);
  const set = changes.setFields.map(({ name, value }) => ({ name, lowerName: name, value: value.trim() }));
  return [...fields.filter(({ lowerName }) => !gone.has(lowerName)), ...set];
}
