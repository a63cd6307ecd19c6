/**
 * The vocabulary in which the policy's schema is written down once (policy-schema.ts). Reading with positions, the messages for
 * people, the TypeScript type of what was read and the reference documentation all come from that one table. A general schema
 * library would give neither the line and column of a wrong key nor a start-up time that a command-line program can afford.
 */
export type Type =
  | {
      readonly kind: 'text';
      readonly maxBytes?: number;
      readonly oneOf?: readonly string[];
      readonly anyCase?: boolean;
    }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'list'; readonly of: Type; readonly max: number; readonly nonEmpty?: boolean }
  | { readonly kind: 'map'; readonly of: Type; readonly max: number; readonly keyName: string }
  | { readonly kind: 'object'; readonly name: string; readonly doc: string; readonly fields: Fields }
  /** One text or a list of texts under the key `any`; in query matchers also one text under `glob`. */
  | { readonly kind: 'patterns'; readonly max: number; readonly globKey: boolean }
  /** Anything that JSON can say; checked by somebody else. */
  | { readonly kind: 'data' };

export interface Field<T extends Type = Type> {
  readonly type: T;
  readonly doc: string;
  /** As the documentation shows it. Absent: nothing, empty. */
  readonly default?: string;
  readonly required?: boolean;
  /** Accepted and without effect, for this reason. */
  readonly deprecated?: string;
}

export type Fields = { readonly [name: string]: Field };

/** What a type reads as. Fields may be absent: what is required is checked while reading. */
export type Read<T extends Type> = T extends { kind: 'text' }
  ? string
  : T extends { kind: 'boolean' }
    ? boolean
    : T extends { kind: 'integer' }
      ? number
      : T extends { kind: 'list'; of: infer Of extends Type }
        ? Read<Of>[]
        : T extends { kind: 'map'; of: infer Of extends Type }
          ? Map<string, Read<Of>>
          : T extends { kind: 'object'; fields: infer F extends Fields }
            ? { [Name in keyof F]?: Read<F[Name]['type']> }
            : T extends { kind: 'patterns' }
              ? string[]
              : unknown;

type TextOptions = Omit<Extract<Type, { kind: 'text' }>, 'kind'>;

export const text = (options: TextOptions = {}) => ({ kind: 'text', ...options }) as const;
export const flag = { kind: 'boolean' } as const;
export const data = { kind: 'data' } as const;
export const integer = (min: number, max: number) => ({ kind: 'integer', min, max }) as const;
export const list = <T extends Type>(of: T, max: number, options: { nonEmpty?: boolean } = {}) =>
  ({ kind: 'list', of, max, ...options }) as const;
export const map = <T extends Type>(keyName: string, of: T, max: number) =>
  ({ kind: 'map', of, max, keyName }) as const;
export const patterns = (max: number, globKey: boolean) => ({ kind: 'patterns', max, globKey }) as const;
export const object = <const F extends Fields>(name: string, doc: string, fields: F) =>
  ({ kind: 'object', name, doc, fields }) as const;
