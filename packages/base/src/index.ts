export { type Branded, type Generation, generation, type SandboxId, sandboxId } from './brand.ts';
export { messageOf, OpenShellError, type OpenShellErrorOptions } from './error.ts';
export { SYSTEM_BUNDLES } from './system-bundles.ts';
