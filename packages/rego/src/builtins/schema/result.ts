/** One thing about a document that a schema does not allow. */
export interface Mistake {
  /** gojsonschema's name of the kind, e.g. `required`. */
  readonly type: string;
  /** `(root)`, or the names on the way separated by dots. */
  readonly field: string;
  readonly description: string;
}

/** Where in a document a value stands. */
export type Place = readonly string[];

export const fieldOf = (place: Place): string => (place.length === 0 ? '(root)' : place.join('.'));

export const mistake = (place: Place, type: string, description: string): Mistake => ({
  type,
  field: fieldOf(place),
  description,
});
