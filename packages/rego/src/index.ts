export type { AnnotationScope, Annotations } from './ast/annotations.ts';
export { type Location, Source } from './ast/location.ts';
export type { Module, RegoVersion } from './ast/module.ts';
export * from './builtin.ts';
export { type Bundle, type BundleLimits, readBundle } from './bundle/bundle.ts';
export { RegoError, type RegoErrorCode } from './error.ts';
export { DEFAULT_LIMITS, type Limits } from './evaluate/limits.ts';
export type { EvaluateOptions } from './evaluate/session.ts';
export {
  type CompileOptions,
  compile,
  type Modules,
  type Policy,
  type Query,
} from './policy.ts';
export { type ParseOptions, parseModule, parseQuery } from './syntax/parse.ts';
export { check } from './tools/check.ts';
export type { Coverage, FileCoverage } from './tools/coverage.ts';
export { type EvalOutput, evalQuery } from './tools/eval.ts';
export { formatModule } from './tools/format.ts';
export { runTests, type TestOptions, type TestReport, type TestResult } from './tools/test-runner.ts';
export * from './types/index.ts';
export * from './value/index.ts';
