import type { CommandSpec, OptionSpec } from '../command.ts';

const json = {
  name: 'json',
  summary: 'print JSON',
  details: 'Prints one JSON document instead of text.',
} as const satisfies OptionSpec;

export const policyCheck = {
  name: 'policy check',
  summary: 'Find what is wrong in a policy',
  description: [
    'Checks each FILE (- is standard input) as a sandbox would when it loads it, and prints every problem with its file, line and column, the line itself and the fix.',
    'Notices do not fail the check. They say in words where OpenShell treats a valid file differently from what its author may expect, above all where it is stricter than the earlier OpenShell.',
    'Of a valid file it also lists what connections are opened for, so that requests can be inspected: programs have to trust the certificates of OpenShell there, which they are told through the usual variables.',
  ],
  operands: {
    kind: 'words',
    value: { placeholder: 'FILE', kind: 'file' },
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
  },
  options: [json],
  examples: [
    { line: 'openshell policy check policy.yaml', explains: 'one file' },
    { line: 'openshell policy check --json policies/*.yaml', explains: 'many, for a program' },
    { line: 'render-policy | openshell policy check -', explains: 'what another program prints' },
  ],
  exitCodes: [
    { code: '0', meaning: 'every file is valid; there may be notices' },
    { code: '1', meaning: 'at least one problem' },
    { code: '2', meaning: 'a mistake in the command line, or a file that cannot be read' },
  ],
  failure: 2,
  json: `{
  "files": [
    {
      "file": "policy.yaml",
      "ok": false,              // no problems: openshell run takes it
      "problems": [
        {
          "code": "unknown_field",   // stable
          "message": "…",            // for a person
          "fix": "…",                // what to write instead
          "line": 12,                // from 1; absent where there is no place
          "column": 9,               // from 1
          "path": "network_policies.github.endpoints[0].hots"
        }
      ],
      "notices": [],            // same members as a problem
      "inspected": [            // what connections are opened for
        { "path": "…", "reason": "…", "line": 14, "column": 9 }
      ]
    }
  ]
}`,
} as const satisfies CommandSpec;

export const policyExplain = {
  name: 'policy explain',
  summary: 'Ask a policy about one connection or request',
  description: [
    'Says what the policy in FILE (- is standard input) decides about one connection of one program, by which rule, and every endpoint that was considered and why it matched or did not. Nothing is connected and no name is looked up.',
    'With --path (and --method, --query) it says the same of one HTTP request on that connection. What is inside of a body (GraphQL, JSON-RPC, MCP, SQL) is not asked about.',
  ],
  operands: { kind: 'words', value: { placeholder: 'FILE', kind: 'file' }, minimum: 1, maximum: 1 },
  options: [
    {
      name: 'host',
      value: { placeholder: 'HOST', kind: 'text' },
      required: true,
      summary: 'name or address of the destination',
      details: 'Where the connection goes: a name, or an address (IPv6 with or without brackets).',
    },
    {
      name: 'port',
      value: { placeholder: 'PORT', kind: 'text' },
      required: true,
      summary: 'port of the destination',
      details: 'Its TCP port, 1 to 65535.',
    },
    {
      name: 'binary',
      value: { placeholder: 'PATH', kind: 'file' },
      required: true,
      summary: 'executable of the program that connects',
      details:
        'Absolute path of the executable, as the kernel names it inside the sandbox: for a script it is its interpreter. It need not exist here.',
    },
    {
      name: 'ancestor',
      value: { placeholder: 'PATH', kind: 'file' },
      repeat: true,
      summary: 'executable of a parent process',
      details: 'Absolute path of the executable of a parent, the nearest first. Can be repeated.',
    },
    {
      name: 'path',
      value: { placeholder: 'PATH', kind: 'text' },
      summary: 'path of a request',
      details: 'Asks about a request to this path too; it is read as the proxy reads it.',
    },
    {
      name: 'method',
      value: { placeholder: 'METHOD', kind: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] },
      summary: 'method of that request',
      details: 'The method of the request. Default: GET.',
    },
    {
      name: 'query',
      value: { placeholder: 'QUERY', kind: 'text' },
      summary: 'query of that request',
      details: 'The query of the request, without its question mark: a=1&b=2.',
    },
    json,
  ],
  examples: [
    {
      line: 'openshell policy explain policy.yaml --host registry.npmjs.org --port 443 --binary /usr/bin/node',
      explains: 'may Node.js reach the registry?',
    },
    {
      line: 'openshell policy explain policy.yaml --host github.com --port 443 --binary /usr/lib/git-core/git-remote-http --ancestor /usr/bin/git',
      explains: 'a helper is allowed where its parent is',
    },
    {
      line: 'openshell policy explain policy.yaml --host api.github.com --port 443 --binary /usr/bin/curl --method POST --path /user/repos',
      explains: 'may curl create a repository?',
    },
  ],
  exitCodes: [
    { code: '0', meaning: 'allowed, or let through with a report (enforcement: audit)' },
    { code: '1', meaning: 'denied' },
    { code: '2', meaning: 'a mistake in the command line, or a file that cannot be read or is not valid' },
  ],
  failure: 2,
  json: `{
  "file": "policy.yaml",
  "intent": { "host": "github.com", "port": 443, "binary": "/usr/bin/git", "ancestors": [] },
  "decision": {
    "action": "deny",             // "allow" or "deny"
    "reason": "…",                // for a person
    "code": "binary_not_allowed", // stable; deny only
    "remedy": "…",                // what to add to the policy; deny only
    "policy": "github",           // the policy that decided; deny: one that allows others, where there is one
    "endpoint": { "policy": "github", "index": 0, "host": "github.com" },  // allow only
    "tls": "auto",                // or "skip"; allow only
    "destination": { "exactHost": true, "allowedIps": ["10.0.0.0/8"] },    // allow only
    "inspected": true,            // requests are decided too; allow only
    "generation": 0
  },
  "considered": [                 // every endpoint, those that came closest first
    {
      "endpoint": { "policy": "github", "index": 0, "host": "github.com" },
      "policy": "github",
      "step": "binary",           // the first that does not fit: "host", "port", "binary"; or "matched"
      "why": "…"
    }
  ],
  "request": {                    // with --path
    "method": "POST", "path": "/user/repos", "query": [["a", "1"]],
    "decision": {
      "action": "deny",           // "allow", "audit" (let through and reported) or "deny"
      "reason": "…",
      "code": "request_not_allowed",  // stable; deny only
      "remedy": "…",                  // deny only
      "policy": "github",
      "rule": "network_policies.github.endpoints[0].rules[2]",  // what decided, where there is one
      "endpoint": { "policy": "github", "index": 0, "host": "api.github.com" },
      "generation": 0
    },
    "considered": [               // every inspected endpoint of the connection, the most specific path first
      {
        "endpoint": { "policy": "github", "index": 0, "host": "api.github.com" },
        "policy": "github",
        "step": "silent",         // "denies", "allows", "silent", "other_protocol" or "other_path"
        "why": "…"
      }
    ]
  }
}`,
} as const satisfies CommandSpec;
