import type {
  ConnectDecision,
  EndpointRef,
  Explanation,
  Intent,
  PolicySource,
  RequestDecision,
  RequestFacts,
} from '@openshell/policy';
import { wrap } from '../command/wrap.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';

export interface ExplanationReport {
  readonly file: string;
  readonly intent: Intent;
  /** The request that was asked about, where one was. */
  readonly request: RequestFacts | undefined;
  readonly explanation: Explanation;
  /** Where things stand in the file. */
  readonly source: PolicySource;
  readonly style: Style;
}

const width = 100;

/** More endpoints than this are counted, not listed: those that came closest are first. JSON has them all. */
const listed = 20;

/** The decision, the rule that made it, and what else was considered. */
export const renderExplanation = (report: ExplanationReport): string =>
  [
    ...verdict(report),
    ...requestVerdict(report),
    '',
    ...considered(report),
    ...consideredRequests(report),
    '',
  ].join('\n');

const verdict = ({ intent, explanation: { decision }, ...report }: ExplanationReport): readonly string[] => {
  const { style } = report;
  const to = style.bold(`${intent.host.includes(':') ? `[${intent.host}]` : intent.host}:${intent.port}`);
  switch (decision.action) {
    case 'allow':
      return [`${style.green('allowed')} ${to}`, ...paragraph(decision.reason), ...rule(decision, report)];
    case 'deny':
      return [
        `${style.red('denied')} ${to}`,
        ...paragraph(`${decision.reason} (${decision.code})`),
        // On one line, because it has YAML to copy.
        `  ${printable(decision.remedy)}`,
      ];
    default:
      return decision satisfies never;
  }
};

const requestVerdict = ({ request, explanation, ...report }: ExplanationReport): readonly string[] => {
  const decision = explanation.request?.decision;
  if (request === undefined || decision === undefined) return [];
  const what = report.style.bold(printable(`${request.method} ${request.path}`));
  const reason = decision.action === 'deny' ? `${decision.reason} (${decision.code})` : decision.reason;
  return [
    '',
    `${outcome(decision.action, report.style)} ${what}`,
    ...paragraph(reason),
    ...(decision.endpoint === undefined
      ? []
      : [
          `  by ${printable(decision.rule ?? endpointName(decision.endpoint))} ${place(decision.endpoint, report)}`,
        ]),
    // On one line, because it has YAML to copy.
    ...(decision.action === 'deny' ? [`  ${printable(decision.remedy)}`] : []),
  ];
};

const outcome = (action: RequestDecision['action'], style: Style): string => {
  switch (action) {
    case 'allow':
      return style.green('allowed');
    case 'audit':
      return style.yellow('let through and reported');
    case 'deny':
      return style.red('denied');
    default:
      return action satisfies never;
  }
};

type Place = Pick<ExplanationReport, 'file' | 'source' | 'style'>;

const rule = (decision: Extract<ConnectDecision, { action: 'allow' }>, report: Place): readonly string[] => {
  const { exactHost, allowedIps } = decision.destination;
  const addresses =
    allowedIps !== undefined
      ? `only addresses in ${allowedIps.join(', ')}`
      : exactHost
        ? 'public addresses, and private ones because the host is named exactly'
        : 'public addresses only';
  return [
    `  by ${endpointName(decision.endpoint)} ${place(decision.endpoint, report)}`,
    `  to ${addresses}`,
    ...(decision.tls === 'skip' ? ['  without a look at TLS'] : []),
  ];
};

const considered = ({ explanation, ...report }: ExplanationReport): readonly string[] => {
  const { style } = report;
  const all = explanation.considered;
  if (all.length === 0) return ['The policy has no endpoints: nothing is allowed.'];
  const further = all.length - listed;
  return [
    style.bold('Endpoints, those that came closest first'),
    ...all
      .slice(0, listed)
      .map(({ step, ...one }) => consideredLine({ ...one, fits: step === 'matched' }, report)),
    ...(further > 0 ? [`  and ${further} more; --json lists them all`] : []),
  ];
};

interface Considered {
  readonly endpoint: EndpointRef;
  readonly fits: boolean;
  readonly why: string;
}

const consideredLine = ({ endpoint, fits, why }: Considered, report: Place): string => {
  const mark = fits ? report.style.green('yes') : report.style.dim('no ');
  const reason = wrap(printable(why).split(' '), { width, indent: 6, hanging: 6 });
  return `  ${mark} ${endpointName(endpoint)} ${place(endpoint, report)}\n${reason}`;
};

const consideredRequests = ({ explanation, ...report }: ExplanationReport): readonly string[] => {
  const all = explanation.request?.considered ?? [];
  if (all.length === 0) return [];
  const further = all.length - listed;
  return [
    '',
    report.style.bold('Inspected endpoints and this request, the most specific path first'),
    ...all
      .slice(0, listed)
      .map(({ step, ...one }) => consideredLine({ ...one, fits: step === 'allows' }, report)),
    ...(further > 0 ? [`  and ${further} more; --json lists them all`] : []),
  ];
};

const endpointName = ({ policy, index, host }: EndpointRef): string =>
  printable(`${policy}.endpoints[${index}]${host === '' ? '' : ` (${host})`}`);

/** `policy.yaml:12:9`, which terminals and editors can follow. */
const place = ({ policy, index }: EndpointRef, { file, source, style }: Place): string => {
  const position = source.locate(['network_policies', policy, 'endpoints', index]);
  return style.dim(printable(position === undefined ? file : `${file}:${position.line}:${position.column}`));
};

const paragraph = (text: string): readonly string[] => [
  wrap(printable(text).split(' '), { width, indent: 2 }),
];
