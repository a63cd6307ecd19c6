import type { ApplyOrder, GenerationParts, Part } from '../contract/generation.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { checkTenantId } from './tenant.ts';
import { checkName, invalid, isSha256 } from './words.ts';

/** As `{ env: NAME }` can name it. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function checkOrder({ tenant, parts, expected, mode }: ApplyOrder): void {
  checkTenantId(tenant);
  if (mode !== 'install' && mode !== 'check') throw invalid('The mode is neither "install" nor "check"');
  if (expected !== undefined && expected !== '' && !isSha256(expected))
    throw invalid('What is expected to be installed is not a hash: 64 lower-case hexadecimal digits');
  checkPart('policy', parts.policy);
  if (parts.credentials) checkPart('credentials', parts.credentials);
  if (parts.routes) checkPart('routes', parts.routes);
  if (parts.secrets) checkSecrets(parts.secrets);
}

const checkPart = (which: string, part: Part): void => {
  switch (part.kind) {
    case 'text':
      checkName(`The name of the ${which}`, part.name);
      if (Buffer.byteLength(part.text) > CONTROL_LIMITS.partBytes.value)
        throw invalid(`The text of the ${which} has more than ${CONTROL_LIMITS.partBytes.value} bytes`);
      return;
    case 'keep':
      if (!isSha256(part.hash))
        throw invalid(`The hash of the ${which} is not 64 lower-case hexadecimal digits`);
      return;
    default:
      part satisfies never;
      throw invalid(`The ${which} is of no kind that is known`);
  }
};

/** Says nothing of a value but its variable. */
const checkSecrets = (secrets: NonNullable<GenerationParts['secrets']>): void => {
  checkName('The revision of the secrets', secrets.revision);
  switch (secrets.kind) {
    case 'keep':
      return;
    case 'values':
      if (secrets.values.size > CONTROL_LIMITS.secrets.value)
        throw invalid(`There are more than ${CONTROL_LIMITS.secrets.value} secrets`);
      checkValues(secrets.values);
      return;
    default:
      secrets satisfies never;
      throw invalid('The secrets are of no kind that is known');
  }
};

const checkValues = (values: ReadonlyMap<string, string>): void => {
  const { secretBytes, secretsBytes } = CONTROL_LIMITS;
  let total = 0;
  for (const [name, value] of values) {
    checkName('The name of a secret', name);
    if (!VARIABLE.test(name)) throw invalid(`"${name}" is no name of a variable`);
    const bytes = Buffer.byteLength(value);
    if (bytes > secretBytes.value)
      throw invalid(`The secret "${name}" has more than ${secretBytes.value} bytes`);
    total += bytes;
  }
  if (total > secretsBytes.value)
    throw invalid(`The secrets have more than ${secretsBytes.value} bytes together`);
};
