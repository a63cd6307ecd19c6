import { type Data, isList, isMap, isTrue, NumberText, printed, sortedEntries } from './data.ts';
import { FUNCTIONS } from './functions.ts';
import {
  type Operand,
  type ParsedTemplate,
  type Pipeline,
  parseTemplate,
  type TemplateNode,
} from './parser.ts';

/** What bounds the writing of a template. */
export interface RenderLimits {
  readonly maxLength: number;
  readonly spend: (steps: number) => void;
}

/** Writes a template with data. Throws an Error worded as Go's `text/template`. */
export const renderTemplate = (template: string, data: Data, limits: RenderLimits): string =>
  new Renderer(parseTemplate(template), data, limits).render();

/** How often templates may call templates. */
const MAX_CALLS = 100;

type Outcome = 'break' | 'continue' | undefined;

/** Variables by name, the inner ones before the outer ones. */
class Scope {
  readonly #own = new Map<string, Data>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  declare(name: string, value: Data): void {
    this.#own.set(name, value);
  }

  assign(name: string, value: Data): void {
    const holder = this.#holder(name);
    if (holder === undefined) throw new Error(`template: undefined variable "${name}"`);
    holder.#own.set(name, value);
  }

  get(name: string): Data {
    const holder = this.#holder(name);
    if (holder === undefined) throw new Error(`template: undefined variable "${name}"`);
    return holder.#own.get(name);
  }

  #holder(name: string): Scope | undefined {
    if (this.#own.has(name)) return this;
    return this.#outer === undefined ? undefined : this.#outer.#holder(name);
  }
}

/** What a dot and the variables stand for at one place. */
interface Frame {
  readonly dot: Data;
  readonly scope: Scope;
}

class Renderer {
  readonly #template: ParsedTemplate;
  readonly #data: Data;
  readonly #limits: RenderLimits;
  #result = '';
  #calls = 0;

  constructor(template: ParsedTemplate, data: Data, limits: RenderLimits) {
    this.#template = template;
    this.#data = data;
    this.#limits = limits;
  }

  render(): string {
    this.#call(this.#template.root, this.#data);
    return this.#result;
  }

  #call(nodes: readonly TemplateNode[], data: Data): void {
    const scope = new Scope();
    scope.declare('$', data);
    this.#nodes(nodes, { dot: data, scope });
  }

  #nodes(nodes: readonly TemplateNode[], frame: Frame): Outcome {
    for (const node of nodes) {
      this.#limits.spend(1);
      const outcome = this.#node(node, frame);
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  }

  #node(node: TemplateNode, frame: Frame): Outcome {
    switch (node.kind) {
      case 'text':
        this.#write(node.text);
        return undefined;
      case 'print': {
        const value = this.#pipeline(node.pipeline, frame);
        if (node.pipeline.variables.length === 0) this.#write(printed(value));
        return undefined;
      }
      case 'if':
      case 'with':
        return this.#choice(node, inner(frame));
      case 'range':
        return this.#range(node, frame);
      case 'break':
      case 'continue':
        return node.kind;
      case 'template': {
        const nodes = this.#template.defined.get(node.name);
        if (nodes === undefined) throw new Error(`template: template "${node.name}" not defined`);
        if (++this.#calls > MAX_CALLS) throw new Error('template: exceeded maximum template depth');
        this.#call(nodes, node.pipeline === undefined ? undefined : this.#pipeline(node.pipeline, frame));
        this.#calls--;
        return undefined;
      }
      default: {
        const never: never = node;
        return never;
      }
    }
  }

  #choice(node: Extract<TemplateNode, { body: unknown }>, frame: Frame): Outcome {
    const value = this.#pipeline(node.pipeline, frame);
    if (!isTrue(value)) return this.#nodes(node.otherwise, frame);
    return this.#nodes(node.body, node.kind === 'with' ? { ...frame, dot: value } : frame);
  }

  #range(node: Extract<TemplateNode, { body: unknown }>, frame: Frame): Outcome {
    const { variables } = node.pipeline;
    const value = this.#pipeline({ ...node.pipeline, variables: [] }, frame);
    const entries = entriesOf(value);
    if (entries.length === 0) return this.#nodes(node.otherwise, inner(frame));
    for (const [key, element] of entries) {
      const scope = new Scope(frame.scope);
      if (variables.length === 1) scope.declare(variables[0]!, element);
      if (variables.length === 2) {
        scope.declare(variables[0]!, key);
        scope.declare(variables[1]!, element);
      }
      if (this.#nodes(node.body, { dot: element, scope }) === 'break') break;
    }
    return undefined;
  }

  #pipeline(pipeline: Pipeline, frame: Frame): Data {
    let value: Data;
    for (const [position, command] of pipeline.commands.entries()) {
      value = this.#command(command, position === 0 ? [] : [value], frame);
    }
    for (const name of pipeline.variables) {
      if (pipeline.declares) frame.scope.declare(name, value);
      else frame.scope.assign(name, value);
    }
    return value;
  }

  #command(command: readonly Operand[], piped: readonly Data[], frame: Frame): Data {
    const [first, ...others] = command;
    if (first?.kind !== 'function') {
      if (others.length + piped.length > 0) throw new Error("template: can't give argument to non-function");
      return this.#operand(first!, frame);
    }
    const { name } = first;
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, others, piped, frame);
    const called = FUNCTIONS.get(name);
    if (called === undefined) throw new Error(`template: function "${name}" not defined`);
    return called([...others.map((operand) => this.#operand(operand, frame)), ...piped]);
  }

  /** The first argument that decides; later ones are not looked at. */
  #shortCircuit(
    name: 'and' | 'or',
    operands: readonly Operand[],
    piped: readonly Data[],
    frame: Frame,
  ): Data {
    let value: Data;
    for (const operand of operands) {
      value = this.#operand(operand, frame);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #operand(operand: Operand, frame: Frame): Data {
    switch (operand.kind) {
      case 'constant':
        return operand.value;
      case 'variable':
        return frame.scope.get(operand.name);
      case 'field':
        return fieldOf(
          operand.base === 'dot' ? frame.dot : this.#operand(operand.base, frame),
          operand.names,
        );
      case 'pipeline':
        return this.#pipeline(operand.pipeline, frame);
      case 'function':
        return this.#command([operand], [], frame);
      default: {
        const never: never = operand;
        return never;
      }
    }
  }

  #write(text: string): void {
    this.#result += text;
    if (this.#result.length > this.#limits.maxLength) throw new Error('template: result too long');
  }
}

/** The same place with variables of its own. */
const inner = ({ dot, scope }: Frame): Frame => ({ dot, scope: new Scope(scope) });

const fieldOf = (data: Data, names: readonly string[]): Data =>
  names.reduce<Data>((value, name) => {
    if (value === undefined) throw new Error(`template: nil data; no entry for key "${name}"`);
    if (isMap(value)) return value.get(name);
    throw new Error(
      `template: can't evaluate field ${name} in type ${value === null ? 'nil' : 'interface {}'}`,
    );
  }, data);

const entriesOf = (data: Data): (readonly [Data, Data])[] => {
  if (isList(data)) return data.map((element, index) => [index, element] as const);
  if (isMap(data)) return sortedEntries(data);
  if (typeof data === 'number')
    return Array.from({ length: Math.min(data, 1_000_000) }, (_, index) => [index, index] as const);
  if (data === undefined || data === null) return [];
  throw new Error(
    `template: range can't iterate over ${data instanceof NumberText ? data.text : String(data)}`,
  );
};
