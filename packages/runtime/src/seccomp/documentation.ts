import { type ArgumentTest, SECCOMP_RULES, type SeccompRule } from './rules.ts';

/** The refused system calls as a Markdown table, made from the same rules as the filter. */
export function seccompDocumentation(): string {
  const rows = SECCOMP_RULES.map(
    (rule) => `| ${namesOf(rule)} | ${conditionOf(rule)} | ${rule.errno} | ${rule.why} |`,
  );
  return ['| system calls | refused when | errno | why |', '|---|---|---|---|', ...rows, ''].join('\n');
}

const namesOf = (rule: SeccompRule): string => rule.syscalls.map((name) => `\`${name}\``).join(', ');

const conditionOf = (rule: SeccompRule): string => rule.when?.map(textOf).join(' and ') ?? 'always';

function textOf(test: ArgumentTest): string {
  const argument = `argument ${test.argument}`;
  if (test.mask !== undefined && test.is === 'none_of' && test.values.length === 1 && test.values[0] === 0) {
    return `${argument} has a bit of ${hex(test.mask)}`;
  }
  const value = test.mask === undefined ? argument : `${argument} & ${hex(test.mask)}`;
  const relation = test.is === 'one_of' ? 'is' : 'is not';
  return `${value} ${relation} ${test.values.map(hex).join(' or ')}`;
}

const hex = (value: number): string => `0x${value.toString(16)}`;
