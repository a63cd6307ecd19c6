import type { CommandSpec } from '../command.ts';
import { connection, failed, json, patience, takeOver } from './proxyctl-options.ts';

const id = { kind: 'words', value: { placeholder: 'ID', kind: 'text' }, minimum: 1, maximum: 1 } as const;

export const tenantsList = {
  name: 'proxyctl tenants list',
  summary: 'List the tenants of a proxy',
  description: [
    'Lists each tenant with the generation that is in force, where it listens for itself, what it has open at this moment, and what was allowed and denied since the start.',
  ],
  operands: { kind: 'none' },
  options: [...connection, patience, json],
  examples: [{ line: 'openshell proxyctl tenants list', explains: 'who is served' }],
  exitCodes: [{ code: '0', meaning: 'the proxy has answered; there may be none' }, failed],
  failure: 2,
  json: '{ "tenants": [] }        // each as in proxyctl status',
} as const satisfies CommandSpec;

export const tenantsAdd = {
  name: 'proxyctl tenants add',
  summary: 'Register a tenant of a proxy, and how it is recognised',
  description: [
    'Tells a proxy that connections which are recognised in one of the ways given belong to the tenant ID, which is denied everything until something is applied for it. At least one way is needed.',
    'A tenant that exists is not changed: remove it first, which ends its connections.',
  ],
  operands: id,
  options: [
    {
      name: 'listen',
      value: { placeholder: 'ADDRESS:PORT', kind: 'text' },
      repeat: true,
      summary: 'address that the tenant has for itself',
      details:
        'The proxy listens there for this tenant alone. Port 0 takes a free one, which is printed. Can be repeated.',
    },
    {
      name: 'user',
      value: { placeholder: 'NAME', kind: 'text' },
      repeat: true,
      summary: 'user name that it gives to the proxy',
      details:
        'The tenant names itself by this user name (Proxy-Authorization, SOCKS5) at an address that tenants share. Each needs a --password-file. Can be repeated.',
    },
    {
      name: 'password-file',
      value: { placeholder: 'FILE', kind: 'file' },
      repeat: true,
      summary: 'file with the password of that user',
      details:
        'The file with the password of the --user at the same place in the order. It must be random: the proxy is told and keeps its SHA-256 only. Can be repeated.',
    },
    {
      name: 'source',
      value: { placeholder: 'CIDR', kind: 'text' },
      repeat: true,
      summary: 'addresses that it comes from',
      details:
        'Its connections come from these addresses, to an address that tenants share. You vouch that nobody else can send from them. Can be repeated.',
    },
    {
      name: 'certificate',
      value: { placeholder: 'NAME', kind: 'text' },
      repeat: true,
      summary: 'name in the certificate of its node',
      details:
        'Its connections come over the link, from the node whose certificate has this URI or DNS name. Can be repeated.',
    },
    {
      name: 'identity',
      value: { placeholder: 'none', kind: ['none'] },
      summary: 'do not tell programs apart',
      details:
        'Programs of this tenant are not told apart: what its policy allows to some may be used by any. Without it, what a policy allows to named programs needs the link, which alone says what connects.',
    },
    {
      name: 'max-connections',
      value: { placeholder: 'N', kind: 'text' },
      summary: 'connections at one time',
      details: 'How many connections it may have at one time. Default: as in docs/limits.md.',
    },
    {
      name: 'max-held-bytes',
      value: { placeholder: 'N', kind: 'text' },
      summary: 'bytes held in memory at one time',
      details:
        'How many bytes of its bodies and messages the proxy holds in memory at one time. Default: as in docs/limits.md.',
    },
    {
      name: 'max-events-per-second',
      value: { placeholder: 'N', kind: 'text' },
      summary: 'events that are passed on a second',
      details:
        'How many of its events are passed on in a second; others are counted. Default: as in docs/limits.md.',
    },
    ...connection,
    patience,
    takeOver,
    json,
  ],
  examples: [
    {
      line: 'openshell proxyctl tenants add team-a --listen 127.0.0.1:3129 --identity none',
      explains: 'by a port of its own',
    },
    {
      line: 'openshell proxyctl tenants add team-b --user team-b --password-file team-b.password --source 10.1.0.0/16',
      explains: 'by a password or by where it comes from, at the --listen of the proxy',
    },
  ],
  exitCodes: [{ code: '0', meaning: 'it is registered' }, failed],
  failure: 2,
  json: '{ "id": "team-a", "listening": [] }   // and the rest of a tenant, as in proxyctl status',
} as const satisfies CommandSpec;

export const tenantsRemove = {
  name: 'proxyctl tenants remove',
  summary: 'Remove a tenant from a proxy, and end its connections',
  description: ['Closes the listeners and the connections of the tenant ID, and forgets all about it.'],
  operands: id,
  options: [...connection, patience, takeOver, json],
  examples: [{ line: 'openshell proxyctl tenants remove team-a', explains: 'team-a is served no longer' }],
  exitCodes: [{ code: '0', meaning: 'it is removed' }, failed],
  failure: 2,
  json: '{ "removed": "team-a" }',
} as const satisfies CommandSpec;
