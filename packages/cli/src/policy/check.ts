import type { Handler } from '../handlers.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { type Finding, renderFinding } from './finding-report.ts';
import { type PolicyText, readPolicyText } from './read-policy.ts';

/** `openshell policy check`: 0 when every file is valid, 1 when one has a problem. */
export const checkPolicies: Handler = async (args, io) => {
  const { inspectedParts, parsePolicy } = await import('@openshell/policy');
  const check = ({ file, text }: PolicyText): CheckedFile => {
    const result = parsePolicy(text, { file });
    const common = { file, lines: text.split(/\r?\n/) };
    if (!result.ok) return { ...common, problems: result.problems, notices: [], inspected: [] };
    return {
      ...common,
      problems: [],
      notices: result.notices,
      inspected: inspectedParts(result.policy, result.source),
    };
  };
  const files = args.operands.map(readPolicyText).map(check);
  io.out(args.has('json') ? renderJson(files) : files.map((file) => renderFile(file, io.outStyle)).join(''));
  return files.every(({ problems }) => problems.length === 0) ? 0 : 1;
};

interface CheckedFile {
  readonly file: string;
  readonly lines: readonly string[];
  readonly problems: readonly Remark[];
  readonly notices: readonly Remark[];
  readonly inspected: readonly Inspected[];
}

interface Place {
  readonly path: string;
  readonly line?: number;
  readonly column?: number;
}

/** A problem or a notice of the policy package. */
interface Remark extends Place {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

/** What connections are opened for. */
interface Inspected extends Place {
  readonly reason: string;
}

const renderFile = (file: CheckedFile, style: Style): string => {
  const findings: readonly Finding[] = [
    ...file.problems.map((problem) => ({ ...problem, label: 'error' as const })),
    ...file.notices.map((notice) => ({ ...notice, label: 'notice' as const })),
  ];
  return [
    ...findings.map((finding) => renderFinding(finding, file, style)),
    renderVerdict(file, style),
    ...file.inspected.map((part) => renderInspected(file.file, part, style)),
  ].join('');
};

const renderVerdict = ({ file, problems, notices, inspected }: CheckedFile, style: Style): string => {
  const name = style.bold(`${file}:`);
  if (problems.length > 0) return `${name} ${style.red(count(problems.length, 'problem'))}\n`;
  const remarks = notices.length === 0 ? '' : `, ${count(notices.length, 'notice')}`;
  const opened = inspected.length === 0 ? '' : '; connections are opened and requests inspected for:';
  return `${name} ${style.green('valid')}${remarks}${opened}\n`;
};

const renderInspected = (file: string, { path, line, column, reason }: Inspected, style: Style): string => {
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return `  ${style.dim(`${printable(place)}:`)} ${printable(path)}: ${reason}\n`;
};

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

const renderJson = (files: readonly CheckedFile[]): string => {
  const shown = files.map(({ file, problems, notices, inspected }) => ({
    file,
    ok: problems.length === 0,
    problems: problems.map(remarkJson),
    notices: notices.map(remarkJson),
    inspected: inspected.map(({ reason, ...rest }) => ({ reason, ...place(rest) })),
  }));
  return `${JSON.stringify({ files: shown }, null, 2)}\n`;
};

/** Exactly the members that docs/cli.md promises. */
const remarkJson = ({ code, message, fix, ...rest }: Remark) => ({ code, message, fix, ...place(rest) });

const place = ({ path, line, column }: Place) => ({ path, line, column });
