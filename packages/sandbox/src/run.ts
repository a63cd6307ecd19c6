import { sandboxId } from '@openshell/base';
import { type Egress, prepareEgress } from './egress.ts';
import { openEvents } from './events.ts';
import { LEARNING_WARNING, Learning } from './learn.ts';
import { loadPolicy } from './load-policy.ts';
import type { RunOptions } from './run-options.ts';
import { reportingFailures, superviseCommand, type WayOut } from './supervise.ts';

interface WayThrough extends WayOut {
  /** There was a sandbox. */
  served: boolean;
}

/** The proxy in this process. */
const wayThrough = ({ proxy, first, authority }: Egress, learning: Learning | undefined): WayThrough => ({
  authority,
  placeholders: first.environment,
  served: false,
  serve({ refusals, ...sandbox }) {
    this.served = true;
    return proxy.addTenant({
      ...sandbox,
      settings: first.settings,
      refusals: (refusal) => {
        learning?.refused(refusal);
        refusals(refusal);
      },
    });
  },
});

/**
 * `openshell run`: one command in one sandbox, supervised until nothing of it is left. Resolves to the exit code: the
 * command's, 128 + signal, 124 on timeout, 126 or 127 as a shell, 125 when OpenShell could not start it (the reason is on stderr).
 */
export const runSandbox = (options: RunOptions): Promise<number> =>
  reportingFailures(async (context) => {
    const { messages } = context;
    // Tells sandboxes apart; nothing is kept secret by it.
    const id = sandboxId(
      Math.floor(Math.random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    );
    const policy = loadPolicy(options.policy);
    await using stack = new AsyncDisposableStack();
    const sink = await openEvents(options.events, (error) =>
      messages.write(`openshell: events are lost from here on: ${error.message}`),
    );
    stack.defer(() => sink.close());
    const learning = options.learn === undefined ? undefined : new Learning(options.learn, options.policy);
    if (learning !== undefined) messages.write(LEARNING_WARNING);
    const egress = stack.use(await prepareEgress(options, policy, learning));
    for (const notice of options.quiet ? [] : egress.first.notices) messages.write(`openshell: ${notice}`);
    const { upstreamCa } = options.operator;
    const wayOut = wayThrough(egress, learning);
    try {
      return await superviseCommand({ ...options, id, policy, upstreamCa }, wayOut, sink, context);
    } finally {
      // Whatever the command came to: what it asked for until then is worth keeping.
      const lines = wayOut.served ? learning?.finish(policy) : undefined;
      for (const line of lines ?? []) messages.write(`openshell: ${line}`);
    }
  });
