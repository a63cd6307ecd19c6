declare const brand: unique symbol;

/** A type that is `T` at run time and distinct from every other `T` for the compiler. */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** Names one sandbox for its whole life, in events, tenants and errors. */
export type SandboxId = Branded<string, 'SandboxId'>;

/** Number of an installed policy. Grows by one with each accepted change; 0 means that nothing was installed yet. */
export type Generation = Branded<number, 'Generation'>;

export const sandboxId = (text: string): SandboxId => text as SandboxId;
export const generation = (number: number): Generation => number as Generation;
