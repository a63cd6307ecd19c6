export { loadOperatorReaders, policyData, readTarget, shippedText } from '@openshell/proxy';
export { runSandbox } from './run.ts';
export type {
  EnvironmentVariable,
  EventsDestination,
  LearnTarget,
  OperatorWord,
  PolicySource,
  ResolveRule,
  Rules,
  RunOptions,
  RuntimeKind,
} from './run-options.ts';
