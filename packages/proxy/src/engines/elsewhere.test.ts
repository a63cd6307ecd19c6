import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { type Generation, generation } from '@openshell/base';
import type { ConnectDecision, Intent, PolicyEngine, RequestDecision } from '@openshell/policy';
import { policyAlone } from '../tenant/settings.ts';
import { FakeEngine } from '../test-support/engine.ts';
import { closeReason, Fixture } from '../test-support/fixture.ts';

/** Rules that are elsewhere: they answer when the test says so. */
class DistantEngine implements PolicyEngine {
  readonly generation: Generation;
  readonly #rules: FakeEngine;
  readonly #asked: (() => void)[] = [];
  #waiting = Promise.withResolvers<void>();

  constructor(allow: readonly string[], number: number) {
    this.generation = generation(number);
    this.#rules = new FakeEngine({ allow, generation: number });
  }

  /** Resolves when a question is waiting for its answer. */
  get asked(): Promise<void> {
    return this.#waiting.promise;
  }

  answer(): void {
    for (const answer of this.#asked.splice(0)) answer();
    this.#waiting = Promise.withResolvers();
  }

  authorizeConnect(intent: Intent): Promise<ConnectDecision> {
    const { promise, resolve } = Promise.withResolvers<ConnectDecision>();
    this.#asked.push(() => resolve(this.#rules.authorizeConnect(intent)));
    this.#waiting.resolve();
    return promise;
  }

  authorizeRequest(intent: Intent): RequestDecision {
    return this.#rules.authorizeRequest(intent);
  }

  couldAllowName(): boolean {
    return true;
  }

  couldAllowAddress(): boolean {
    return true;
  }
}

const echo = (socket: Socket): unknown => socket.pipe(socket);
const CONNECT = 'CONNECT a.example:7 HTTP/1.1\r\nHost: x\r\n\r\n';

describe('rules that are elsewhere', () => {
  test('are waited for', async () => {
    await using fixture = await Fixture.start({ allow: [] });
    await fixture.origin('a.example', echo);
    const distant = new DistantEngine(['a.example:7'], 2);
    fixture.tenant.apply(policyAlone(distant));
    const tunnel = fixture.tunnel('a.example:7');
    await distant.asked;
    distant.answer();
    const socket = await tunnel;
    socket.write('ping');
    const [bytes] = await once(socket.resume(), 'data');
    assert.equal(String(bytes), 'ping');
  });

  test('do not decide any more once another policy is in force', async () => {
    await using fixture = await Fixture.start({ allow: [] });
    await fixture.origin('a.example', echo);
    const distant = new DistantEngine(['a.example:7'], 2);
    fixture.tenant.apply(policyAlone(distant));
    const answer = fixture.ask(CONNECT);
    await distant.asked;
    fixture.tenant.apply(policyAlone(new FakeEngine({ allow: [], generation: 3 })));
    distant.answer();
    assert.match(await answer, /^HTTP\/1.1 403 /);
  });

  test('end what they do not allow when they come into force, as soon as they answer', async () => {
    await using fixture = await Fixture.start({ allow: ['a.example:7'] });
    await fixture.origin('a.example', echo);
    const socket = await fixture.tunnel('a.example:7');
    const distant = new DistantEngine([], 2);
    fixture.tenant.apply(policyAlone(distant));
    await distant.asked;
    socket.write('still here');
    const [bytes] = await once(socket.resume(), 'data');
    assert.equal(String(bytes), 'still here');
    distant.answer();
    assert.equal(await closeReason(socket), 'ECONNRESET');
  });
});
