import { check, type RegoError } from '@openshell/rego';
import type { Handler } from '../handlers.ts';
import { withLibrary } from './library.ts';
import { renderErrors } from './report.ts';
import { readSources } from './sources.ts';
import { versionOf } from './version.ts';

/** `openshell rego check`: 0 when all rules are valid, 1 when not. */
export const checkRego: Handler = async (args, io) => {
  const { modules, data, version } = readSources(args.operands);
  const errors = check(await withLibrary(modules), {
    data,
    strict: args.has('strict'),
    version: versionOf(args, version),
  });
  if (args.has('json')) io.out(`${JSON.stringify({ errors: errors.map(errorJson) }, null, 2)}\n`);
  else io.out(renderErrors(errors));
  return errors.length === 0 ? 0 : 1;
};

const errorJson = ({ code, message, location }: RegoError) => ({
  code,
  message,
  ...(location === undefined
    ? {}
    : { file: location.source.file, line: location.row, column: location.column }),
});
