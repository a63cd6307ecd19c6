export { runSandbox } from './run.ts';
export type {
  EnvironmentVariable,
  EventsDestination,
  OperatorWord,
  PolicySource,
  ResolveRule,
  RunOptions,
  RuntimeKind,
} from './run-options.ts';
