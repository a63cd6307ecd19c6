export { type Branded, type Generation, generation, type SandboxId, sandboxId } from './brand.ts';
export { messageOf, OpenShellError, type OpenShellErrorOptions } from './error.ts';
