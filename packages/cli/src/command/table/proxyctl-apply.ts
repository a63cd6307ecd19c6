import type { CommandSpec } from '../command.ts';
import { connection, failed, json, patience, takeOver, tenant } from './proxyctl-options.ts';

const file = { placeholder: 'FILE', kind: 'file' } as const;

/** What a generation is made of, as `--keep` names it. */
export const partNames = ['policy', 'credentials', 'routes', 'secrets'] as const;

export const proxyctlApply = {
  name: 'proxyctl apply',
  summary: 'Put a policy, credentials and routes in force as one generation',
  description: [
    'Sends the files to a proxy, which puts them in force for one tenant as a whole, or not at all: where anything is wrong with one of them, every problem is printed with its file, line and column, and the last generation stays in force.',
    'What is neither given nor kept is empty afterwards: without --credentials and without --keep credentials there are none. FILE may be - for standard input, once.',
    'Credentials of a remote proxy get their values by { env: NAME }, and --secret says where this command finds each. A value never stands on a command line, is not printed, and is not kept by anybody but the proxy.',
  ],
  operands: { kind: 'none' },
  options: [
    {
      name: 'policy',
      value: file,
      summary: 'the policy',
      details: 'The policy. Required, unless it is kept.',
    },
    {
      name: 'credentials',
      value: file,
      summary: 'credentials, with where they may go',
      details: 'Credentials, with where they may go, as openshell run --credentials has them.',
    },
    {
      name: 'routes',
      value: file,
      summary: 'the backends of https://inference.local',
      details: 'The backends of https://inference.local, as openshell run --inference-routes has them.',
    },
    {
      name: 'secret',
      value: { placeholder: 'NAME[=env:VARIABLE|=file:FILE]', kind: 'variable' },
      repeat: true,
      summary: 'where the value of { env: NAME } is found here',
      details:
        'Pushes the value that { env: NAME } stands for in the credentials and routes: from the variable NAME of this command, from another variable, or from a file (without the line break at its end). Can be repeated.',
    },
    {
      name: 'revision',
      value: { placeholder: 'NAME', kind: 'text' },
      summary: 'a name for this set of secrets',
      details:
        'What this set of secrets is called in the status. Applying the same files under the same revision again changes nothing; so change it with each change of a secret, and do not make it of secrets. Default: a random name.',
    },
    {
      name: 'keep',
      value: { placeholder: 'PART', kind: partNames },
      repeat: true,
      summary: 'leave a part as it is in force',
      details:
        'Leaves policy, credentials, routes or secrets as they are in force, where this command does not have them. Can be repeated.',
    },
    {
      name: 'check',
      summary: 'find what is wrong, and change nothing',
      details:
        'Finds all that is wrong, and changes nothing. Works beside whoever controls the proxy, without --take-over.',
    },
    {
      name: 'expect',
      value: { placeholder: 'HASH', kind: 'text' },
      summary: 'only where this is in force',
      details:
        'Refuses where another generation is in force than the one with this hash (status --json has it), so that nothing is lost that somebody else applied; none: nothing may be in force.',
    },
    tenant,
    ...connection,
    patience,
    takeOver,
    json,
  ],
  examples: [
    {
      line: 'openshell proxyctl apply --policy policy.yaml',
      explains: 'a policy, and neither credentials nor routes',
    },
    {
      line: 'openshell proxyctl apply --tenant team-a --policy policy.yaml --credentials credentials.yaml --secret GITHUB_TOKEN=file:github.token',
      explains: 'with a credential whose value stands in a file here',
    },
    {
      line: 'openshell proxyctl apply --policy policy.yaml --keep credentials --keep secrets',
      explains: 'another policy, by somebody who does not know the secrets',
    },
    { line: 'openshell proxyctl apply --check --policy policy.yaml', explains: 'would the proxy take it?' },
  ],
  exitCodes: [
    { code: '0', meaning: 'it is in force; with --check, it would be taken' },
    {
      code: '1',
      meaning:
        'refused, and all is as it was: something is wrong in it, or what is in force is not what --expect or --keep takes it for',
    },
    failed,
  ],
  failure: 2,
  json: `{
  "ok": true,
  "mode": "install",            // or "check"
  "unchanged": false,           // the very same was in force before
  "installed": {                // as in proxyctl status; of a check, what would be
    "tenant": "team-a", "generation": 3, "hash": "…", "parts": { "policy": "…" },
    "policyHash": "…", "installedAt": 1760000000000
  },
  "environment": { "GITHUB_TOKEN": "…" },  // placeholders: what programs have in the place of credentials
  "notices": []                            // for a person
}

// refused (exit code 1)
{
  "ok": false,
  "tenant": "team-a",
  "code": "generation_refused",  // stable; or "generation_changed", "part_unknown"
  "message": "…",                // for a person
  "problems": [
    {
      "part": "policy",          // "credentials", "routes", "secrets" or "tenant"
      "file": "policy.yaml",     // absent where it is no file's
      "line": 12, "column": 9,   // from 1; absent where there is no place
      "path": "network_policies.github.endpoints[0].hots",
      "message": "…"
    }
  ]
}`,
} as const satisfies CommandSpec;
