import { controlContract } from './contract-suite.ts';
import { FakeProxy } from './fake-proxy.ts';

controlContract('in process, in memory', async () => new FakeProxy());
