import type { CommandSpec } from '../command.ts';
import { connection, failed, json, patience, takeOver, tenant } from './proxyctl-options.ts';

export const proxyctlStatus = {
  name: 'proxyctl status',
  summary: 'Show how a proxy is, its tenants and its workers',
  description: [
    'Asks a running openshell-proxy what it is doing: whether every tenant has a generation in force (ready) or one of them is denied everything (denying), who controls it, what each tenant has open, allowed and denied since the start, and what its processes use.',
    'Changes nothing, and works beside whoever controls the proxy.',
  ],
  operands: { kind: 'none' },
  options: [...connection, patience, json],
  examples: [
    {
      line: 'openshell proxyctl status --control unix:/run/openshell-proxy/control',
      explains: 'a proxy on this machine',
    },
    {
      line: 'openshell proxyctl status --control proxy.example:4443 --control-ca ca.pem --control-cert me.pem --control-key me.key',
      explains: 'a proxy elsewhere, which wants to see a certificate',
    },
    {
      line: 'export OPENSHELL_PROXY_CONTROL=unix:/run/openshell-proxy/control; openshell proxyctl status --json',
      explains: 'said once for all commands; for a program',
    },
  ],
  exitCodes: [{ code: '0', meaning: 'the proxy has answered, whatever its state' }, failed],
  failure: 2,
  json: `{
  "instance": "…",              // random, new with each start of the proxy
  "version": "0.1.0",
  "state": "ready",             // "denying": some tenant, or there is none, has no generation; "draining"
  "denyAll": false,             // denying everything was asked for
  "startedAt": 1760000000000,   // milliseconds since 1970, as all times
  "controller": { "name": "files", "since": 1760000000000 },  // absent: nobody
  "tenants": [
    {
      "id": "team-a",
      "specHash": "…",          // of what it was registered with
      "installed": {            // absent: nothing was applied yet, and everything is denied
        "tenant": "team-a", "generation": 3,
        "hash": "…",            // of all parts together: for apply --expect
        "parts": { "policy": "…", "credentials": "…", "routes": "…", "secretsRevision": "…" },
        "policyHash": "…", "installedAt": 1760000000000
      },
      "listening": [{ "host": "127.0.0.1", "port": 3129 }],   // for itself
      "connections": 0, "handshakes": 0, "heldBytes": 0,      // at this moment
      "counters": {             // since the start
        "accepted": 0, "shed": 0, "connectionsAllowed": 0, "connectionsDenied": 0,
        "requestsAllowed": 0, "requestsDenied": 0, "upstreamFailures": 0,
        "bytesIn": 0, "bytesOut": 0, "events": 0, "eventsLost": 0
      }
    }
  ],
  "workers": [
    {
      "index": 0, "pid": 123, "restarts": 0, "connections": 0, "residentBytes": 90000000,
      "cpuSeconds": 1.5, "eventLoopLagMs": 0.3, "openFiles": 25
    }
  ],
  "authorityNotAfter": 1790000000000,  // absent: no authority was needed yet
  "lastEvent": 17                      // the number of the newest event
}`,
} as const satisfies CommandSpec;

export const proxyctlExplain = {
  name: 'proxyctl explain',
  summary: 'Ask a proxy what it would do with a connection or request',
  description: [
    'Says what would become of a connection of a tenant to HOST and PORT by what is in force there at this moment, and with --path of one HTTP request on it. Nothing is connected and no name is looked up.',
    "To ask a policy in a file, see 'openshell policy explain'.",
  ],
  operands: { kind: 'none' },
  options: [
    {
      name: 'host',
      value: { placeholder: 'HOST', kind: 'text' },
      required: true,
      summary: 'name or address of the destination',
      details: 'Where the connection goes: a name, or an address (IPv6 without brackets).',
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
      repeat: true,
      summary: 'executable of the program that connects',
      details:
        'Absolute path of the executable of the program that connects; given again, of its parent, and so on. Default: nobody knows, as where a proxy has no sandbox beside it.',
    },
    {
      name: 'path',
      value: { placeholder: 'PATH', kind: 'text' },
      summary: 'path of a request',
      details: 'Asks about a request to this path too, with its query where it has one.',
    },
    {
      name: 'method',
      value: { placeholder: 'METHOD', kind: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] },
      summary: 'method of that request',
      details: 'The method of the request. Default: GET.',
    },
    tenant,
    ...connection,
    patience,
    json,
  ],
  examples: [
    {
      line: 'openshell proxyctl explain --host api.github.com --port 443',
      explains: 'may the tenant connect there?',
    },
    {
      line: 'openshell proxyctl explain --tenant team-a --host api.github.com --port 443 --method POST --path /user/repos',
      explains: 'may team-a create a repository?',
    },
  ],
  exitCodes: [{ code: '0', meaning: 'allowed' }, { code: '1', meaning: 'denied' }, failed],
  failure: 2,
  json: `{
  "tenant": "team-a",
  "allowed": false,
  "generation": 3,              // 0: nothing is installed
  "reason": "…",                // for a person
  "remedy": "…",                // what would allow it; denied only
  "code": "host_not_allowed",   // stable; denied only
  "policy": "github",           // the policy that decided, where there is one
  "inspected": false            // whether requests on the connection are looked into
}`,
} as const satisfies CommandSpec;

export const proxyctlDrain = {
  name: 'proxyctl drain',
  summary: 'Let a proxy finish what it is doing and take nothing new',
  description: [
    'The proxy takes no new connections from now on, and says on /readyz that it is not ready. The command waits until the last open connection has ended; those that are still open when the time is up are ended by the proxy.',
    'There is no way back: what follows is that the proxy is stopped.',
  ],
  operands: { kind: 'none' },
  options: [
    {
      name: 'timeout',
      value: { placeholder: 'SECONDS', kind: 'text' },
      summary: 'how long open connections may go on',
      details: 'How long open connections may go on, up to 86400. Default: 30.',
    },
    ...connection,
    takeOver,
    json,
  ],
  examples: [
    {
      line: 'openshell proxyctl drain --timeout 120 --take-over && systemctl stop openshell-proxy',
      explains: 'stop a proxy that follows files, without breaking downloads of up to two minutes',
    },
  ],
  exitCodes: [{ code: '0', meaning: 'no connection is left' }, failed],
  failure: 2,
  json: '{ "drained": true }',
} as const satisfies CommandSpec;
