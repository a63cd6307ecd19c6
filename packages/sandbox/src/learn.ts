import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { plainText, type Refusal } from '@openshell/audit';
import { generation, messageOf } from '@openshell/base';
import {
  compilePolicy,
  type Denial,
  LearningEngine,
  LearningRecord,
  mergePolicyText,
  type NotProposed,
  type Policy,
  type PolicyEngine,
  suggestPolicy,
} from '@openshell/policy';
import { resolveBinaryPath } from './load-policy.ts';
import type { LearnTarget, PolicySource } from './run-options.ts';

/** Said before anything runs, and even when refusals are not. */
export const LEARNING_WARNING =
  'openshell: learning: everything this command asks for is allowed and recorded, except for what a deny rule or a protected address forbids';

/** A program that did not get there is not to be given the way. */
const WITHDRAWN: ReadonlySet<string> = new Set(['ssrf_denied', 'resolve_failed']);

/** What is not learned is listed up to here, and counted beyond. */
const MAX_LISTED = 20;

/** A run that writes the policy that it would have needed. */
export class Learning {
  readonly #target: LearnTarget;
  readonly #source: PolicySource | undefined;
  readonly #record = new LearningRecord();

  constructor(target: LearnTarget, source: PolicySource | undefined) {
    this.#target = target;
    this.#source = source;
  }

  engine(policy: Policy): PolicyEngine {
    return new LearningEngine(compilePolicy(policy, generation(1), { resolveBinaryPath }), this.#record);
  }

  refused({ code, binary, host, port }: Refusal): void {
    if (port === undefined || !WITHDRAWN.has(code)) return;
    this.#record.withdraw({ host, port, ...(binary !== undefined && { binary }) });
  }

  /** Writes the policy and returns what to tell the person, line by line. Throws nothing: the command's own exit code stands. */
  finish(policy: Policy): string[] {
    const { file, exists } = this.#target;
    const { denials, withdrawn, beyond } = this.#record;
    const { policy: addition, notProposed } = suggestPolicy(policy, denials);
    const left = [
      ...notProposed.map(({ denial, reason }: NotProposed) => `${describe(denial)}: ${reason}`),
      ...withdrawn.map((place) => `${describe(place)}: its address is protected, or was not found`),
    ].map((line) => `not learned: ${plainText(line)}`);
    const lines = left.slice(0, MAX_LISTED);
    if (left.length > MAX_LISTED) lines.push(`not learned: ${left.length - MAX_LISTED} more`);
    if (beyond > 0) lines.push(`not learned: ${beyond} more; there were too many different ones`);
    const learned = denials.length - notProposed.length;
    if (learned === 0) {
      const outcome = exists ? `${file} is as it was` : `${file} is not written`;
      return [...lines, `learned nothing that the policy does not allow; ${outcome}`];
    }
    try {
      this.#write(addition);
    } catch (error) {
      return [
        ...lines,
        `what was learned could not be written to ${file}: ${messageOf(error)}`,
        ...addition.split('\n'),
      ];
    }
    const how = exists ? 'added to' : 'written to';
    return [...lines, `learned ${learned} kinds of access, ${how} ${file}; read it before you rely on it`];
  }

  /** The file is complete at every moment. It tells where a program goes, so it is its owner's alone. */
  #write(addition: string): void {
    const { file } = this.#target;
    const base = this.#source === undefined ? undefined : readFileSync(this.#source.file, 'utf8');
    const learned = asLearned(addition);
    const text = base === undefined ? learned : mergePolicyText(base, learned);
    const part = `${file}.${process.pid}.part`;
    try {
      writeFileSync(part, text, { mode: 0o600, flag: 'wx' });
      renameSync(part, file);
    } finally {
      rmSync(part, { force: true });
    }
  }
}

/** A proposal's comments speak of refusals, and here nothing was refused. */
const asLearned = (policy: string): string =>
  policy.replaceAll(/# refused (once|\d+ times)$/gm, '# asked for $1');

function describe({
  binary,
  host,
  port,
  ...denial
}: Pick<Denial, 'binary' | 'host' | 'port' | 'method' | 'path'>): string {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return [binary ?? 'an unknown program', '->', place, denial.method, denial.path]
    .filter((word) => word !== undefined)
    .join(' ');
}
