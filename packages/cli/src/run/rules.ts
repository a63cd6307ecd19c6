import { readFileSync } from 'node:fs';
import type { JsonObject } from '@openshell/rego';
import type { PolicySource, Rules } from '@openshell/sandbox';
import type { Arguments } from '../command/arguments.ts';
import { usageError } from '../command/usage-error.ts';
import { isJsonObject, parseData } from '../rego/data-file.ts';
import { checkReadable } from './files.ts';

/** What decides, and the policy that the files and the process of the sandbox come from. */
export interface Decider {
  readonly policy?: PolicySource;
  readonly rules?: Rules;
}

export const policyEngines = ['builtin', 'rego', 'opa', 'wasm'] as const;
type EngineName = (typeof policyEngines)[number];

/** The options that only make sense with one engine. */
const OWNERS: Readonly<Record<string, readonly EngineName[]>> = {
  'policy-rules': ['rego'],
  'policy-data': ['rego', 'wasm'],
  'opa-url': ['opa'],
  'policy-wasm': ['wasm'],
};

/**
 * Reads who is to decide. Without any of these options nothing is loaded: the built-in evaluator decides.
 * @throws OpenShellError with code `usage`, naming the option or the file
 */
export const readDecider = async (args: Arguments): Promise<Decider> => {
  const policy = args.value('policy');
  if (policy !== undefined) checkReadable(policy, '--policy');
  const engine = engineName(args);
  for (const [option, engines] of Object.entries(OWNERS)) {
    if (args.has(option) && !engines.includes(engine)) {
      throw usageError(`--${option} is for --policy-engine ${engines.join(' or ')}, not for ${engine}`);
    }
  }
  const source = policy === undefined ? undefined : { file: policy };
  switch (engine) {
    case 'builtin':
      return decider(source);
    case 'opa':
      return decider(source, { kind: 'opa', url: requiredOf(args, 'opa-url', 'http://HOST:PORT') });
    case 'rego':
    case 'wasm':
      return withData(source, args, engine);
    default:
      return engine satisfies never;
  }
};

/** As it was said, or as the other options say without it. */
const engineName = (args: Arguments): EngineName => {
  const said = args.value('policy-engine');
  if (said === undefined) {
    if (args.has('opa-url')) return 'opa';
    if (args.has('policy-wasm')) return 'wasm';
    return args.has('policy-rules') || args.has('policy-data') ? 'rego' : 'builtin';
  }
  const known = policyEngines.find((name) => name === said);
  if (known === undefined)
    throw usageError(`--policy-engine: there is no '${said}'`, `Write one of: ${policyEngines.join(', ')}.`);
  return known;
};

const withData = async (
  policy: PolicySource | undefined,
  args: Arguments,
  engine: 'rego' | 'wasm',
): Promise<Decider> => {
  const own = readDataOption(args.value('policy-data'));
  if (own.policy !== undefined && policy !== undefined) {
    throw usageError(
      `--policy and --policy-data are both policies (${policy.file}, ${own.policy.file})`,
      'Give one of them.',
    );
  }
  const rules = await (engine === 'rego' ? regoRules(args, own.data) : wasmRules(args, own.data));
  return decider(policy ?? own.policy, rules);
};

const regoRules = async (args: Arguments, own: JsonObject): Promise<Rules> => {
  const { readSources } = await import('../rego/sources.ts');
  const { mergeData } = await import('../rego/data-file.ts');
  const { modules, data, version } = readSources(args.values('policy-rules'), { tests: 'leave-out' });
  return { kind: 'rego', modules, version, data: mergeData(data, own, '--policy-data') };
};

const wasmRules = async (args: Arguments, own: JsonObject): Promise<Rules> => {
  const file = requiredOf(args, 'policy-wasm', 'FILE');
  checkReadable(file, '--policy-wasm');
  if (!file.endsWith('.tar.gz')) {
    return { kind: 'wasm', origin: file, program: new Uint8Array(readFileSync(file)), data: own };
  }
  const { readSources } = await import('../rego/sources.ts');
  const { mergeData } = await import('../rego/data-file.ts');
  const { wasm, data } = readSources([file]);
  if (wasm === undefined) throw usageError(`--policy-wasm: ${file} has no policy.wasm`);
  return { kind: 'wasm', origin: file, program: wasm, data: mergeData(data, own, '--policy-data') };
};

/** A map with a version is a policy; any other is data as it is. */
const readDataOption = (
  file: string | undefined,
): { readonly policy?: PolicySource; readonly data: JsonObject } => {
  if (file === undefined) return { data: {} };
  checkReadable(file, '--policy-data');
  const data = parseData(file, readFileSync(file, 'utf8'));
  if (!isJsonObject(data)) throw usageError(`--policy-data: ${file} has no names at its top`);
  return Object.hasOwn(data, 'version') ? { policy: { file }, data: {} } : { data };
};

const requiredOf = (args: Arguments, option: string, placeholder: string): string => {
  const value = args.value(option);
  if (value === undefined) throw usageError(`this policy engine needs --${option} ${placeholder}`);
  return value;
};

const decider = (policy: PolicySource | undefined, rules?: Rules): Decider => ({
  ...(policy === undefined ? {} : { policy }),
  ...(rules === undefined ? {} : { rules }),
});
