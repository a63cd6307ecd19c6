import type { RuntimeKind } from '@openshell/sandbox';
import { usageError } from '../command/usage-error.ts';

const built: Readonly<Record<RuntimeKind, true>> = { process: true };

/** Kinds that the design names and that this version does not have. */
const planned: Readonly<Record<string, string>> = {
  oci: 'OCI runtimes such as gVisor and Kata',
  boxlite: 'virtual machines through BoxLite',
};

/**
 * Checks the name of a kind of isolation.
 *
 * @param source names where it stands, for messages: `--runtime`, `OPENSHELL_RUNTIME`, or a file and line.
 * @throws OpenShellError with code `usage`: what is unknown or not built is never replaced by something weaker.
 */
export const parseRuntimeKind = (text: string, source: string): RuntimeKind => {
  if (isBuilt(text)) return text;
  const there = `Use ${Object.keys(built).join(' or ')}, which is all that there is.`;
  if (Object.hasOwn(planned, text)) {
    throw usageError(`${source}: the kind '${text}' (${planned[text]}) is not built yet`, there);
  }
  throw usageError(`${source}: there is no kind of isolation '${text}'`, there);
};

const isBuilt = (text: string): text is RuntimeKind => Object.hasOwn(built, text);
