import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The modules in the folder `rego`. */
export type ShippedName = 'policy.rego' | 'requests.rego' | 'sandbox.rego';

/** The text of a module that we ship. Found by the package's name and not by this file's place: that works from a bundle too. */
export const shippedText = (name: ShippedName): string =>
  readFileSync(fileURLToPath(import.meta.resolve(`@openshell/proxy/rego/${name}`)), 'utf8');
