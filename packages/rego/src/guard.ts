import { RegoError } from './error.ts';

/**
 * Runs work on text, modules or values of unknown size. Where it goes beyond what JavaScript has (the call stack, the
 * longest string) or beyond our own bounds of values, that is an error of the policy's and not of the program.
 * Throws a RegoError (`eval_limit_error`) then.
 */
export const guarded = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const deep = error.message.includes('call stack');
    const message = deep ? 'rules, statements or values are nested too deeply' : error.message;
    throw new RegoError('eval_limit_error', message);
  }
};
