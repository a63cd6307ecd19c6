import { readFileSync } from 'node:fs';
import { messageOf, OpenShellError } from '@openshell/base';
import { type Policy, policyHash } from '@openshell/policy';
import { openEvents } from '../events.ts';
import { loadPolicy, onThisMachine, readPolicyFile } from '../load-policy.ts';
import { reportingFailures, superviseCommand } from '../supervise.ts';
import { Dialer } from './dial.ts';
import type { EdgeOptions } from './options.ts';
import { Outage } from './outage.ts';
import { type LinkState, ProxyLink } from './proxy-link.ts';
import { Readiness } from './readiness.ts';
import { ServedNode } from './served-node.ts';
import { VERSION } from './version.ts';

/** Of this machine's part, and what the proxy has to enforce. */
const readPolicy = (source: EdgeOptions['policy']): { readonly policy: Policy; readonly hash?: string } => {
  if (source === undefined) return { policy: loadPolicy(undefined) };
  const policy = readPolicyFile(source);
  return { policy: onThisMachine(policy), hash: policyHash(policy) };
};

const readIdentityFile = (path: string, option: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new OpenShellError(`cannot read ${option} ${path}: ${messageOf(cause)}`, {
      code: 'link_certificate',
      remedy: 'Check the path and its permissions.',
      cause,
    });
  }
};

/**
 * `openshell-sandbox --proxy`: one command in one sandbox of this node, whose only way out is a proxy elsewhere. The command starts once the proxy
 * enforces its policy, and goes on, without a network, where the proxy is lost. Resolves to the exit code, as `runSandbox` does.
 */
export const runAtEdge = (options: EdgeOptions): Promise<number> =>
  reportingFailures(async (context) => {
    const { messages } = context;
    const { id, proxy, quiet } = options;
    const { policy, hash } = readPolicy(options.policy);
    const dialer = new Dialer(proxy, {
      caPem: readIdentityFile(options.identity.ca, '--proxy-ca'),
      certPem: readIdentityFile(options.identity.cert, '--proxy-cert'),
      keyPem: readIdentityFile(options.identity.key, '--proxy-key'),
    });
    await using stack = new AsyncDisposableStack();
    const sink = await openEvents(options.events, (error) =>
      messages.write(`openshell: events are lost from here on: ${error.message}`),
    );
    stack.defer(() => sink.close());
    const say = quiet ? () => {} : messages.write;
    const readiness = new Readiness({
      policyHash: hash,
      onWaiting: (why) => say(`openshell: waiting: ${why}`),
    });
    const outage = new Outage({ id, proxy, say: messages.write, events: (event) => sink.write(event) });
    let onState: (state: LinkState) => void = (state) => readiness.enter(state);
    let onRefusal: ConstructorParameters<typeof ProxyLink>[0]['onRefusal'] = () => {};
    const link = stack.use(
      new ProxyLink({
        ...{ dialer, tenant: id, version: VERSION },
        onState: (state) => onState(state),
        onRefusal: (refusal) => onRefusal(refusal),
      }),
    );
    const generation = await readiness.within(options.waitSeconds);
    onState = (state) => outage.enter(state);
    outage.enter({ kind: 'ready', ...generation });
    return await superviseCommand(
      { ...options, policy },
      {
        authority: generation.authorityPem,
        placeholders: generation.environment,
        serve: (sandbox) => {
          onRefusal = sandbox.refusals;
          return new ServedNode(sandbox, link);
        },
      },
      sink,
      context,
    );
  });
