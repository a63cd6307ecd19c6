import type { RequestContent } from '@openshell/policy';

export type Malformed = Extract<RequestContent, { kind: 'malformed' }>;

/** What a reader of content answers. Reasons go to clients and into events: they never quote the content. */
export type Reading<Value> = { readonly kind: 'understood'; readonly value: Value } | Malformed;

export const understood = <Value>(value: Value): Reading<Value> => ({ kind: 'understood', value });

export const malformed = (reason: string): Malformed => ({ kind: 'malformed', reason });
