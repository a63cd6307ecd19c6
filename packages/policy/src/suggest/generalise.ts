/** So many siblings that differ in one segment are taken for ids. */
const SIBLINGS = 8;

/** Path patterns, segment by segment. Where more than 8 differ in one segment only, that segment becomes `*`. */
export function generalisePaths(patterns: readonly string[]): string[] {
  let paths = [...new Set(patterns)].map((pattern) => pattern.split('/'));
  const longest = Math.max(0, ...paths.map(({ length }) => length));
  for (let at = 1; at < longest; at++) paths = joinSiblings(paths, at);
  return [...new Set(paths.map((path) => path.join('/')))].sort();
}

function joinSiblings(paths: readonly string[][], at: number): string[][] {
  const families = Map.groupBy(paths, (path) =>
    JSON.stringify([path.length > at, path.with(Math.min(at, path.length - 1), '')]),
  );
  return [...families.values()].flatMap((family) => {
    const ids = new Set(family.map((path) => path[at]));
    if (ids.has(undefined) || ids.has('') || ids.size <= SIBLINGS) return family;
    return [family[0]!.with(at, '*')];
  });
}
