import type { Series } from '../measure/series.ts';
import type { Target } from '../measure/target.ts';
import type { Topic, TopicContext, TopicResult } from '../measure/topic.ts';
import { type Measurement, run as measurePolicy } from '../policy.ts';

const DECISIONS = /^policy\.authorize\.(\d+)_endpoints$/;

async function run({ rounds, quick }: TopicContext): Promise<TopicResult> {
  const samples: Measurement[][] = [];
  for (let round = 0; round < (quick ? 1 : rounds); round++) samples.push(await measurePolicy());
  const series = samples[0]!.map(({ name, unit }, index): Series => {
    const values = samples.map((sample) => sample[index]!.value);
    return { group: name.split('.').slice(0, 2).join('.'), name: name.split('.')[2]!, unit, values };
  });
  const targets = samples[0]!.flatMap(({ name, unit }, index): Target[] => {
    const endpoints = DECISIONS.exec(name)?.[1];
    if (endpoints === undefined) return [];
    const value = Math.max(...samples.map((sample) => sample[index]!.value));
    return [{ what: `decisions with ${endpoints} endpoints (best round)`, bound: 'at least', limit: 3e6, value, unit }];
  });
  return { series, references: {}, targets };
}

export const policy: Topic = { name: 'policy', title: 'Decisions of the built-in evaluator on one core', run };
