import { createRequire } from 'node:module';
import { messageOf } from '@openshell/base';
import type * as Yaml from 'yaml';
import { POLICY_LIMITS } from '../limits.ts';
import { Findings, type Position } from '../problem.ts';
import { type MapEntry, type TreeNode, TreeSource } from './tree.ts';

/** A file as a tree; `root` is absent when the text is not one acceptable YAML document. */
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
 */
export function parseYaml(text: string, file?: string): ParsedYaml {
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
  const reader = new YamlReader(yamlLibrary(), lines, file);
  const root = reader.read(text);
  const source = new TreeSource(root, (offset) => lines.position(offset), file);
  const findings = new Findings(source, POLICY_LIMITS.findings);
  findings.problems.push(...reader.problems);
  return { ...(root && reader.problems.length === 0 ? { root } : {}), source, findings };
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

const SCALAR_FIX = 'Write the value out.';

class YamlReader {
  readonly #yaml: typeof Yaml;
  readonly #findings: Findings;
  readonly #lines: LineTable;
  #offset = 0;

  constructor(yaml: typeof Yaml, lines: LineTable, file?: string) {
    this.#yaml = yaml;
    this.#lines = lines;
    // While the tree is being built, a problem's place is an offset that was noted just before.
    const here = { locate: () => this.#lines.position(this.#offset), ...(file === undefined ? {} : { file }) };
    this.#findings = new Findings(here, POLICY_LIMITS.findings);
  }

  get problems() {
    return this.#findings.problems;
  }

  read(text: string): TreeNode | undefined {
    const document = this.#compose(text);
    if (!document || this.problems.length > 0) return undefined;
    if (!document.contents) {
      this.#problem(0, 'empty_file', 'The file holds no policy.', 'Start with "version: 1".');
      return undefined;
    }
    return this.#node(document.contents as Yaml.Node, 0);
  }

  #compose(text: string): Yaml.Document | undefined {
    try {
      const tokens = [...new this.#yaml.Parser().parse(text)];
      const directive = tokens.find((token) => token.type === 'directive');
      if (directive) this.#problem(directive.offset, 'yaml_directive', 'YAML directives are not accepted.', 'Remove the line that starts with "%".');
      const composer = new this.#yaml.Composer({ uniqueKeys: false, schema: 'core', merge: false, prettyErrors: false });
      const [first, second] = [...composer.compose(tokens, true, text.length)];
      for (const { code, message, pos } of first?.errors ?? []) this.#syntax(pos[0], `${message} (${code})`);
      if (second) this.#problem(second.range[0], 'yaml_documents', 'The file holds more than one YAML document.', 'Keep one, and remove the "---" lines.');
      return first;
    } catch (thrown) {
      // The composer recurses, so what is nested tens of thousands deep may exhaust its stack.
      this.#syntax(0, thrown instanceof RangeError ? 'it is nested too deeply' : messageOf(thrown));
      return undefined;
    }
  }

  #node(node: Yaml.Node | null, depth: number, fallback = 0): TreeNode {
    const offset = node?.range?.[0] ?? fallback;
    if (!node) return { kind: 'scalar', value: null, empty: true, offset };
    if (this.#yaml.isAlias(node)) {
      this.#problem(offset, 'yaml_alias', `The alias *${node.source} is not accepted.`, SCALAR_FIX);
      return { kind: 'scalar', value: null, empty: false, offset };
    }
    if (node.anchor) this.#problem(offset, 'yaml_anchor', `The anchor &${node.anchor} is not accepted.`, 'Remove it; write repeated values out.');
    // The composer notes a tag only where one is written.
    if (node.tag) this.#tag(node.tag, offset);
    if (depth > POLICY_LIMITS.depth) {
      this.#problem(offset, 'too_deep', `Nested more than ${POLICY_LIMITS.depth} levels deep.`, 'Flatten the value.');
      return { kind: 'scalar', value: null, empty: false, offset };
    }
    if (this.#yaml.isSeq(node)) {
      return { kind: 'list', items: node.items.map((item) => this.#node(item as Yaml.Node, depth + 1, offset)), offset };
    }
    if (this.#yaml.isMap(node)) return { kind: 'map', entries: this.#entries(node, depth), offset };
    return this.#scalar(node as Yaml.Scalar, offset);
  }

  #entries(node: Yaml.YAMLMap, depth: number): Map<string, MapEntry> {
    const entries = new Map<string, MapEntry>();
    for (const { key, value } of node.items as Yaml.Pair<Yaml.Node, Yaml.Node | null>[]) {
      const keyOffset = key?.range?.[0] ?? node.range?.[0] ?? 0;
      if (!this.#yaml.isScalar(key)) {
        this.#problem(keyOffset, 'bad_key', 'A key must be plain text.', 'Write the key as one word or in quotes.');
        continue;
      }
      if (key.anchor || key.tag) this.#problem(keyOffset, 'yaml_anchor', 'Keys carry neither anchors nor tags.', 'Remove it.');
      const name = typeof key.value === 'string' ? key.value : (key.source ?? '');
      if (entries.has(name)) {
        const first = this.#lines.position(entries.get(name)!.keyOffset).line;
        this.#problem(keyOffset, 'duplicate_key', `"${name}" was already given on line ${first}.`, 'Keep one of the two.');
        continue;
      }
      entries.set(name, { keyOffset, value: this.#node(value, depth + 1, keyOffset) });
    }
    return entries;
  }

  #scalar(node: Yaml.Scalar, offset: number): TreeNode {
    const { value } = node;
    if (value === null) return { kind: 'scalar', value, empty: !node.source, offset };
    if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
      return { kind: 'scalar', value, empty: false, offset };
    }
    return { kind: 'scalar', value: String(node.source), empty: false, offset };
  }

  #tag(tag: string, offset: number): void {
    this.#problem(offset, 'yaml_tag', `The tag ${tag} is not accepted.`, 'Remove the tag; put text in quotes.');
  }

  #syntax(offset: number, what: string): void {
    this.#problem(offset, 'yaml_syntax', `This is not valid YAML: ${what}.`, 'Check indentation, quotes and brackets here.');
  }

  #problem(offset: number, code: string, message: string, fix: string): void {
    this.#offset = offset;
    this.#findings.problem([], { code, message, fix });
  }
}
