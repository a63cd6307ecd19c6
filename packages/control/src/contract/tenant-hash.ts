import { hash } from 'node:crypto';
import type { Recognition, TenantSpec } from './tenant.ts';

/** Of what a tenant is registered with, in whichever order its recognitions stand. Both sides compute it alike. */
export function tenantHash({ id, recognitions, identity, limits = {} }: TenantSpec): string {
  const { connections = 0, heldBytes = 0, eventsPerSecond = 0 } = limits;
  const by = recognitions.map(textOf).sort();
  return hash('sha256', JSON.stringify([id, by, identity, connections, heldBytes, eventsPerSecond]), 'hex');
}

const textOf = (recognition: Recognition): string => {
  switch (recognition.kind) {
    case 'listener':
      return JSON.stringify(['listener', recognition.host, recognition.port]);
    case 'credentials':
      return JSON.stringify(['credentials', recognition.username, recognition.passwordSha256]);
    case 'source':
      return JSON.stringify(['source', recognition.network]);
    case 'certificate':
      return JSON.stringify(['certificate', recognition.name]);
  }
};
