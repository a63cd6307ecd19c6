/**
 * What a program answers comes here from an object with the SDK's interface, so that it can be anything; the SDK itself is given what is no
 * policy. A real program is run in wasm-program.test.ts.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generation } from '@openshell/base';
import type { RequestFacts } from '@openshell/policy';
import type { JsonObject } from '@openshell/rego';
import { intentFor } from '../test-support/policies.ts';
import { loadWasmEngine, WasmEngine, type WasmPolicy } from './wasm-engine.ts';

const CONNECT = 'openshell/sandbox/egress_authorization';
const NAME = 'openshell/sandbox/could_allow_name';

const engineOf = (answers: Readonly<Record<string, (input: JsonObject) => unknown>>): WasmEngine => {
  const policy: WasmPolicy = {
    entrypoints: Object.fromEntries(Object.keys(answers).map((name, index) => [name, index])),
    evaluate: (input, entrypoint) => answers[entrypoint]!(input),
    setData: () => {},
  };
  return new WasmEngine(policy, { generation: generation(1), origin: 'policy.wasm' });
};
const intent = intentFor('api.example.com', 443, '/usr/bin/curl');

describe('a compiled policy', () => {
  test('is asked with the same input, and its first result counts', () => {
    let seen: JsonObject = {};
    const engine = engineOf({
      [CONNECT]: (input) => {
        seen = input;
        return [{ result: { action: 'allow', matched_policy: 'api' } }];
      },
    });
    const decision = engine.authorizeConnect(intent);
    assert.ok(decision.action === 'allow');
    assert.equal(decision.policy, 'api');
    assert.deepEqual(seen.network, { host: 'api.example.com', port: 443 });
  });

  for (const [what, results, reason] of [
    ['without a result', [], /no answer/],
    ['with something else', {}, /something else than results/],
    ['with nonsense', [{ result: 'allow' }], /no object/],
  ] as const) {
    test(`that answers ${what} denies`, () => {
      const decision = engineOf({ [CONNECT]: () => results }).authorizeConnect(intent);
      assert.equal(decision.action, 'deny');
      assert.match(decision.reason, reason);
    });
  }

  test('that traps denies', () => {
    const trap = () => {
      throw new Error('unreachable');
    };
    const engine = engineOf({ [CONNECT]: trap, [NAME]: trap });
    assert.match(engine.authorizeConnect(intent).reason, /unreachable/);
    assert.equal(engine.couldAllowName('api.example.com'), false);
  });

  test('that does not say what could be reached leaves that to each connection', () => {
    const engine = engineOf({ [CONNECT]: () => [] });
    assert.equal(engine.couldAllowName('api.example.com'), true);
    assert.equal(engine.couldAllowName('10.0.0.1'), false);
    assert.equal(engine.couldAllowAddress('10.0.0.1', 443), true);
    assert.equal(engine.couldAllowAddress('nonsense', 443), false);
  });
});

describe('a compiled policy is asked about requests', () => {
  const facts: RequestFacts = {
    method: 'GET',
    path: '/x',
    query: [],
    content: { kind: 'http' },
    from: 'client',
  };
  const REQUEST = 'openshell/sandbox/request_authorization';
  const ALLOW = 'openshell/sandbox/allow_request';

  test('with the request in the input', () => {
    const engine = engineOf({
      [CONNECT]: () => [],
      [REQUEST]: ({ request }) => [{ result: { action: 'deny', reason: JSON.stringify(request) } }],
    });
    const { reason } = engine.authorizeRequest(intent, facts);
    assert.deepEqual(JSON.parse(reason), { method: 'GET', path: '/x', query_params: {}, from: 'client' });
  });

  test('for a word, where it has no decision', () => {
    const engine = engineOf({ [CONNECT]: () => [], [REQUEST]: () => [], [ALLOW]: () => [{ result: true }] });
    assert.equal(engine.authorizeRequest(intent, facts).action, 'allow');
    const refusing = engineOf({ [CONNECT]: () => [], [ALLOW]: () => [{ result: false }] });
    assert.equal(refusing.authorizeRequest(intent, facts).action, 'deny');
  });

  for (const [what, answers, reason] of [
    ['has no entrypoint for them', {}, /no answer to this request/],
    ['traps', { [REQUEST]: () => assert.fail('unreachable') }, /unreachable/],
    ['answers with something else', { [REQUEST]: () => ({}) }, /something else than results/],
  ] as const) {
    test(`and nothing goes out when it ${what}`, () => {
      const decision = engineOf({ [CONNECT]: () => [], ...answers }).authorizeRequest(intent, facts);
      assert.ok(decision.action === 'deny');
      assert.equal(decision.code, 'rules_failed');
      assert.match(decision.reason, reason);
    });
  }
});

describe('what is no compiled policy is refused:', () => {
  const EMPTY_MODULE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  for (const [what, bytes] of [
    ['nothing', []],
    ['text', [...Buffer.from('package openshell.sandbox')]],
    ['another WebAssembly program', EMPTY_MODULE],
  ] as const) {
    test(what, async () => {
      const program = new Uint8Array(bytes);
      await assert.rejects(
        loadWasmEngine({ generation: generation(1), program, origin: 'policy.wasm', data: {} }),
        {
          code: 'wasm_invalid',
          message: /^policy\.wasm is not a policy/,
        },
      );
    });
  }
});
