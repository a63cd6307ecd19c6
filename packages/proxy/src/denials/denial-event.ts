import { baseName, type FindingEvent, findingEvent } from '@openshell/audit';
import type { SandboxId } from '@openshell/base';
import { formatAuthority } from '../http/authority.ts';
import type { DenialCount, DenialStage } from './denial.ts';

/** `finding_info.uid` of these events. */
export const DENIALS_UID = 'egress-denials';

const NOUNS: Readonly<Record<DenialStage, string>> = {
  connect: 'connection',
  capture: 'captured connection',
  request: 'request',
  message: 'message',
  statement: 'statement',
};

/** How often one kind of denial happened. `generation` is in force when that is said. `openshell policy suggest` reads it again. */
export function denialEvent(
  { kind, count, told, first, last, samples }: DenialCount,
  sandbox: SandboxId,
  generation: number,
): FindingEvent {
  const binary = kind?.binary;
  return findingEvent({
    sandbox,
    uid: DENIALS_UID,
    title: titleOf(kind, count),
    action: 'denied',
    severity: 'low',
    process: binary === undefined ? undefined : { name: baseName(binary), path: binary },
    count,
    unmapped: { generation, ...kind, told, first, last, samples: samples.map((sample) => ({ ...sample })) },
  });
}

function titleOf(kind: DenialCount['kind'], count: number): string {
  if (kind === undefined) return `Denied ${count} more, of more kinds than are told apart`;
  const { stage, from, host, port } = kind;
  const what = `${NOUNS[stage]}${count === 1 ? '' : 's'}`;
  return `Denied ${count} ${what} ${from === 'server' ? 'from' : 'to'} ${formatAuthority(host, port)}`;
}
