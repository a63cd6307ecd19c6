import manifest from '../../package.json' with { type: 'json' };

/** Of this program, and of all of OpenShell. */
export const VERSION = manifest.version;
