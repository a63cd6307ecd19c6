import { OpenShellError } from '@openshell/base';
import { formatFinding } from '@openshell/policy';
import type { CredentialSpec } from '../credentials/spec.ts';
import { parseCredentialFile } from '../credentials/spec-file.ts';
import { parseRoutes } from '../inference/route-file.ts';
import type { InferenceRoute } from '../inference/routes.ts';
import { readOperatorFile } from './read-file.ts';

/** Throws `operator_file_unreadable` or `credentials_invalid`. */
export const readCredentialFile = (path: string): readonly CredentialSpec[] =>
  parseCredentialFile(readOperatorFile(path, 'the credentials'), path);

/** Throws `operator_file_unreadable` or `inference_routes_invalid`. */
export function readRouteFile(path: string): readonly InferenceRoute[] {
  const result = parseRoutes(readOperatorFile(path, 'the inference routes'), path);
  if (result.ok) return result.routes;
  throw new OpenShellError(result.problems.map(formatFinding).join('\n'), {
    code: 'inference_routes_invalid',
    remedy: 'Correct the file where the lines above say.',
  });
}
