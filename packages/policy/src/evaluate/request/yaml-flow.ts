/** A scalar as YAML: plain where that is safe, as a JSON string (which YAML 1.2 reads the same way) otherwise. */
export function quoted(text: string): string {
  const isPlain =
    /^\/?[A-Za-z][A-Za-z0-9._/-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return isPlain || text === '/' ? text : JSON.stringify(text);
}

/** A value in flow style, on one line: what a person can paste after `- `. */
export function flow(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).map(([key, inner]) => `${quoted(key)}: ${flow(inner)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}
