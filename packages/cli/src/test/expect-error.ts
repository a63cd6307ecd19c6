import assert from 'node:assert/strict';
import { OpenShellError } from '@openshell/base';

/** Checks that something throws an OpenShellError whose message and remedy together match. */
export const expectError = (action: () => unknown, text: RegExp): void => {
  assert.throws(action, (error) => {
    assert.ok(error instanceof OpenShellError, String(error));
    assert.match(`${error.message}\n${error.remedy ?? ''}`, text);
    return true;
  });
};
