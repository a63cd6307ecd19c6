/**
 * The line (from 1) on which a top-level key stands, or, with a value, that text within the key's value: the TOML
 * parser gives positions for broken documents only. Line 1 where an unusual spelling hides it.
 */
export const lineOf = (text: string, key: string, value?: string): number => {
  const lines = text.split('\n');
  const found = lines.findIndex((line) => keyOf(line) === key);
  if (found < 0) return 1;
  if (value === undefined) return found + 1;
  const within = lines.findIndex(
    (line, index) => index >= found && (line.includes(`"${value}"`) || line.includes(`'${value}'`)),
  );
  return (within < 0 ? found : within) + 1;
};

/** `key = …`, `"key" = …`, `key.sub = …`, `[key]`, `[[key.sub]]`. */
const keyOf = (line: string): string | undefined =>
  /^\s*\[{0,2}\s*["']?([\w-]+)["']?\s*[=.\]]/.exec(line)?.[1];
