import type { Series } from '../measure/series.ts';
import type { Target } from '../measure/target.ts';
import type { Topic, TopicContext, TopicResult } from '../measure/topic.ts';
import { type Measurement, run as measurePolicy } from '../policy.ts';
import { run as measureRego } from '../rego.ts';

interface DecisionsTarget {
  /** Measurements with this prefix are held to it. */
  readonly prefix: string;
  readonly limit: number;
}

/** `policy.authorize.10_endpoints` is `10 endpoints` in the group `policy.authorize`. */
function splitName(name: string): { group: string; rest: string } {
  const at = name.lastIndexOf('.');
  return { group: name.slice(0, at), rest: name.slice(at + 1).replaceAll('_', ' ') };
}

/** A topic from a file that measures one thing by itself, on one core. */
function decisionsTopic(
  topic: Pick<Topic, 'name' | 'title'>,
  measure: () => Promise<Measurement[]>,
  { prefix, limit }: DecisionsTarget,
): Topic {
  const run = async ({ rounds, quick }: TopicContext): Promise<TopicResult> => {
    const samples: Measurement[][] = [];
    for (let round = 0; round < (quick ? 1 : rounds); round++) samples.push(await measure());
    const series = samples[0]!.map(({ name, unit }, index): Series => {
      const { group, rest } = splitName(name);
      return { group, name: rest, unit, values: samples.map((sample) => sample[index]!.value) };
    });
    const targets = samples[0]!.flatMap(({ name, unit }, index): Target[] => {
      if (!name.startsWith(prefix)) return [];
      // The best round: one that a neighbour disturbed says nothing about the code.
      const value = Math.max(...samples.map((sample) => sample[index]!.value));
      return [{ what: `${splitName(name).rest} (best round)`, bound: 'at least', limit, value, unit }];
    });
    return { series, references: {}, targets };
  };
  return { ...topic, run };
}

export const policy = decisionsTopic(
  { name: 'policy', title: 'Decisions of the built-in evaluator on one core' },
  measurePolicy,
  { prefix: 'policy.authorize.', limit: 3_000_000 },
);

export const rego = decisionsTopic(
  { name: 'rego', title: 'Decisions of the Rego engine on one core' },
  measureRego,
  { prefix: 'rego.authorize.100_', limit: 100_000 },
);
