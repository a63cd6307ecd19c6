export { type CommandName, commandNames } from './command/table.ts';
export { type Io, processIo } from './io.ts';
export { openshell } from './openshell.ts';
export { openshellVersion } from './version.ts';
