import type { OpenShellError } from '@openshell/base';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

/** What is wrong and what to do about it, as every command says it on standard error. */
export const renderError = ({ message, remedy }: OpenShellError, style: Style): string => {
  const [first, ...further] = [message, ...(remedy === undefined ? [] : [remedy])]
    .flatMap((text) => text.split('\n'))
    .map(printable);
  return [`${style.bold('openshell:')} ${first}`, ...further.map((line) => `  ${line}`), ''].join('\n');
};
