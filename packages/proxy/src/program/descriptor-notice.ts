import { configEvent, type SecurityEvent } from '@openshell/audit';
import { sandboxId } from '@openshell/base';
import { DescriptorWatch } from './descriptors.ts';
import type { Log } from './log/log.ts';

const ID = sandboxId('openshell-proxy');

export interface DescriptorNoticeOptions {
  readonly log: Log;
  readonly record: (event: SecurityEvent) => void;
}

/** Tells people and the record when this process runs out of descriptors, and when it has enough again. */
export const watchDescriptors = ({ log, record }: DescriptorNoticeOptions): DescriptorWatch =>
  new DescriptorWatch({
    onChange: (level, limit) => {
      const isScarce = level === 'scarce';
      const state = isScarce ? 'descriptors_scarce' : 'descriptors_plenty';
      const message = isScarce
        ? `of ${limit} file descriptors almost none is left: connections are closed unanswered`
        : `of ${limit} file descriptors enough are free again`;
      log(isScarce ? 'error' : 'info', message);
      record(configEvent({ sandbox: ID, severity: isScarce ? 'high' : 'info', state, message }));
    },
  });
