import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sandboxId } from '@openshell/base';
import { FakeEngine } from '../test-support/engine.ts';
import { CURL } from '../test-support/fixture.ts';
import { type AllowDecision, checkTarget, type Grant } from './connection.ts';

function grant(address: string, exactHost: boolean, overridden = false): Grant {
  const [host, port] = ['lan.example', 443];
  const intent = { sandbox: sandboxId('box'), adapter: 'connect', host, port, evidence: CURL } as const;
  const engine = new FakeEngine({ allow: ['lan.example:443'], exactHost });
  const decision = engine.authorizeConnect(intent) as AllowDecision;
  return { intent, decision, target: { address, port }, overridden };
}

describe('the address that a connection uses, under a new decision', () => {
  test('stays while the decision still allows it', () => {
    assert.equal(checkTarget(grant('10.1.2.3', true)).ok, true);
    assert.equal(checkTarget(grant('93.184.216.34', false)).ok, true);
  });

  test('goes when the host is no longer declared exactly and the address is private', () => {
    assert.equal(checkTarget(grant('10.1.2.3', false)).ok, false);
  });

  test('stays whatever it is when the operator named it, and is nothing to check before there is one', () => {
    assert.equal(checkTarget(grant('127.0.0.1', false, true)).ok, true);
    const { target: _, ...dialling } = grant('127.0.0.1', false);
    assert.equal(checkTarget(dialling).ok, true);
  });
});
