import type { Handler } from '../handlers.ts';
import type { Style } from '../output/style.ts';
import { type Finding, renderFinding } from './finding-report.ts';
import { type PolicyText, readPolicyText } from './read-policy.ts';

/** `openshell policy check`: 0 when every file is valid, 1 when one has a problem. */
export const checkPolicies: Handler = async (args, io) => {
  const { inspectionNeeded, parsePolicy } = await import('@openshell/policy');
  const check = ({ file, text }: PolicyText): CheckedFile => {
    const result = parsePolicy(text, { file });
    const common = { file, lines: text.split(/\r?\n/) };
    if (!result.ok) return { ...common, problems: result.problems, notices: [], notBuilt: [] };
    return {
      ...common,
      problems: [],
      notices: result.notices,
      notBuilt: inspectionNeeded(result.policy, result.source),
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
  readonly notBuilt: readonly NotBuilt[];
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

/** What needs HTTP inspection. */
interface NotBuilt extends Place {
  readonly reason: string;
}

const renderFile = (file: CheckedFile, style: Style): string => {
  const findings: readonly Finding[] = [
    ...file.problems.map((problem) => ({ ...problem, label: 'error' as const })),
    ...file.notices.map((notice) => ({ ...notice, label: 'notice' as const })),
    ...file.notBuilt.map(({ reason, ...place }) => ({
      ...place,
      message: reason,
      label: 'not built yet' as const,
    })),
  ];
  return findings.map((finding) => renderFinding(finding, file, style)).join('') + renderVerdict(file, style);
};

const renderVerdict = ({ file, problems, notices, notBuilt }: CheckedFile, style: Style): string => {
  const name = style.bold(`${file}:`);
  if (problems.length > 0) return `${name} ${style.red(count(problems.length, 'problem'))}\n`;
  const remarks = notices.length === 0 ? '' : `, ${count(notices.length, 'notice')}`;
  if (notBuilt.length === 0) return `${name} ${style.green('valid')}${remarks}\n`;
  const parts = notBuilt.length === 1 ? '1 part of it needs' : `${notBuilt.length} parts of it need`;
  const refusal = `openshell run refuses it, because ${parts} HTTP inspection, which is not built yet`;
  return `${name} ${style.yellow('valid')}${remarks}; ${refusal}\n`;
};

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

const renderJson = (files: readonly CheckedFile[]): string => {
  const shown = files.map(({ file, problems, notices, notBuilt }) => ({
    file,
    ok: problems.length === 0,
    runnable: problems.length === 0 && notBuilt.length === 0,
    problems: problems.map(remarkJson),
    notices: notices.map(remarkJson),
    notBuilt: notBuilt.map(({ reason, ...rest }) => ({ reason, ...place(rest) })),
  }));
  return `${JSON.stringify({ files: shown }, null, 2)}\n`;
};

/** Exactly the members that docs/cli.md promises. */
const remarkJson = ({ code, message, fix, ...rest }: Remark) => ({ code, message, fix, ...place(rest) });

const place = ({ path, line, column }: Place) => ({ path, line, column });
