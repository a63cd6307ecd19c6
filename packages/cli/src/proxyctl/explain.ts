import type { ExplainAnswer, ExplainQuery } from '@openshell/control';
import type { Arguments } from '../command/arguments.ts';
import { usageError } from '../command/usage-error.ts';
import { wrap } from '../command/wrap.ts';
import type { Handler } from '../handlers.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { jsonText } from './table.ts';
import { portOf } from './values.ts';
import { tenantOf, visit } from './visit.ts';

/** `openshell proxyctl explain`: 0 when it would be allowed, 1 when it would be denied. */
export const explainByProxy: Handler = async (args, io) => {
  const asked = questionOf(args);
  const { query, answer } = await visit({ args, io, role: 'observer' }, async (session) => {
    const query = { ...asked, tenant: await tenantOf(args, session) };
    return { query, answer: await session.explain(query) };
  });
  io.out(
    args.has('json')
      ? jsonText({ tenant: query.tenant, ...answer })
      : renderAnswer(query, answer, io.outStyle),
  );
  return answer.allowed ? 0 : 1;
};

const questionOf = (args: Arguments): Omit<ExplainQuery, 'tenant'> => {
  const target = args.value('path');
  if (target === undefined && args.has('method'))
    throw usageError('--method is about a request, and there is no --path', 'Write --path PATH too.');
  return {
    host: args.required('host'),
    port: portOf(args.required('port'), 'port', 1),
    binaries: args.values('binary'),
    request: target === undefined ? undefined : { method: args.value('method') ?? 'GET', target },
  };
};

const renderAnswer = (query: ExplainQuery, answer: ExplainAnswer, style: Style): string => {
  const { host, port, request } = query;
  const { allowed, reason, code, remedy } = answer;
  const to = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const what = request === undefined ? to : `${request.method} ${request.target} at ${to}`;
  const why = code === undefined ? reason : `${reason} (${code})`;
  return [
    `${allowed ? style.green('allowed') : style.red('denied')} ${style.bold(printable(what))}`,
    wrap(printable(why).split(' '), { width: 100, indent: 2 }),
    // On one line, because it may have YAML to copy.
    ...(remedy === undefined ? [] : [`  ${printable(remedy)}`]),
    `  ${style.dim(printable(sourceText(query, answer)))}`,
    '',
  ].join('\n');
};

const sourceText = ({ tenant }: ExplainQuery, { generation, policy, inspected }: ExplainAnswer): string => {
  if (generation === 0) return `nothing is installed for ${tenant}`;
  const by = policy === undefined ? '' : `, policy ${policy}`;
  return `generation ${generation} of ${tenant}${by}${inspected ? '; requests are looked into' : ''}`;
};
