import type { AuthorityCertificate, RotationStep } from '@openshell/control';
import { steps } from '../command/table/proxyctl-ca.ts';
import type { Handler } from '../handlers.ts';
import { jsonText, renderTable, timeText } from './table.ts';
import { oneOf } from './values.ts';
import { visit } from './visit.ts';

/** `openshell proxyctl ca rotate STEP`. */
export const rotateAuthority: Handler = async (args, io) => {
  const step = oneOf(args.operands[0]!, 'STEP', steps);
  const status = await visit({ args, io, role: 'controller' }, (session) => session.rotateAuthority(step));
  if (args.has('json')) io.out(jsonText(status));
  else {
    io.out(
      renderTable(['AUTHORITY', 'UNTIL', 'SHA-256'], status.certificates.map(certificateRow), io.outStyle),
    );
    io.err(`openshell: ${NEXT[step]}\n`);
  }
  return 0;
};

/** What is to be done now. */
const NEXT: Readonly<Record<RotationStep, string>> = {
  prepare:
    "bring what 'openshell proxyctl ca' prints now to all clients; then 'openshell proxyctl ca rotate activate'",
  activate:
    "when nothing shows certificates of the previous authority any longer: 'openshell proxyctl ca rotate retire'",
  retire: 'clients need to trust the previous authority no longer',
};

const certificateRow = ({ role, notAfter, fingerprint }: AuthorityCertificate): readonly string[] => [
  role,
  timeText(notAfter),
  fingerprint,
];
