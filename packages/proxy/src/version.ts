import manifest from '../package.json' with { type: 'json' };

/** The version of this package, which is that of all of OpenShell. */
export const PROXY_VERSION: string = manifest.version;
