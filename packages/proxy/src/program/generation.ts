import { generation } from '@openshell/base';
import { compilePolicy } from '@openshell/policy';
import type { Generation, Generations } from '../operator/generations.ts';
import type { ProgramOptions } from './options.ts';
import { loadPolicy } from './policy-file.ts';

type Files = Pick<ProgramOptions, 'policy' | 'credentials' | 'inferenceRoutes'>;

/** Reads policy, credentials and routes anew and makes them one generation. Throws what is wrong with any of them. */
export async function readGeneration(
  files: Files,
  generations: Generations,
  number: number,
): Promise<Generation> {
  const { readCredentialFile, readRouteFile } = await import('../operator/files.ts');
  const policy = await loadPolicy(files.policy);
  return generations.make({
    policy,
    engine: compilePolicy(policy, generation(number), { identity: 'not-required' }),
    grants: {
      credentials: files.credentials === undefined ? [] : readCredentialFile(files.credentials),
      routes: files.inferenceRoutes === undefined ? [] : readRouteFile(files.inferenceRoutes),
    },
    unbound: number === 1 ? 'error' : 'notice',
  });
}
