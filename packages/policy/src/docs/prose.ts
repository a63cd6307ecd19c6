/** The parts of docs/policy.md that no table can say. */

export const INTRODUCTION = `# Policies

A policy says what a sandbox may touch: files, the network, and as whom it runs. It is one YAML file; policies of the existing
system load as they are. Whatever a policy does not allow is refused, and a sandbox without a policy has no network at all.

\`\`\`yaml
version: 1
filesystem_policy:
  include_workdir: true
  read_only: [/usr, /lib, /etc]
  read_write: [/tmp]
network_policies:
  packages:
    endpoints:
      - { host: registry.npmjs.org, port: 443 }
    binaries:
      - { path: /usr/bin/node }
\`\`\`

More files to start from are in \`examples/policies/\`. This page is made from the code; a test keeps it true.

## How a file is read

- One YAML 1.2 document of plain mappings, lists and scalars. Anchors, aliases, tags, directives and repeated keys are errors: a reviewer
  and a parser must see the same file.
- Everything wrong is reported at once, each with file, line, column and what to write instead. Unknown fields are errors.
- A field that would have no effect is an error rather than ignored: who wrote it expected something.
- What is accepted but deserves attention is a notice: old words, and places where this system is stricter than the one that a file may
  come from.
- The static part (\`filesystem_policy\`, \`landlock\`, \`process\`) is fixed when a sandbox starts. The rest may change while it runs.
`;

export const PRECEDENCE = `## Who decides: precedence

1. A connection is allowed when one endpoint matches its host and its port, and one of that policy's binaries matches the program or a
   program that started it. What the program was called with never counts, nor does the name that it gives itself.
2. Every matching endpoint has a say. Allow rules add up over all policies; one deny rule that matches refuses, wherever it stands.
3. If several endpoints match, logs name the policy whose name comes first in the alphabet; the answer does not depend on it.
4. Two endpoints that match the same traffic must agree on how it is treated, otherwise the whole policy is refused: on \`tls\`,
   \`allowed_ips\` and whether the protocol is \`tcp\`; and, where both are inspected and their \`path\` selectors overlap with the same
   weight (the number of characters other than \`*\`), on protocol, enforcement, credentials, signing and limits; \`sql\` never
   shares a host and port with another inspected protocol.
5. A program whose identity is unknown is refused, unless the operator runs the proxy without identities.
6. Symbolic links: an exact binary path that is a link inside the sandbox also admits what it leads to. Patterns are not resolved.
`;

export const REQUESTS = `## Requests

Where an endpoint that matches host, port and program has an inspected protocol, its connections are opened and each request
is decided by itself. Then only inspected endpoints decide: one without \`protocol\` for the same host widens nothing.

1. The endpoint with the most specific \`path\` (the most characters other than \`*\`) says how a request is read. Where no endpoint has the
   path, it is refused.
2. Endpoints that read in the same way may allow it: \`rest\` and \`websocket\` read alike, every other protocol by itself. So a broad \`rest\`
   rule never lets a GraphQL operation or a call of a tool through that the more specific endpoint was written for.
3. Every endpoint that has the path may deny it. A deny rule beats whatever allows.
4. A request of several parts (GraphQL operations, JSON-RPC messages, SQL statements) is allowed when each part is, by one rule each.
5. \`enforcement: audit\` lets through and reports: what no rule allows, where the most specific endpoint audits; what a deny rule refuses, where
   the endpoint of that rule audits. What cannot be understood is always refused.

| Protocol | What rules speak of | Besides |
|---|---|---|
| \`rest\` | method, path, query | a rule for \`GET\` holds for \`HEAD\`, to allow and to deny; the opening of a WebSocket is a \`GET\`, and its messages are not asked about |
| \`websocket\` | the opening \`GET\`; messages by \`WEBSOCKET_TEXT\`, \`WEBSOCKET_BINARY\` | beside rules about GraphQL operations, messages that are no GraphQL are refused, and only such rules allow |
| \`graphql\` | operation type, name (empty where it has none), root fields | \`POST\`; \`GET\` for queries only; one rule must cover all fields of an operation |
| \`json-rpc\` | method, params | \`POST\` only; responses from the client are refused, also under \`audit\` |
| \`mcp\` | method, tool, params | \`POST\`; \`GET\` for the stream from the server; \`DELETE\` where \`initialize\` is allowed; responses are allowed; rules about single tools or arguments limit \`allow_all_known_mcp_methods\`, too |
| \`sql\` | leading keywords, tables | a text without statements is allowed |

What the server sends on its own (JSON-RPC, MCP and WebSocket) is decided by rules with \`from: server\`: a deny rule refuses; where some rule
allows, nothing else is allowed; otherwise everything is. Responses always are.

Presets:

| \`access\` | \`rest\` | \`websocket\` | \`graphql\` | \`sql\` |
|---|---|---|---|---|
| \`read-only\` | GET, HEAD, OPTIONS | the opening only | queries | statements that only read |
| \`read-write\` | and POST, PUT, PATCH | and text messages | and mutations | and those that change rows |
| \`full\` | everything | and binary messages | and subscriptions | everything |

A \`path\`, \`credential_signing\` or \`credential_binding\` (without \`allow_uninspected_credentials\`) on an endpoint without \`protocol\` is about
requests, so it is read as \`protocol: rest\`, \`access: full\`, with a notice.
`;

export const PATTERNS = `## Patterns

One dialect, everywhere:

| Form | Meaning |
|---|---|
| \`*\` | any text within one segment (path segment, DNS label), also none |
| \`**\` | any text, across segments; between two slashes also no segment at all |
| \`?\` | one character, never a separator |
| \`[ab]\`, \`[a-z]\`, \`[!a]\` | one character of a class, never a separator |
| \`{a,b}\` | either; may be nested |
| \`\\\` | the next character as it is |

A pattern always matches the whole text. Upper and lower case differ, except in hosts. Leading dots are not special. In values
that are neither paths nor names (query values, params, tool names, GraphQL names and fields, SQL commands and tables) there are no segments: \`*\` matches anything,
so that no deny rule can be dodged by a separator. A pattern may stand for at most 64 alternatives and have 1,024 characters.
`;

export const HOST_PATTERNS = `Hosts know only \`*\` and \`**\`: \`*\` is one label, or a part of the first one; \`**\` is one or more labels, and only the whole
first label. At least the last two labels are written out; only selectors of middlewares, which can but add a check, may cover more.
Addresses match only as they are, never through wildcards.
`;

export const ADDRESSES = `## Addresses

A name that is allowed may still lead to an address that is not. Every address that a name has must pass, and exactly those are dialled:

- \`public\` addresses may always be dialled;
- private ones only when an endpoint names the host exactly, or has \`allowed_ips\` that contain them; never on the ports of
  cluster control planes (2379, 2380, 6443, 10250, 10255);
- all others never; only the operator, not a policy, can open them, and then they count as private;
- with \`allowed_ips\`, only addresses inside them, public ones included. A block that reaches into addresses that may never be dialled is
  an error when the policy is loaded.
`;

export const DIFFERENCES = `## Differences from the existing system

| Matter | There | Here |
|---|---|---|
| \`enforcement\` left out | \`audit\` | \`enforce\`, with a notice |
| \`landlock.compatibility\` left out | \`best_effort\` | \`hard_requirement\`, with a notice |
| other words for \`enforcement\`, \`compatibility\`, \`access\` | taken for a default | error |
| \`version\` other than 1 | accepted | error |
| fields that the protocol ignores, unknown HTTP methods, bad patterns, L7 fields without \`protocol\`, \`tls: skip\` with inspection | warning or ignored | error |
| \`harness\`, \`tls: terminate\`, \`tls: passthrough\` | ignored | ignored, with a notice |
| rule that says nothing (\`allow: {}\`), HTTP rule without method or path, SQL rule without command | matches nothing | error |
| \`path\` of an endpoint | \`*\` crosses \`/\`, \`/v1/**\` matches \`/v1\` | the one dialect: neither |
| \`*\` in query values, tools, GraphQL names | stops at a dot | matches anything |
| \`**\` next to other characters | stays within the segment | crosses |
| host patterns whose last two labels are not written out | only short ones refused | all refused |
| multicast, reserved, NAT64, 6to4, all metadata addresses | partly reachable | never |
| control-plane ports | refused, except for names that lead to public addresses only | refused on every private address |
| YAML anchors, aliases, tags | accepted | error |
| broad \`rest\` rule beside a narrower \`json-rpc\` or \`mcp\` endpoint | lets calls through | only the narrower protocol's rules allow |
| endpoint without \`protocol\` but with \`path\` or credentials | not inspected | read as \`rest\` with \`access: full\` |
| \`*\` for MCP methods | every method | every method that MCP defines |
| arguments of tools, JSON-RPC params, SQL tables, what servers send | cannot be matched | \`params\`, \`tables\`, \`from: server\` |
| limits of body sizes | none above | 16 MiB |
`;
