import type { EndpointRef } from '@openshell/policy';
import { isArray, isObject, type RegoObject, type Value } from '@openshell/rego';

/** Longest text of the rules' that goes into decisions, in UTF-16 units. */
export const MAX_TEXT = 2000;

/** An answer that is none: what is wrong with it is the message. */
export class Malformed extends Error {}

/** A text of the answer; empty when it has none. */
export const textIn = (object: RegoObject, name: string): string => {
  const value = object.getString(name);
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value.length > MAX_TEXT ? value.slice(0, MAX_TEXT) : value;
  throw new Malformed(`${name} is no string`);
};

export const flagIn = (object: RegoObject, name: string): boolean => {
  const value = object.getString(name);
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw new Malformed(`${name} is neither true nor false`);
};

/** A list of objects; empty when the answer has none. */
export const objectsIn = (object: RegoObject, name: string): readonly RegoObject[] => {
  const list = object.getString(name);
  if (list === undefined) return [];
  if (!isArray(list)) throw new Malformed(`${name} is no array`);
  if (!areObjects(list)) throw new Malformed(`${name} has an element that is no object`);
  return list;
};

const areObjects = (list: readonly Value[]): list is readonly RegoObject[] =>
  list.every((one) => isObject(one));

/** An element of `matched_endpoints`: where its endpoint is in the policy, and the endpoint. */
export interface Match {
  readonly ref: EndpointRef;
  /** Name of the policy. */
  readonly policy: string;
  readonly endpoint: RegoObject;
}

export const readMatch = (match: RegoObject): Match => {
  const policy = textIn(match, 'policy_name');
  const key = textIn(match, 'policy_key') || policy;
  const index = match.getString('endpoint_index');
  const endpoint = match.getString('endpoint');
  if (key === '') throw new Malformed('an element of matched_endpoints has no policy_name');
  if (!isPosition(index)) throw new Malformed('an element of matched_endpoints has no endpoint_index');
  if (!isObject(endpoint)) throw new Malformed('an element of matched_endpoints has no endpoint');
  return { ref: Object.freeze({ policy: key, index, host: textIn(endpoint, 'host') }), policy, endpoint };
};

/** Whether a value is a position in a list of the policy's. */
export const isPosition = (value: Value | undefined): value is number => Number.isSafeInteger(value);
