/** What steers a proxy from outside; loaded only where somebody does. */
export const loadProxyHost = async () => (await import('./proxy-host.ts')).ProxyHost;
