import type { CommandSpec } from '../command.ts';

export const run = {
  name: 'run',
  summary: 'Run a command in a sandbox',
  description: [
    'Runs COMMAND in a sandbox of its own, without a daemon: what it may reach, read and write is what the policy allows, and nothing else. Standard input, output, error and the terminal behave as if there were no sandbox.',
    'Without --policy there is no network at all, the directories of the system can be read, and the working directory and /tmp can be written.',
    'Each refusal is one line on standard error (who, where to, why, what to change), the same one not more than once in a while.',
    'Everything from the first word that is not an option belongs to COMMAND. A -- before it makes that plain.',
    'Where the policy looks into requests, or a credential or an inference route is given, TLS is opened by a proxy outside of the sandbox. Programs are told through the usual variables (SSL_CERT_FILE, NODE_EXTRA_CA_CERTS and others) to trust its certificates; for any other program they are in /run/openshell/tls: openshell-ca.pem, and ca-bundle.pem with the usual ones.',
    'A credential (--credential, --credentials) never enters the sandbox: its variable holds a placeholder there, and the proxy puts the value into requests to the endpoints that it is bound to, and takes it out of what comes back.',
    'What only the operator of a machine may say can stand in openshell/config.toml under $XDG_CONFIG_HOME or ~/.config too, where it holds for every run. Its keys are the names of the options with underscores: lists of texts for resolve, upstream_ca, client_certificate, middleware and credential; one text for credentials, inference_routes, upstream_proxy, upstream_proxy_auth, upstream_no_proxy and runtime. The command line comes before the file.',
  ],
  operands: { kind: 'program' },
  options: [
    {
      name: 'policy',
      value: { placeholder: 'FILE', kind: 'file' },
      summary: 'what the command may do',
      details: 'The policy (YAML; see docs/policy.md). Default: no network, the default files.',
    },
    {
      name: 'learn',
      value: { placeholder: 'FILE', kind: 'file' },
      summary: 'allow what is asked for, and write a policy for it',
      details:
        'For a first run: lets COMMAND through to whatever merely nothing allows, reads its requests, and writes a policy that allows exactly that to FILE, which has what --policy says, too. If FILE exists it is the policy of the run, and is added to. Deny rules keep their word, private and protected addresses stay closed, and no credential goes where no policy leads. Not with rules.',
    },
    {
      name: 'policy-rules',
      value: { placeholder: 'PATH', kind: 'file' },
      repeat: true,
      summary: 'Rego rules that decide about connections',
      details:
        'A Rego file, a directory of them (files ending in _test.rego are left out) or an OPA bundle (.tar.gz), whose rules decide about connections and requests in the place of the built-in evaluator; see docs/rego.md. They see the policy as data. Can be repeated.',
    },
    {
      name: 'policy-data',
      value: { placeholder: 'FILE', kind: 'file' },
      summary: 'data of the rules',
      details:
        'A policy (a YAML file with a version), in the place of --policy; or any other YAML or JSON, which rules find in data beside the policy.',
    },
    {
      name: 'policy-engine',
      value: { placeholder: 'ENGINE', kind: ['builtin', 'rego', 'opa', 'wasm'] },
      summary: 'who decides about connections',
      details:
        'builtin: the policy file, as it stands. rego: rules in this process; without --policy-rules our own, which decide as the policy file says. opa: an OPA server. wasm: a program that OPA compiled. Default: what the other options ask for, else builtin. Where rules cannot answer, the connection is refused.',
    },
    {
      name: 'opa-url',
      value: { placeholder: 'URL', kind: 'text' },
      summary: 'an OPA server that decides',
      details:
        'Asks the OPA server at this address (http or https, any address of this machine included) about each connection, and each request that is looked into: POST URL/v1/data/openshell/sandbox/egress_authorization, and request_authorization.',
    },
    {
      name: 'policy-wasm',
      value: { placeholder: 'FILE', kind: 'file' },
      summary: 'a compiled policy that decides',
      details:
        'A policy.wasm, or a bundle with one, from opa build -t wasm -e openshell/sandbox/egress_authorization (and -e openshell/sandbox/request_authorization, without which no connection can be looked into). It cannot be interrupted: give only what you trust to end.',
    },
    {
      name: 'workdir',
      value: { placeholder: 'DIR', kind: 'directory' },
      summary: 'where the command starts, and may write',
      details: 'The directory that the command starts in. Default: the current directory.',
    },
    {
      name: 'env',
      value: { placeholder: 'NAME[=VALUE]', kind: 'variable' },
      repeat: true,
      summary: 'a variable for the command',
      details:
        'Sets a variable for the command. NAME alone takes the value that it has here. Can be repeated.',
    },
    {
      name: 'timeout',
      value: { placeholder: 'SECONDS', kind: 'text' },
      summary: 'how long the command may run',
      details:
        'Ends the command after this many seconds (fractions allowed), with exit code 124. Default: no limit.',
    },
    {
      name: 'events',
      value: { placeholder: 'FILE|-', kind: 'file' },
      summary: 'where security events go',
      details:
        'Appends the security events (OCSF 1.8, one JSON object a line) to FILE; - is standard output. Default: none.',
    },
    {
      name: 'runtime',
      value: { placeholder: 'KIND', kind: ['process'] },
      summary: 'the kind of isolation',
      details:
        'The boundary around the command. process: namespaces, Landlock and seccomp of this kernel; the only kind that is built. Default: $OPENSHELL_RUNTIME, else the configuration file, else process.',
    },
    {
      name: 'resolve',
      value: { placeholder: 'NAME[:PORT]=ADDRESS[:PORT]', kind: 'text' },
      repeat: true,
      summary: 'where a name lives',
      details:
        'The operator says that NAME lives at ADDRESS, loopback and private addresses included; with ports, only for the one and at the other. IPv6 addresses stand in brackets. It makes nothing allowed that the policy does not allow. Can be repeated; a rule with a port comes before one without.',
    },
    {
      name: 'upstream-ca',
      value: { placeholder: 'FILE', kind: 'file' },
      repeat: true,
      summary: 'a further certificate authority for upstream servers',
      details:
        'PEM file of certificate authorities that upstream servers may be signed by, besides the usual ones. Programs in the sandbox trust them too, for connections that the proxy passes on unopened. Can be repeated.',
    },
    {
      name: 'client-certificate',
      value: { placeholder: 'HOST=CERT,KEY', kind: 'text' },
      repeat: true,
      summary: 'a certificate for servers that ask for one',
      details:
        'Shows the certificate in the PEM file CERT, whose key is in the file KEY, to upstream servers that match HOST (a name, or a pattern as in a policy) where the proxy opens TLS. The command sees neither. Can be repeated; the first that matches counts.',
    },
    {
      name: 'upstream-proxy',
      value: { placeholder: 'URL', kind: 'text' },
      summary: 'the proxy that connections go out through',
      details:
        "The address (http://HOST:PORT) of this network's own proxy, which connections and requests go out through (CONNECT), after everything was checked here.",
    },
    {
      name: 'upstream-proxy-auth',
      value: { placeholder: 'FILE', kind: 'file' },
      summary: 'who we are to that proxy',
      details: 'File with user:password for --upstream-proxy (Basic authentication).',
    },
    {
      name: 'upstream-no-proxy',
      value: { placeholder: 'LIST', kind: 'text' },
      summary: 'what goes out without that proxy',
      details:
        'Names, .suffixes, addresses and blocks, separated by commas, that are reached directly although there is an --upstream-proxy: as in NO_PROXY.',
    },
    {
      name: 'middleware',
      value: { placeholder: 'NAME=URL', kind: 'text' },
      repeat: true,
      summary: 'a service that requests pass through',
      details:
        "A gRPC service (http://HOST:PORT, https://HOST:PORT or unix:/PATH) that the policy's network_middlewares may name. Can be repeated.",
    },
    {
      name: 'credential',
      value: { placeholder: 'NAME[@HOST[:PORT][/PATH]]...[=SOURCE]', kind: 'variable' },
      repeat: true,
      summary: 'a credential that the command uses and never sees',
      details:
        "The command's variable NAME holds a placeholder; in requests to HOST (port 443 where none is written; PATH is a pattern) the proxy puts the value in its place. Without a HOST it goes where the policy's credential_binding says. SOURCE is env:VARIABLE, file:PATH or command:PROGRAM ARGUMENTS; without one the value is that of NAME here. A value itself is not accepted on a command line. Can be repeated.",
    },
    {
      name: 'credentials',
      value: { placeholder: 'FILE', kind: 'file' },
      summary: 'credentials described in a file',
      details:
        'A file of credentials (YAML; see docs/credentials.md), which also describes OAuth2 grants. It says where values are and holds none.',
    },
    {
      name: 'inference-routes',
      value: { placeholder: 'FILE', kind: 'file' },
      summary: 'the backends of inference.local',
      details:
        'A file of routes (YAML; see docs/inference.md) from names of models to backends. The command calls https://inference.local without a key; no policy has to allow it.',
    },
    {
      name: 'quiet',
      short: 'q',
      summary: 'no refusals on standard error',
      details: 'Keeps refusals off standard error. They are in --events all the same.',
    },
  ],
  examples: [
    {
      line: 'openshell run -- sh -c "id; touch /usr/x"',
      explains: 'no network, and nothing outside of this directory and /tmp can be written',
    },
    {
      line: 'openshell run --policy npm.yaml -- npm install',
      explains: 'what npm may reach is what npm.yaml says',
    },
    {
      line: 'openshell run --learn npm.yaml -- npm install',
      explains: 'a first run, which writes what npm.yaml has to say',
    },
    {
      line: 'openshell run --policy npm.yaml --policy-rules rules.rego -- npm install',
      explains: 'rules say what the file cannot',
    },
    {
      line: 'openshell run --policy api.yaml --resolve api.test:443=127.0.0.1:8443 --upstream-ca ca.pem -- curl https://api.test/',
      explains: 'a service of this machine under a name',
    },
    {
      line: 'openshell run --policy github.yaml --credential GITHUB_TOKEN@api.github.com -- gh api user',
      explains: 'the token of this shell, which gh uses and never sees',
    },
    {
      line: 'openshell run --policy api.yaml --credential "KEY@api.test=file:key.txt" -- ./client',
      explains: 'the same from a file',
    },
    {
      line: 'openshell run --inference-routes routes.yaml -- curl https://inference.local/v1/models',
      explains: 'models of backends that the command has no key for',
    },
    {
      line: 'openshell run --env CI=1 --env LANG --timeout 600 --events events.jsonl -- make',
      explains: 'variables, a limit and a record',
    },
  ],
  exitCodes: [
    { code: '0 to 255', meaning: "the command's own" },
    { code: '124', meaning: 'the time was over' },
    {
      code: '125',
      meaning:
        'OpenShell could not start the command: a mistake in the command line, the policy or the machine',
    },
    { code: '126', meaning: 'the command cannot be executed' },
    { code: '127', meaning: 'the command was not found' },
    { code: '128+N', meaning: 'signal N ended the command' },
  ],
  failure: 125,
} as const satisfies CommandSpec;
