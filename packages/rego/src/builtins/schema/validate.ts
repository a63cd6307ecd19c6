import {
  compareNumbers,
  equal,
  isArray,
  isInteger,
  isNumber,
  isObject,
  jsonText,
  type Key,
  keyOf,
  numberText,
  type RegoObject,
  typeName,
  type Value,
} from '../../value/index.ts';
import { checkNumber, checkString } from './keywords-scalar.ts';
import { isSchema, type ReferenceResolver, type Schema } from './reference.ts';
import { fieldOf, type Mistake, mistake, type Place } from './result.ts';

/** What validation needs besides document and schema. */
export interface ValidationTools {
  readonly resolver: ReferenceResolver;
  readonly matches: (pattern: string, text: string) => boolean;
  readonly spend: (steps: number) => void;
}

/** How often references and schemas may lead to each other. */
const MAX_DEPTH = 500;

/** All mistakes of a document. */
export const validate = (document: Value, schema: Schema, tools: ValidationTools): Mistake[] =>
  new Validator(tools).check(document, schema, []);

class Validator {
  readonly #tools: ValidationTools;
  #depth = 0;

  constructor(tools: ValidationTools) {
    this.#tools = tools;
  }

  check(value: Value, schema: Schema, place: Place): Mistake[] {
    this.#tools.spend(1);
    if (schema === true) return [];
    if (schema === false) return [mistake(place, 'false', 'False always fails validation')];
    if (++this.#depth > MAX_DEPTH) throw new Error('schema refers to itself too often');
    const mistakes = this.#checkObject(value, schema, place);
    this.#depth--;
    return mistakes;
  }

  #checkObject(value: Value, schema: RegoObject, place: Place): Mistake[] {
    // Beside a reference nothing else counts (draft 7, section 8.3).
    const reference = schema.getString('$ref');
    if (typeof reference === 'string')
      return this.check(value, this.#tools.resolver.resolve(reference), place);
    const wrongType = checkType(value, schema, place);
    if (wrongType !== undefined) return [wrongType];
    return [
      ...this.#combinations(value, schema, place),
      ...checkAllowedValues(value, schema, place),
      ...this.#byKind(value, schema, place),
    ];
  }

  #byKind(value: Value, schema: RegoObject, place: Place): Mistake[] {
    if (isNumber(value)) return checkNumber(value, schema, place);
    if (typeof value === 'string') return checkString(value, schema, place, this.#tools.matches);
    if (isArray(value)) return this.#array(value, schema, place);
    return isObject(value) ? this.#object(value, schema, place) : [];
  }

  #holds(value: Value, schema: Value | undefined): boolean {
    return isSchema(schema) && this.check(value, schema, []).length === 0;
  }

  #combinations(value: Value, schema: RegoObject, place: Place): Mistake[] {
    const mistakes: Mistake[] = [];
    const listOf = (keyword: string): readonly Value[] | undefined => {
      const list = schema.getString(keyword);
      return isArray(list) ? list : undefined;
    };
    const anyOf = listOf('anyOf');
    if (anyOf !== undefined && !anyOf.some((each) => this.#holds(value, each))) {
      mistakes.push(mistake(place, 'number_any_of', 'Must validate at least one schema (anyOf)'));
      const closest = this.#closest(value, anyOf, place);
      mistakes.push(...closest);
    }
    const oneOf = listOf('oneOf');
    const matching = oneOf?.filter((each) => this.#holds(value, each)).length ?? 1;
    if (oneOf !== undefined && matching !== 1) {
      mistakes.push(mistake(place, 'number_one_of', 'Must validate one and only one schema (oneOf)'));
      if (matching === 0) mistakes.push(...this.#closest(value, oneOf, place));
    }
    const allOf = listOf('allOf') ?? [];
    const failing = allOf.flatMap((each) => (isSchema(each) ? this.check(value, each, place) : []));
    mistakes.push(...failing);
    if (failing.length > 0)
      mistakes.push(mistake(place, 'number_all_of', 'Must validate all the schemas (allOf)'));
    if (schema.has('not') && this.#holds(value, schema.getString('not'))) {
      mistakes.push(mistake(place, 'number_not', 'Must not validate the schema (not)'));
    }
    if (isObject(value)) mistakes.push(...this.#dependencies(value, schema, place));
    return [...mistakes, ...this.#condition(value, schema, place)];
  }

  /** The mistakes of the alternative that was missed by least. */
  #closest(value: Value, alternatives: readonly Value[], place: Place): Mistake[] {
    const tried = alternatives.map((each) => (isSchema(each) ? this.check(value, each, place) : []));
    return tried.reduce((best, next) => (next.length < best.length ? next : best), tried[0] ?? []);
  }

  #condition(value: Value, schema: RegoObject, place: Place): Mistake[] {
    if (!schema.has('if')) return [];
    const branch = this.#holds(value, schema.getString('if')) ? 'then' : 'else';
    const chosen = schema.getString(branch);
    if (!isSchema(chosen)) return [];
    const mistakes = this.check(value, chosen, place);
    if (mistakes.length === 0) return [];
    const outcome = branch === 'then' ? 'valid' : 'not valid';
    return [
      mistake(place, `condition_${branch}`, `Must validate "${branch}" as "if" was ${outcome}`),
      ...mistakes,
    ];
  }

  #dependencies(value: RegoObject, schema: RegoObject, place: Place): Mistake[] {
    const dependencies = schema.getString('dependencies');
    if (!isObject(dependencies)) return [];
    const mistakes: Mistake[] = [];
    for (const [name, needed] of dependencies) {
      if (!value.has(name)) continue;
      if (isArray(needed)) {
        for (const other of needed) {
          if (!value.has(other))
            mistakes.push(mistake(place, 'missing_dependency', `Has a dependency on ${String(other)}`));
        }
      } else if (isSchema(needed)) mistakes.push(...this.check(value, needed, place));
    }
    return mistakes;
  }

  #array(value: readonly Value[], schema: RegoObject, place: Place): Mistake[] {
    const mistakes: Mistake[] = [];
    const items = schema.getString('items');
    const additional = schema.getString('additionalItems');
    for (const [index, element] of value.entries()) {
      const own = isArray(items) ? (items[index] ?? additional) : items;
      if (isArray(items) && index >= items.length && additional === false) {
        mistakes.push(mistake(place, 'array_no_additional_items', 'No additional items allowed on array'));
        break;
      }
      if (isSchema(own)) mistakes.push(...this.check(element, own, [...place, String(index)]));
    }
    mistakes.push(...checkSize(value.length, schema, place, ARRAY_BOUNDS));
    if (schema.getString('uniqueItems') === true) mistakes.push(...checkUnique(value, place));
    if (
      schema.has('contains') &&
      !value.some((element) => this.#holds(element, schema.getString('contains')))
    ) {
      mistakes.push(mistake(place, 'contains', 'At least one of the items must match'));
    }
    return mistakes;
  }

  #object(value: RegoObject, schema: RegoObject, place: Place): Mistake[] {
    const mistakes: Mistake[] = checkSize(value.size, schema, place, OBJECT_BOUNDS);
    const required = schema.getString('required');
    for (const name of isArray(required) ? required : []) {
      if (!value.has(name)) mistakes.push(mistake(place, 'required', `${String(name)} is required`));
    }
    for (const [name, member] of value) mistakes.push(...this.#member(name as string, member, schema, place));
    return mistakes;
  }

  #member(name: string, member: Value, schema: RegoObject, place: Place): Mistake[] {
    const mistakes: Mistake[] = [];
    const inner = [...place, name];
    const names = schema.getString('propertyNames');
    if (isSchema(names) && !this.#holds(name, names)) {
      mistakes.push(mistake(place, 'invalid_property_name', `Property name of "${name}" does not match`));
    }
    let known = false;
    const properties = schema.getString('properties');
    const own = isObject(properties) ? properties.getString(name) : undefined;
    if (isSchema(own)) {
      known = true;
      mistakes.push(...this.check(member, own, inner));
    }
    const patterns = schema.getString('patternProperties');
    for (const [pattern, each] of isObject(patterns) ? patterns : []) {
      if (!this.#tools.matches(pattern as string, name) || !isSchema(each)) continue;
      known = true;
      mistakes.push(...this.check(member, each, inner));
    }
    const additional = schema.getString('additionalProperties');
    if (known || !isSchema(additional)) return mistakes;
    if (additional === false) {
      mistakes.push(
        mistake(place, 'additional_property_not_allowed', `Additional property ${name} is not allowed`),
      );
    } else mistakes.push(...this.check(member, additional, inner));
    return mistakes;
  }
}

/** The type that gojsonschema says a value has. */
const givenType = (value: Value): string =>
  isNumber(value) && isInteger(value) ? 'integer' : typeName(value);

const checkType = (value: Value, schema: RegoObject, place: Place): Mistake | undefined => {
  const declared = schema.getString('type');
  if (declared === undefined) return undefined;
  const names = (isArray(declared) ? declared : [declared]) as readonly string[];
  const given = givenType(value);
  if (names.includes(given) || (given === 'integer' && names.includes('number'))) return undefined;
  const expected = names.length === 1 ? names[0]! : `[${names.join(',')}]`;
  return mistake(place, 'invalid_type', `Invalid type. Expected: ${expected}, given: ${given}`);
};

const checkAllowedValues = (value: Value, schema: RegoObject, place: Place): Mistake[] => {
  const mistakes: Mistake[] = [];
  const constant = schema.getString('const');
  if (constant !== undefined && !equal(constant, value)) {
    mistakes.push(mistake(place, 'const', `${fieldOf(place)} does not match: ${jsonText(constant)}`));
  }
  const allowed = schema.getString('enum');
  if (isArray(allowed) && !allowed.some((each) => equal(each, value))) {
    const shown = allowed.map(jsonText).join(', ');
    mistakes.push(mistake(place, 'enum', `${fieldOf(place)} must be one of the following: ${shown}`));
  }
  return mistakes;
};

interface Bounds {
  readonly min: string;
  readonly max: string;
  readonly minType: string;
  readonly maxType: string;
  readonly subject: string;
  readonly parts: string;
}

const ARRAY_BOUNDS: Bounds = {
  min: 'minItems',
  max: 'maxItems',
  minType: 'array_min_items',
  maxType: 'array_max_items',
  subject: 'Array must',
  parts: 'items',
};

const OBJECT_BOUNDS: Bounds = {
  min: 'minProperties',
  max: 'maxProperties',
  minType: 'array_min_properties',
  maxType: 'array_max_properties',
  subject: 'Must',
  parts: 'properties',
};

const checkSize = (size: number, schema: RegoObject, place: Place, bounds: Bounds): Mistake[] => {
  const mistakes: Mistake[] = [];
  const least = schema.getString(bounds.min);
  if (isNumber(least) && compareNumbers(size, least) < 0) {
    mistakes.push(
      mistake(place, bounds.minType, `${bounds.subject} have at least ${numberText(least)} ${bounds.parts}`),
    );
  }
  const most = schema.getString(bounds.max);
  if (isNumber(most) && compareNumbers(size, most) > 0) {
    mistakes.push(
      mistake(place, bounds.maxType, `${bounds.subject} have at most ${numberText(most)} ${bounds.parts}`),
    );
  }
  return mistakes;
};

const checkUnique = (value: readonly Value[], place: Place): Mistake[] => {
  const seen = new Map<Key, number>();
  const mistakes: Mistake[] = [];
  for (const [index, element] of value.entries()) {
    const key = keyOf(element);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, index);
    else mistakes.push(mistake(place, 'unique', `array items[${first},${index}] must be unique`));
  }
  return mistakes;
};
