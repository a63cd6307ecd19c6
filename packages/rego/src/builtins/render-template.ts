import type { BuiltinContext, BuiltinDeclaration } from '../builtin.ts';
import { ANY, objectOf, STRING } from '../types/index.ts';
import { isArray, isNumber, isObject, isSet, keyName, numberText, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { wrapped } from './encoding.ts';
import { type Data, NumberText } from './format/template/data.ts';
import { renderTemplate } from './format/template/render.ts';
import { boundedString, objectAt, stringAt } from './operands.ts';

const dataOf = (value: Value): Data => {
  if (isNumber(value)) return new NumberText(numberText(value));
  if (isArray(value)) return value.map(dataOf);
  if (isSet(value)) return value.sorted.map(dataOf);
  if (isObject(value))
    return new Map(Array.from(value, ([key, member]) => [keyName(key), dataOf(member)] as const));
  return value as null | boolean | string;
};

const render = (args: readonly Value[], context: BuiltinContext): Value => {
  const template = stringAt(args, 0);
  const data = dataOf(objectAt(args, 1));
  context.spend(1 + template.length);
  const limits = {
    maxLength: context.limits.maxStringLength,
    spend: (steps: number) => context.spend(steps),
  };
  const text = wrapped(() => renderTemplate(template, data, limits));
  // What is not there is shown as the rest of Rego shows it.
  return boundedString(text.replaceAll('<no value>', '<undefined>'), context);
};

export const templateBuiltins: readonly BuiltinDeclaration[] = [
  builtin('strings.render_template', [STRING, objectOf(STRING, ANY)], STRING, render),
];
