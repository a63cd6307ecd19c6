/** The `openshell` program. Started by bin/openshell through bin/start.mjs, which turns on the compile cache first. */
import { processIo } from './io.ts';
import { openshell } from './openshell.ts';

// Not process.exitCode: a handle that something forgot must not keep the shell waiting after the command has ended.
process.exit(await openshell(process.argv.slice(2), processIo()));
