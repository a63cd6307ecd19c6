export { type Admission, ControlEndpoint } from './endpoint.ts';
export { ProxyConnection } from './proxy-connection.ts';
export { openRemoteSession } from './remote-session.ts';
export { controlService } from './service.ts';
