export { type Recognisable, TenantDirectory } from './directory.ts';
export { Ingress, type IngressOptions } from './ingress.ts';
export { placeOf } from './place-of.ts';
