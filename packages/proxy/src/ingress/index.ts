export { type Recognisable, TenantDirectory } from './directory.ts';
export { Ingress, type IngressOptions } from './ingress.ts';
