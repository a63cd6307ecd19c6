import type { Intent } from '../engine.ts';
import type { Protocol } from '../policy.ts';
import type { RequestFacts } from '../request.ts';
import type { Denial, DenialOperation } from '../suggest/denial.ts';

/** Different things that are kept: far more than a policy may have rules. */
const MAX_LEARNED = 20_000;

interface Learned {
  readonly denial: Denial;
  count: number;
}

/** A destination of one program. */
type Place = Pick<Denial, 'binary' | 'host' | 'port'>;

/** What a policy would have refused and a learning run let through, in the words of refusals: that is what a policy is proposed from. */
export class LearningRecord {
  readonly #places = new Map<string, Map<string, Learned>>();
  readonly #withdrawn = new Map<string, Place>();
  #size = 0;
  #beyond = 0;

  /** A connection that nothing allows. */
  connection(intent: Intent, code: string): void {
    this.#withdrawn.delete(placeKey(placeOf(intent)));
    this.#add({ ...common(intent), stage: 'connect', protocol: '', code, count: 0 });
  }

  /** A request, message or statement that nothing allows. */
  request(
    intent: Intent,
    facts: RequestFacts,
    { protocol, code }: { protocol: Protocol; code: string },
  ): void {
    const { method, path, from, content } = facts;
    const stage = content.kind === 'sql' ? 'statement' : content.kind === 'message' ? 'message' : 'request';
    const denial: Denial = {
      ...common(intent),
      stage,
      protocol,
      ...(stage !== 'statement' && { method, path }),
      ...(from === 'server' && { from }),
      code,
      count: 0,
    };
    const operations = operationsOf(content);
    if (operations.length === 0) this.#add(denial);
    for (const operation of operations) this.#add({ ...denial, operation });
  }

  /** The program did not get there, and must not: its address is protected, or it has none. */
  withdraw(place: Place): void {
    const key = placeKey(place);
    const learned = this.#places.get(key);
    if (learned === undefined) return;
    this.#places.delete(key);
    this.#size -= learned.size;
    if (this.#withdrawn.size < MAX_LEARNED) this.#withdrawn.set(key, place);
  }

  get denials(): readonly Denial[] {
    return [...this.#places.values()].flatMap((learned) =>
      [...learned.values()].map(({ denial, count }) => ({ ...denial, count })),
    );
  }

  /** What was asked for and never reached. */
  get withdrawn(): readonly Place[] {
    return [...this.#withdrawn.values()];
  }

  /** How often something happened that is not among `denials`, because there were too many. */
  get beyond(): number {
    return this.#beyond;
  }

  #add(denial: Denial): void {
    const place = placeKey(denial);
    const learned = this.#places.get(place) ?? new Map<string, Learned>();
    const key = JSON.stringify(denial);
    const known = learned.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#size >= MAX_LEARNED) this.#beyond += 1;
    else {
      this.#places.set(place, learned.set(key, { denial, count: 1 }));
      this.#size += 1;
    }
  }
}

function placeOf({ host, port, evidence }: Intent): Place {
  return { host, port, ...(evidence.kind === 'process' && { binary: evidence.executable.path }) };
}

const placeKey = ({ binary = '', host, port }: Place): string => `${binary}\0${host}\0${port}`;

const common = (intent: Intent) => ({ sandbox: intent.sandbox, ...placeOf(intent) });

function operationsOf(content: RequestFacts['content']): readonly DenialOperation[] {
  switch (content.kind) {
    case 'graphql':
      return content.operations.map(({ type, name, fields }) => ({
        kind: 'graphql',
        type,
        ...(name !== undefined && { name }),
        fields,
      }));
    case 'rpc':
      return content.messages
        .filter(({ kind }) => kind !== 'response')
        .map(({ method, tool }) => ({ kind: 'rpc', method, ...(tool !== undefined && { tool }) }));
    case 'sql':
      return content.statements.map((statement) => ({ kind: 'sql', ...statement }));
    case 'message':
      return content.graphql === undefined || content.graphql === 'control'
        ? []
        : operationsOf({ kind: 'graphql', operations: [content.graphql] });
    case 'http':
    case 'malformed':
      return [];
    default:
      return content satisfies never;
  }
}
