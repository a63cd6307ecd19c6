export {
  type Check,
  type CheckStatus,
  type InspectOptions,
  inspectMachine,
  type MachineReport,
} from './doctor/index.ts';
export type { ExecutableIdentity, Flow, ProcessIdentity, UnknownCode } from './identity/identity.ts';
export { launcherPath } from './process/launcher-binary.ts';
export type { StdioTarget } from './process/launcher-process.ts';
export {
  CAPTURE_PORT,
  PROXY_PORT,
  ProcessRuntime,
  type RuntimeCapabilities,
  SANDBOX_HOME,
  type SandboxCommand,
  type SandboxFile,
  type SandboxSpec,
} from './process/runtime.ts';
export { Sandbox, type SandboxExit, type SandboxListeners, type SandboxNote } from './process/sandbox.ts';
