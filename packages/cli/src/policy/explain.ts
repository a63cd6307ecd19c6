import { posix } from 'node:path';
import { OpenShellError, sandboxId } from '@openshell/base';
import type { BinaryIdentity, Explanation, Intent, PolicyResult, RequestFacts } from '@openshell/policy';
import type { Arguments } from '../command/arguments.ts';
import { usageError } from '../command/usage-error.ts';
import type { Handler } from '../handlers.ts';
import { plain } from '../output/style.ts';
import { requestOf } from './explain-request.ts';
import { renderExplanation } from './explanation-report.ts';
import { renderFinding } from './finding-report.ts';
import { type PolicyText, readPolicyText } from './read-policy.ts';

/** `openshell policy explain`: 0 when the connection, and the request where one is asked about, is allowed; 1 when it is denied. */
export const explainConnection: Handler = async (args, io) => {
  const { canonicalHost, explain, parsePolicy } = await import('@openshell/policy');
  const intent = intentOf(args, canonicalHost);
  const request = await requestOf(args);
  const text = readPolicyText(args.operands[0]!);
  const { policy, source } = valid(parsePolicy(text.text, { file: text.file }), text);
  const explanation = explain(policy, intent, request === undefined ? {} : { request });
  if (args.has('json')) io.out(renderJson(text.file, args, intent, request, explanation));
  else
    io.out(renderExplanation({ file: text.file, intent, request, explanation, source, style: io.outStyle }));
  return (explanation.request ?? explanation).decision.action === 'deny' ? 1 : 0;
};

/** The attempt that is asked about. Hashes play no part in a decision: nothing has run, so there is none. */
const intentOf = (args: Arguments, canonicalHost: (text: string) => string | undefined): Intent => {
  const [executable, ...ancestors] = [args.required('binary'), ...args.values('ancestor')];
  return {
    sandbox: sandboxId('explain'),
    adapter: 'connect',
    host: hostOf(args.required('host'), canonicalHost),
    port: portOf(args.required('port')),
    evidence: {
      kind: 'process',
      pid: 0,
      executable: identityOf(executable!, '--binary'),
      ancestors: ancestors.map((path) => identityOf(path, '--ancestor')),
      argv: [],
    },
  };
};

const hostOf = (text: string, canonicalHost: (text: string) => string | undefined): string => {
  const host = canonicalHost(text);
  if (host !== undefined) return host;
  const remedy = text.includes('://')
    ? 'Give the host alone, without a scheme or a path.'
    : 'Give a name or an address.';
  throw usageError(`--host: '${text}' is neither a host name nor an address`, remedy);
};

const portOf = (text: string): number => {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65535) return port;
  throw usageError(`--port: '${text}' is not a port`, 'Ports are 1 to 65535.');
};

const identityOf = (path: string, option: string): BinaryIdentity => {
  // The kernel names executables by a path that has nothing to simplify; a policy never matches any other.
  if (posix.isAbsolute(path) && posix.normalize(path) === path) return { path, sha256: '', pinned: true };
  throw usageError(
    `${option}: '${path}' is not an absolute path as the kernel would name it`,
    'Write it from the root, without . or .. or doubled slashes, as in /usr/bin/curl.',
  );
};

const valid = (result: PolicyResult, { file, text }: PolicyText): Extract<PolicyResult, { ok: true }> => {
  if (result.ok) return result;
  const source = { file, lines: text.split(/\r?\n/) };
  const findings = result.problems.map((problem) =>
    renderFinding({ ...problem, label: 'error' }, source, plain),
  );
  throw new OpenShellError(`${file} is not a valid policy:\n${findings.join('').trimEnd()}`, {
    code: 'invalid_policy',
  });
};

const renderJson = (
  file: string,
  args: Arguments,
  intent: Intent,
  request: RequestFacts | undefined,
  { request: explained, decision, considered }: Explanation,
): string => {
  const question = {
    host: intent.host,
    port: intent.port,
    binary: args.required('binary'),
    ancestors: args.values('ancestor'),
  };
  const { method, path, query } = request ?? {};
  const asked = explained === undefined ? {} : { request: { method, path, query, ...explained } };
  return `${JSON.stringify({ file, intent: question, decision: plainDecision(decision), considered, ...asked }, null, 2)}\n`;
};

/** Compiled endpoints are no data: what they say of requests is asked with --path. */
const plainDecision = (decision: Explanation['decision']) => {
  if (decision.action === 'deny') return decision;
  const { inspection, ...rest } = decision;
  return { ...rest, inspected: inspection !== undefined };
};
