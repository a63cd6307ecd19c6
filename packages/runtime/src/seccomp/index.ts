export { seccompDocumentation } from './documentation.ts';
export { buildSeccompProgram, type SeccompProgramOptions, seccompArchitecture } from './program.ts';
export {
  type ArgumentTest,
  type RefusalErrno,
  SECCOMP_RULES,
  type SeccompRule,
} from './rules.ts';
export type { SeccompArchitecture } from './syscall-table.ts';
