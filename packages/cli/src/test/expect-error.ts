import assert from 'node:assert/strict';
import { OpenShellError } from '@openshell/base';

/** Checks that something throws an OpenShellError whose message and remedy together match. */
export const expectError = (action: () => unknown, text: RegExp): void => {
  assert.throws(action, matches(text));
};

/** The same for what answers later. */
export const expectRejection = (promise: Promise<unknown>, text: RegExp): Promise<void> =>
  assert.rejects(promise, matches(text));

const matches =
  (text: RegExp) =>
  (error: unknown): true => {
    assert.ok(error instanceof OpenShellError, String(error));
    assert.match(`${error.message}\n${error.remedy ?? ''}`, text);
    return true;
  };
