import type { CommandSpec } from '../command.ts';

export const doctor = {
  name: 'doctor',
  summary: 'Say what this machine supports',
  description: [
    'Tries what a sandbox needs, as the user who asks, and prints one line each: ok; missing, with the command that remedies it; or optional, for what is not there and what would be better with it.',
    'What can be tried is tried: that a kernel has a feature proves little about a container or a virtual machine in which it is switched off.',
  ],
  operands: { kind: 'none' },
  options: [{ name: 'json', summary: 'print JSON', details: 'Prints one JSON document instead of a table.' }],
  examples: [
    { line: 'openshell doctor', explains: 'as this user' },
    { line: 'sudo openshell doctor', explains: 'as root: other ways are open, and others are needed' },
  ],
  exitCodes: [
    { code: '0', meaning: 'openshell run works here with full enforcement' },
    { code: '1', meaning: 'something that it needs is missing' },
    { code: '2', meaning: 'a mistake in the command line' },
  ],
  failure: 2,
  json: `{
  "ready": true,              // nothing is missing
  "checks": [
    {
      "id": "landlock",       // stable
      "title": "Landlock",
      "status": "ok",         // "ok", "missing" or "optional"
      "detail": "ABI 7",      // what was found
      "remedy": "…"           // absent where the status is ok
    }
  ]
}`,
} as const satisfies CommandSpec;
