import { sandboxId } from '@openshell/base';
import type { Handler } from '../handlers.ts';
import { printable } from '../output/printable.ts';
import { jsonText } from './table.ts';
import { tenantSpec } from './tenant-spec.ts';
import { addressText, renderTenants } from './tenant-table.ts';
import { visit } from './visit.ts';

/** `openshell proxyctl tenants list`. */
export const listTenants: Handler = async (args, io) => {
  const { tenants } = await visit({ args, io, role: 'observer' }, (session) => session.status());
  io.out(args.has('json') ? jsonText({ tenants }) : renderTenants(tenants, io.outStyle));
  return 0;
};

/** `openshell proxyctl tenants add ID`. */
export const addTenant: Handler = async (args, io) => {
  const spec = tenantSpec(args);
  const report = await visit({ args, io, role: 'controller' }, (session) => session.registerTenant(spec));
  if (args.has('json')) io.out(jsonText(report));
  else {
    const { listening } = report;
    const where = listening.length === 0 ? '' : `, on ${listening.map(addressText).join(' and ')}`;
    io.out(`${printable(report.id)} is served${where}\n`);
    io.err(
      `openshell: it is denied everything until 'openshell proxyctl apply --tenant ${printable(report.id)}'\n`,
    );
  }
  return 0;
};

/** `openshell proxyctl tenants remove ID`. */
export const removeTenant: Handler = async (args, io) => {
  const [id = ''] = args.operands;
  await visit({ args, io, role: 'controller' }, (session) => session.removeTenant(sandboxId(id)));
  io.out(args.has('json') ? jsonText({ removed: id }) : `${printable(id)} is removed\n`);
  return 0;
};
