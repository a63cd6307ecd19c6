import type { CommandSpec } from '../command.ts';

export const policySuggest = {
  name: 'policy suggest',
  summary: 'Propose a policy for what was refused',
  description: [
    'Reads the events of earlier runs (what openshell run --events FILE wrote; - is standard input) and prints the smallest policy that would have allowed what was refused: each host and port for the program that asked, and where requests are inspected, each method and path, operation, tool or statement. It widens nothing by itself, except that many paths that differ in one segment become one with a *.',
    'What an endpoint with enforcement: audit has let through although its rules do not allow it, counts as refused.',
    'Nothing is proposed for what a deny rule refused, for protected addresses, for names that contradict each other, and for programs that nobody could name; standard error lists these with the reason. Read the proposal before you use it: it says what a program wanted, not whether that is good.',
  ],
  operands: {
    kind: 'words',
    value: { placeholder: 'EVENTS', kind: 'file' },
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
  },
  options: [
    {
      name: 'policy',
      value: { placeholder: 'FILE', kind: 'file' },
      summary: 'the policy that refused',
      details:
        'The policy that the runs had. The proposal fits beside it: it reads requests as its endpoints do, and says nothing that the two together would refuse all the same. Default: none.',
    },
    {
      name: 'json',
      summary: 'print JSON',
      details: 'Prints one JSON document instead of text.',
    },
  ],
  examples: [
    {
      line: 'openshell policy suggest events.jsonl > more.yaml',
      explains: 'what would the command have needed?',
    },
    {
      line: 'openshell policy suggest --policy npm.yaml monday.jsonl tuesday.jsonl',
      explains: 'what is missing from a policy, after several runs',
    },
  ],
  exitCodes: [
    { code: '0', meaning: 'something is proposed' },
    { code: '1', meaning: 'nothing is: nothing was refused, or nothing of it can be proposed' },
    { code: '2', meaning: 'a mistake in the command line, or a file that cannot be read or is not valid' },
  ],
  failure: 2,
  json: `{
  "policy": "version: 1\\n…",     // YAML, with comments that say how often each was refused
  "notProposed": [
    {
      "denial": {
        "sandbox": "…", "binary": "/usr/bin/curl", "host": "api.github.com", "port": 443,
        "stage": "request",     // "connect", "request", "message" or "statement"
        "protocol": "rest", "method": "DELETE", "path": "/repos/x",
        "code": "request_denied", "rule": "…", "count": 3
      },
      "reason": "…"             // for a person
    }
  ],
  "unknown": 0,                 // refused, and the events do not say what
  "names": [],                  // looked up and never connected to: the port is not known
  "invalidLines": 0             // lines that are no event
}`,
} as const satisfies CommandSpec;
