import { createRequire } from 'node:module';
import { messageOf } from '@openshell/base';
import type * as Yaml from 'yaml';
import { POLICY_LIMITS } from '../limits.ts';
import { Findings, type Position } from '../problem.ts';
import { type MapEntry, type TreeNode, TreeSource } from './tree.ts';

/** A file as a tree; `root` is absent when the text is not one YAML document. */
export interface ParsedYaml {
  readonly root?: TreeNode;
  readonly source: TreeSource;
  readonly findings: Findings;
}

// Loading the YAML library takes longer than all of our own code; who brings no policy file should not wait for it.
let library: typeof Yaml | undefined;
const yamlLibrary = (): typeof Yaml => (library ??= createRequire(import.meta.url)('yaml') as typeof Yaml);

/**
 * Reads one YAML 1.2 document (core schema). Anchors, aliases, tags, directives, repeated keys, further documents and nesting beyond
 * the limit are problems: none of them says anything that a policy needs, and each makes a reviewer and a parser see different files.
 * `start` is what such a file begins with.
 */
export function parseYaml(text: string, file: string | undefined, start: string): ParsedYaml {
  const nowhere = new TreeSource(undefined, () => ({ line: 1, column: 1 }), file);
  const early = new Findings(nowhere, POLICY_LIMITS.findings);
  if (Buffer.byteLength(text) > POLICY_LIMITS.fileBytes) {
    early.problem([], {
      code: 'file_too_large',
      message: `The file is larger than ${POLICY_LIMITS.fileBytes} bytes.`,
      fix: 'Split the policy, or remove what repeats itself.',
    });
    return { source: nowhere, findings: early };
  }
  const lines = new LineTable(text);
  const reader = new YamlReader(yamlLibrary(), lines, { file, start });
  const root = reader.read(text);
  const source = new TreeSource(root, (offset) => lines.position(offset), file);
  const findings = new Findings(source, POLICY_LIMITS.findings);
  findings.problems.push(...reader.problems);
  return { ...(root ? { root } : {}), source, findings };
}

/** Turns offsets into lines and columns by binary search. */
class LineTable {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  position(offset: number): Position {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#starts[low]! + 1 };
  }
}

class YamlReader {
  readonly #yaml: typeof Yaml;
  readonly #findings: Findings;
  readonly #lines: LineTable;
  readonly #path: (string | number)[] = [];
  readonly #start: string;
  #offset = 0;

  constructor(
    yaml: typeof Yaml,
    lines: LineTable,
    { file, start }: { file: string | undefined; start: string },
  ) {
    this.#start = start;
    this.#yaml = yaml;
    this.#lines = lines;
    // While the tree is being built, a problem's place is an offset that was noted just before.
    const here = {
      locate: () => this.#lines.position(this.#offset),
      ...(file === undefined ? {} : { file }),
    };
    this.#findings = new Findings(here, POLICY_LIMITS.findings);
  }

  get problems() {
    return this.#findings.problems;
  }

  read(text: string): TreeNode | undefined {
    const document = this.#compose(text);
    if (!document || this.problems.length > 0) return undefined;
    if (document.contents) return this.#node(document.contents as Yaml.Node, 0);
    this.#problem(0, 'empty_file', 'The file is empty.', `Start with "${this.#start}".`);
    return undefined;
  }

  #compose(text: string): Yaml.Document | undefined {
    try {
      const tokens = [...new this.#yaml.Parser().parse(text)];
      const directive = tokens.find((token) => token.type === 'directive');
      if (directive) {
        const fix = 'Remove the line that starts with "%".';
        this.#problem(directive.offset, 'yaml_directive', 'YAML directives are not accepted.', fix);
      }
      const composer = new this.#yaml.Composer({
        uniqueKeys: false,
        schema: 'core',
        merge: false,
        prettyErrors: false,
      });
      const [first, second] = [...composer.compose(tokens, true, text.length)];
      this.#syntaxErrors(first?.errors ?? []);
      if (second) {
        const fix = 'Keep one, and remove the "---" lines.';
        this.#problem(second.range[0], 'yaml_documents', 'The file holds more than one YAML document.', fix);
      }
      return first;
    } catch (thrown) {
      // The composer recurses, so that what is nested tens of thousands of levels deep exhausts its stack.
      if (thrown instanceof RangeError) this.#tooDeep(0);
      else this.#syntax(0, messageOf(thrown));
      return undefined;
    }
  }

  /** One error for each place: what follows from the first one there helps nobody. */
  #syntaxErrors(errors: readonly Yaml.YAMLParseError[]): void {
    const deep = errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
    if (deep) {
      this.#tooDeep(deep.pos[0]);
      return;
    }
    const seen = new Set<number>();
    for (const { message, pos } of errors) {
      if (this.#findings.full) break;
      if (!seen.has(pos[0])) this.#syntax(pos[0], message);
      seen.add(pos[0]);
    }
  }

  #node(node: Yaml.Node | null, depth: number, fallback = 0): TreeNode {
    const offset = node?.range?.[0] ?? fallback;
    if (!node) return { kind: 'scalar', value: null, empty: true, offset };
    const refused = { kind: 'scalar', value: null, empty: false, offset } as const;
    if (this.#yaml.isAlias(node)) {
      this.#problem(
        offset,
        'yaml_alias',
        `The alias *${node.source} is not accepted.`,
        'Write the value out.',
      );
      return refused;
    }
    if (depth > POLICY_LIMITS.depth) {
      this.#tooDeep(offset);
      return refused;
    }
    this.#properties(node, offset);
    if (this.#yaml.isMap(node)) return { kind: 'map', entries: this.#entries(node, depth), offset };
    if (!this.#yaml.isSeq(node)) return scalarNode(node as Yaml.Scalar, offset);
    const items = (node.items as Yaml.Node[]).map((item, index) =>
      this.#inside(index, () => this.#node(item, depth + 1, offset)),
    );
    return { kind: 'list', items, offset };
  }

  #entries(node: Yaml.YAMLMap, depth: number): Map<string, MapEntry> {
    const entries = new Map<string, MapEntry>();
    for (const { key, value } of node.items as Yaml.Pair<Yaml.Node, Yaml.Node | null>[]) {
      const keyOffset = key?.range?.[0] ?? node.range?.[0] ?? 0;
      if (!this.#yaml.isScalar(key)) {
        this.#problem(
          keyOffset,
          'bad_key',
          'A key must be plain text.',
          'Write the key as one word or in quotes.',
        );
        continue;
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? '');
      const earlier = entries.get(name);
      this.#inside(name, () => {
        this.#properties(key, keyOffset);
        const read = this.#node(value, depth + 1, keyOffset);
        if (earlier) this.#duplicate(name, keyOffset, earlier.keyOffset);
        else entries.set(name, { keyOffset, value: read });
      });
    }
    return entries;
  }

  /** The composer notes an anchor or a tag only where one is written. */
  #properties(node: Yaml.Node, offset: number): void {
    if ('anchor' in node && node.anchor) {
      this.#problem(
        offset,
        'yaml_anchor',
        `The anchor &${node.anchor} is not accepted.`,
        'Remove it; write repeated values out.',
      );
    }
    if (node.tag)
      this.#problem(
        offset,
        'yaml_tag',
        `The tag ${node.tag} is not accepted.`,
        'Remove the tag; put text in quotes.',
      );
  }

  #duplicate(name: string, offset: number, earlier: number): void {
    const { line } = this.#lines.position(earlier);
    this.#problem(
      offset,
      'duplicate_key',
      `"${name}" was already given on line ${line}.`,
      'Keep one of the two.',
    );
  }

  #syntax(offset: number, what: string): void {
    this.#problem(
      offset,
      'yaml_syntax',
      `This is not valid YAML: ${what}.`,
      'Check indentation, quotes and brackets here.',
    );
  }

  #tooDeep(offset: number): void {
    this.#problem(
      offset,
      'too_deep',
      `Nested more than ${POLICY_LIMITS.depth} levels deep.`,
      'Flatten the value.',
    );
  }

  #problem(offset: number, code: string, message: string, fix: string): void {
    this.#offset = offset;
    this.#findings.problem(this.#path, { code, message, fix });
  }

  #inside<T>(step: string | number, act: () => T): T {
    this.#path.push(step);
    const result = act();
    this.#path.pop();
    return result;
  }
}

function scalarNode({ value, source }: Yaml.Scalar, offset: number): TreeNode {
  if (value === null) return { kind: 'scalar', value, empty: !source, offset };
  const known = typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number';
  return { kind: 'scalar', value: known ? value : String(source), empty: false, offset };
}
