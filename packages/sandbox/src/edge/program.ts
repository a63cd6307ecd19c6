/** `openshell-sandbox --proxy`: a sandbox of this node whose proxy is on another. Started by bin/openshell-sandbox. */
import { writeSync } from 'node:fs';
import { messageOf, OpenShellError } from '@openshell/base';
import { EXIT_FAILED } from '../exit-code.ts';
import { parseEdgeOptions } from './options.ts';
import { runAtEdge } from './run.ts';
import { USAGE } from './usage.ts';

const main = async (words: readonly string[]): Promise<number> => {
  try {
    const options = parseEdgeOptions(words, process.env);
    if (options !== undefined) return await runAtEdge(options);
    writeSync(1, USAGE);
    return 0;
  } catch (thrown) {
    const remedy = thrown instanceof OpenShellError && thrown.remedy ? `\n  ${thrown.remedy}` : '';
    writeSync(2, `openshell: ${messageOf(thrown)}${remedy}\n`);
    return EXIT_FAILED;
  }
};

// Node.js would answer SIGUSR1 with a debugger on the loopback. In an image this is the first file that runs, and waiting for the proxy may take long.
process.on('SIGUSR1', () => {});

// Not process.exitCode: a handle that something forgot must not keep the shell waiting after the command has ended.
process.exit(await main(process.argv.slice(2)));
