import { CONTROL_LIMITS } from '@openshell/control';
import { LIMITS, type Limit } from '../limits.ts';

const grouped = (value: number): string => value.toString().replace(/\B(?=(\d{3})+$)/g, ',');

const table = (limits: Readonly<Record<string, Limit>>): string => {
  const rows = Object.entries(limits).map(
    ([name, { value, unit, what, onExcess }]) =>
      `| \`${name}\` | ${what} | ${grouped(value)} ${unit} | ${onExcess} |`,
  );
  return `| name | what is bounded | limit | beyond it |
|---|---|---|---|
${rows.join('\n')}
`;
};

/** The documentation of every bound of the proxy and of its control connection, in Markdown. */
export function renderLimitsDocs(): string {
  return `# Limits of the egress proxy

Made from \`packages/proxy/src/limits.ts\` and \`packages/control/src/limits.ts\`; a test keeps them equal. Every count is for one sandbox, so that
none can use up what another needs, unless the row says that it is for all together.

## What it relays, inspects and keeps

${table(LIMITS)}
## What controls it

${table(CONTROL_LIMITS)}`;
}

if (import.meta.main) process.stdout.write(renderLimitsDocs());
