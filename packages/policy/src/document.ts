import type { Notice, PolicySource, Problem } from './problem.ts';
import { readTree } from './schema/read.ts';
import type { Read, Type } from './schema/schema.ts';
import { parseYaml } from './schema/yaml.ts';
import { Scope } from './validate/scope.ts';

export interface DocumentOptions {
  /** Shown in problems and notices. */
  readonly file?: string | undefined;
  /** What such a file begins with; told to who gives an empty one. */
  readonly start: string;
}

/** A YAML file that was read by a schema. What could not be read is a problem at its place and left out of the value. */
export interface Document<T extends Type> {
  /** Undefined when the text is no YAML document, or its top is not of the type. */
  readonly value: Read<T> | undefined;
  /** Whether something inside a mapping could not be read: checks of meaning leave those alone. */
  readonly isBroken: (value: object) => boolean;
  readonly source: PolicySource;
  /** The top of the file; what checks say there becomes a problem or notice, too. */
  readonly scope: Scope;
  /** By place in the file, as people work through them; so far. */
  problems(): readonly Problem[];
  notices(): readonly Notice[];
}

/** Reads a file of an operator's. Never throws. */
export function readDocument<T extends Type>(
  text: string,
  type: T,
  { file, start }: DocumentOptions,
): Document<T> {
  const { root, source, findings } = parseYaml(text, file, start);
  const yamlProblems = findings.problems.length;
  const reading = root && readTree(root, type, findings);
  return {
    value: reading?.value,
    isBroken: reading?.isBroken ?? (() => false),
    source,
    scope: new Scope(findings),
    problems: () => inOrder(withoutEchoes(findings.problems, yamlProblems)),
    notices: () => inOrder(findings.notices),
  };
}

/** A value that YAML itself made unusable is not also reported as being of the wrong type. */
function withoutEchoes(problems: readonly Problem[], yamlProblems: number): Problem[] {
  const places = new Set(problems.slice(0, yamlProblems).map((problem) => problem.path));
  return problems.filter((problem, index) => index < yamlProblems || !places.has(problem.path));
}

const inOrder = <T extends Problem | Notice>(findings: readonly T[]): T[] =>
  [...findings].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
