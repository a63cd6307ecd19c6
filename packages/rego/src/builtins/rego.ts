import { type BuiltinContext, type BuiltinDeclaration, BuiltinError, OperandError } from '../builtin.ts';
import { RegoError } from '../error.ts';
import { ANY, objectOf, record, STRING, setOf } from '../types/index.ts';
import { format, type RegoObject, RegoSet, type Value } from '../value/index.ts';
import { builtin } from './declare.ts';
import { objectAt, setAt, stringAt } from './operands.ts';

const parseModule = (args: readonly Value[], context: BuiltinContext): Value => {
  const filename = stringAt(args, 0);
  const text = stringAt(args, 1);
  context.spend(1 + text.length);
  try {
    return context.parseModule(filename, text);
  } catch (thrown) {
    if (thrown instanceof RegoError && thrown.code === 'rego_parse_error')
      throw new BuiltinError(`1 error occurred: ${thrown.line}`);
    throw thrown;
  }
};

const REQUEST_MEMBERS = new Set([
  'method',
  'url',
  'body',
  'enable_redirect',
  'force_json_decode',
  'force_yaml_decode',
  'headers',
  'raw_body',
  'tls_use_system_certs',
  'tls_ca_cert',
  'tls_ca_cert_file',
  'tls_ca_cert_env_variable',
  'tls_client_cert',
  'tls_client_cert_file',
  'tls_client_cert_env_variable',
  'tls_client_key',
  'tls_client_key_file',
  'tls_client_key_env_variable',
  'tls_insecure_skip_verify',
  'tls_server_name',
  'timeout',
  'cache',
  'force_cache',
  'force_cache_duration_seconds',
  'raise_error',
  'caching_mode',
  'max_retry_attempts',
  'cache_ignored_headers',
]);

const REQUIRED_MEMBERS = ['method', 'url'];

/** The request is checked here and made by the embedder, once for the same request in an evaluation. */
const httpSend = (args: readonly Value[], context: BuiltinContext): Value => {
  const request = objectAt(args, 0);
  checkRequest(request);
  const send = context.granted.httpSend;
  if (send === undefined) throw new BuiltinError('http.send is not granted to this policy');
  const key = `http.send:${request.key}`;
  const known = context.cache.get(key) as Value | undefined;
  if (known !== undefined) return known;
  const response = send(request);
  context.cache.set(key, response);
  return response;
};

const checkRequest = (request: RegoObject): void => {
  const unknown = [...request.keys()].filter((name) => !REQUEST_MEMBERS.has(name as string));
  if (unknown.length > 0) throw invalidRequest('invalid request parameters(s)', unknown);
  const missing = REQUIRED_MEMBERS.filter((name) => !request.has(name));
  if (missing.length > 0) throw invalidRequest('missing required request parameters(s)', missing);
};

const invalidRequest = (complaint: string, names: readonly Value[]): BuiltinError =>
  new OperandError(`operand 1 ${complaint}: ${format(new RegoSet(names))}`);

const setDifference = (args: readonly Value[], context: BuiltinContext): Value => {
  const [first, second] = [setAt(args, 0), setAt(args, 1)];
  context.spend(first.size);
  return new RegoSet([...first.values()].filter((member) => !second.has(member)));
};

const OBJECT = objectOf(STRING, ANY);

/** What policies ask of the engine itself, and of the world when they may. */
export const regoBuiltins: readonly BuiltinDeclaration[] = [
  builtin('rego.parse_module', [STRING, STRING], OBJECT, parseModule),
  builtin('opa.runtime', [], OBJECT, (_args, context) => context.runtime, { nondeterministic: true }),
  builtin('http.send', [record({}, { key: STRING, value: ANY })], objectOf(ANY, ANY), httpSend, {
    nondeterministic: true,
    requires: 'httpSend',
  }),
  builtin('set_diff', [setOf(ANY), setOf(ANY)], setOf(ANY), setDifference, { deprecated: true }),
];
