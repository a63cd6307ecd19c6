import type { SandboxId } from '@openshell/base';
import {
  type Applied,
  type ApplyOrder,
  type ControlCode,
  ControlRefusal,
  type ControlSession,
} from '@openshell/control';
import type { Arguments } from '../command/arguments.ts';
import type { Handler } from '../handlers.ts';
import type { Io } from '../io.ts';
import { renderError } from '../output/error.ts';
import { printable } from '../output/printable.ts';
import { droppedParts, type GenerationFiles, partsOf, readGeneration } from './generation-files.ts';
import { localProblem, renderProblems } from './problems.ts';
import { jsonText } from './table.ts';
import { tenantOf, visit } from './visit.ts';

type Outcome =
  | { readonly kind: 'applied'; readonly applied: Applied; readonly notices: readonly string[] }
  | { readonly kind: 'refused'; readonly tenant: SandboxId; readonly refusal: ControlRefusal };

/** `openshell proxyctl apply`: 0 when it is in force (or would be), 1 when it is refused. */
export const applyGeneration: Handler = async (args, io) => {
  const generation = readGeneration(args, io.env);
  const role = modeOf(args) === 'check' ? 'observer' : 'controller';
  const outcome = await visit({ args, io, role }, (session) => apply(session, args, generation));
  switch (outcome.kind) {
    case 'applied':
      showApplied(outcome, args, io);
      return 0;
    case 'refused':
      showRefused(outcome, generation.files, args, io);
      return 1;
    default:
      return outcome satisfies never;
  }
};

const modeOf = (args: Arguments): ApplyOrder['mode'] => (args.has('check') ? 'check' : 'install');

const apply = async (
  session: ControlSession,
  args: Arguments,
  generation: GenerationFiles,
): Promise<Outcome> => {
  const tenant = await tenantOf(args, session);
  const before = session.hello.installed.find((one) => one.tenant === tenant);
  const expect = args.value('expect');
  try {
    const applied = await session.apply({
      tenant,
      mode: modeOf(args),
      expected: expect === 'none' ? '' : expect,
      parts: partsOf(generation, before),
    });
    const dropped = droppedParts(generation, before).map(
      (name) => `no ${name} were given, and those that were in force are gone; --keep ${name} keeps them`,
    );
    return { kind: 'applied', applied, notices: [...applied.notices, ...dropped] };
  } catch (thrown) {
    if (thrown instanceof ControlRefusal && isRefused(thrown.code))
      return { kind: 'refused', tenant, refusal: thrown };
    throw thrown;
  }
};

/** What is wrong with what was sent, and not with how. */
const isRefused = (code: ControlCode): boolean =>
  code === 'generation_refused' || code === 'generation_changed' || code === 'part_unknown';

const showApplied = (
  { applied, notices }: Extract<Outcome, { kind: 'applied' }>,
  args: Arguments,
  io: Io,
): void => {
  const { mode, unchanged, installed, environment } = applied;
  if (args.has('json')) {
    io.out(jsonText({ ok: true, mode, unchanged, installed, environment, notices }));
    return;
  }
  const name = `generation ${installed.generation} of ${printable(installed.tenant)}`;
  const what = {
    check: () => (unchanged ? `${name} is just this` : `it would be ${name}`),
    install: () => (unchanged ? `${name} was in force already` : `${name} is in force`),
  }[mode]();
  const variables = Object.entries(environment).map(([key, value]) => `  ${key}=${value}`);
  io.out(
    [
      `${io.outStyle.green('accepted:')} ${what}`,
      `  hash ${printable(installed.hash)}`,
      ...(variables.length === 0
        ? []
        : ['what programs have in the place of credentials:', ...variables.map(printable)]),
      '',
    ].join('\n'),
  );
  for (const notice of notices)
    io.err(`${io.errStyle.bold('openshell:')} ${io.errStyle.yellow('notice:')} ${printable(notice)}\n`);
};

const showRefused = (
  { tenant, refusal }: Extract<Outcome, { kind: 'refused' }>,
  files: GenerationFiles['files'],
  args: Arguments,
  io: Io,
): void => {
  const { code, message } = refusal;
  const problems = refusal.problems.map((problem) => localProblem(problem, files));
  if (args.has('json')) io.out(jsonText({ ok: false, tenant, code, message, problems }));
  else {
    io.out(renderProblems(problems, files, io.outStyle));
    io.err(renderError(refusal, io.errStyle));
  }
};
