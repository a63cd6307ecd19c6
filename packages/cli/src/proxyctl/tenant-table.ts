import type { TenantReport } from '@openshell/control';
import type { Style } from '../output/style.ts';
import { renderTable, timeText } from './table.ts';

const HEAD = ['TENANT', 'GENERATION', 'SINCE', 'LISTENS ON', 'OPEN', 'ALLOWED', 'DENIED', 'SHED', 'HASH'];
/** Enough to tell generations apart by eye; JSON has the whole. */
const HASH_SHOWN = 12;

/** A row a tenant. What is allowed and denied are connections and requests together. */
export const renderTenants = (tenants: readonly TenantReport[], style: Style): string =>
  tenants.length === 0 ? 'no tenants: everything is denied\n' : renderTable(HEAD, tenants.map(row), style);

const row = ({ id, installed, listening, connections, counters }: TenantReport): readonly string[] => [
  id,
  installed === undefined ? 'none' : String(installed.generation),
  installed === undefined ? '-' : timeText(installed.installedAt),
  listening.map(addressText).join(' ') || '-',
  String(connections),
  String(counters.connectionsAllowed + counters.requestsAllowed),
  String(counters.connectionsDenied + counters.requestsDenied),
  String(counters.shed),
  installed?.hash.slice(0, HASH_SHOWN) ?? '-',
];

export const addressText = ({ host, port }: TenantReport['listening'][number]): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;
