export { type Identity, TestAuthority } from '../serve/test-certificates.ts';
export {
  A,
  B,
  beginning,
  type ContractSubject,
  CREDENTIALS,
  connect,
  eventsNow,
  FULL,
  install,
  isDenial,
  policyFor,
  refused,
  spec,
} from './contract-subject.ts';
export { controlContract } from './contract-suite.ts';
export { FakeProxy, type FakeProxyOptions } from './fake-proxy.ts';
export { FakeTenant } from './fake-tenant.ts';
