import type { CommandSpec } from '../command.ts';
import { connection, failed } from './proxyctl-options.ts';

export const proxyctlEvents = {
  name: 'proxyctl events',
  summary: 'Show the security events of a proxy, and follow them',
  description: [
    'Prints the events that a proxy keeps, a line each, the oldest first: what its tenants connected to and asked for, what was denied and why, what was applied and by whom.',
    'With --follow it goes on with every new event until it is interrupted. When the connection is lost or the proxy is started again, it connects again and goes on after the last event that was shown; events that are gone by then are reported as a gap.',
  ],
  operands: { kind: 'none' },
  options: [
    {
      name: 'follow',
      short: 'f',
      summary: 'go on with new events',
      details: 'Goes on with new events until it is interrupted (Ctrl-C).',
    },
    {
      name: 'after',
      value: { placeholder: 'CURSOR', kind: 'text' },
      summary: 'begin after this event',
      details:
        'Begins after the event with this cursor, which --json prints; now: after the newest. Default: with the oldest that is kept.',
    },
    {
      name: 'tenant',
      value: { placeholder: 'ID', kind: 'text' },
      repeat: true,
      summary: 'only of this tenant',
      details: 'Only events of this tenant. Can be repeated. Default: of all.',
    },
    {
      name: 'denials',
      summary: 'only what was denied',
      details: 'Only denials: refused connections and requests, and the counts of those that were alike.',
    },
    ...connection,
    {
      name: 'json',
      summary: 'print JSON lines',
      details: 'Prints one JSON object a line, each event whole (OCSF), with its cursor.',
    },
  ],
  examples: [
    { line: 'openshell proxyctl events --follow', explains: 'what is going on?' },
    { line: 'openshell proxyctl events --denials --tenant team-a', explains: 'what was team-a denied?' },
    {
      line: 'openshell proxyctl events --json --denials | jq -c .event | openshell policy suggest -',
      explains: 'which policy would have allowed it?',
    },
  ],
  exitCodes: [
    { code: '0', meaning: 'all that there was is printed' },
    failed,
    { code: '130', meaning: 'interrupted by Ctrl-C (SIGINT); 143: by SIGTERM' },
  ],
  failure: 2,
  json: `{ "cursor": "INSTANCE:17", "tenant": "team-a", "event": {} }   // one line; the event as openshell run --events writes it
{ "cursor": "INSTANCE:15", "gap": { "lost": 4 } }              // events are missing here; without "lost": nobody knows how many`,
} as const satisfies CommandSpec;
