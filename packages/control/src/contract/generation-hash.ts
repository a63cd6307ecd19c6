import { hash } from 'node:crypto';
import type { PartHashes } from './generation.ts';

/** Of a part's text: lower-case hex SHA-256. */
export const textHash = (text: string): string => hash('sha256', text, 'hex');

/** Of a whole generation. Both sides compute it alike, so that a controller knows what it would push without pushing it. */
export const generationHash = ({
  policy,
  credentials = '',
  routes = '',
  secretsRevision = '',
}: PartHashes): string =>
  hash('sha256', JSON.stringify([policy, credentials, routes, secretsRevision]), 'hex');
