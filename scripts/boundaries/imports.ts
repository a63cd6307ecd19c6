/** One import, export-from, `import()` or `require()` of a module. */
export interface Import {
  readonly specifier: string;
  /** From 1. */
  readonly line: number;
}

// A statement begins a line (a comment's text does not: it begins with `//` or `*`) and has no quote before `from`.
const STATEMENT = /^[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])([^'"\n]+)\1/gm;
const SIDE_EFFECT = /^[ \t]*import\s*(['"])([^'"\n]+)\1/gm;
const CALL = /^(?![ \t]*(?:\/\/|\*|\/\*)).*?\b(?:import|require)\s*\(\s*(['"])([^'"\n]+)\1/gm;

const lineAt = (source: string, index: number): number => source.slice(0, index).split('\n').length;

/** The modules that a TypeScript file names, types included. In order of appearance. */
export const importsOf = (source: string): Import[] =>
  [STATEMENT, SIDE_EFFECT, CALL]
    .flatMap((pattern) => [...source.matchAll(pattern)])
    .map((match) => ({ specifier: match[2] ?? '', line: lineAt(source, match.index + match[0].length) }))
    .sort((a, b) => a.line - b.line);
