export { policyData, shippedText } from '@openshell/proxy';
export { runSandbox } from './run.ts';
export type {
  EnvironmentVariable,
  EventsDestination,
  OperatorWord,
  PolicySource,
  ResolveRule,
  Rules,
  RunOptions,
  RuntimeKind,
} from './run-options.ts';
