/** Writes docs/cli.md from the commands' descriptions. */
import { writeFileSync } from 'node:fs';
import { commandSpecs } from '../command/table.ts';
import { renderCliDocs } from './render-cli-docs.ts';

writeFileSync(new URL('../../../../docs/cli.md', import.meta.url), renderCliDocs(await commandSpecs()));
