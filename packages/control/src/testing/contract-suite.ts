import { describe } from 'node:test';
import type { MakeSubject } from './contract-subject.ts';
import { eventsContract } from './events-contract.ts';
import { generationsContract } from './generations-contract.ts';
import { hostileContract } from './hostile-contract.ts';
import { sessionsContract } from './sessions-contract.ts';
import { stateContract } from './state-contract.ts';
import { tenantsContract } from './tenants-contract.ts';

/** What every form of `ProxyControl` keeps. `make` gives each test a proxy of its own. */
export function controlContract(form: string, make: MakeSubject): void {
  describe(`ProxyControl, ${form}`, () => {
    sessionsContract(make);
    tenantsContract(make);
    generationsContract(make);
    eventsContract(make);
    stateContract(make);
    hostileContract(make);
  });
}
