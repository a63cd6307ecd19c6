import { OpenShellError } from '@openshell/base';
import type { Middleware } from '@openshell/policy';
import { BUILT_IN_NAMES, builtInDetector, type Detector, workOf } from './detectors.ts';
import { compilePattern } from './pattern.ts';

export interface RegexConfig {
  /** `redact`: matches are replaced. `deny`: a request with a match is refused, a response with one is cut off before it. */
  readonly mode: 'redact' | 'deny';
  readonly detectors: readonly Detector[];
  readonly requests: boolean;
  readonly responses: boolean;
}

/** Bounds what a byte of a body may cost (`workOf`). */
const WORK = 4096;
const NAME = /^[a-z][a-z0-9_]{0,63}$/;
const FIELDS = ['mode', 'detectors', 'patterns', 'direction'];

/**
 * Reads the `config` of an `openshell/regex` stage. Empty: every built-in detector, matches replaced, both directions.
 * @throws OpenShellError `bad_middleware_config`
 */
export function readRegexConfig({ key, config }: Middleware): RegexConfig {
  const bad = (field: string, message: string, remedy: string): OpenShellError =>
    new OpenShellError(`network_middlewares.${key}.config.${field}: ${message}`, {
      code: 'bad_middleware_config',
      remedy,
    });
  const oneOf = <T extends string>(field: string, known: readonly T[]): T => {
    const value = config[field] ?? known[0];
    const found = known.find((one) => one === value);
    if (found === undefined)
      throw bad(field, 'is not known', `Write ${known.map((one) => `"${one}"`).join(' or ')}.`);
    return found;
  };

  const stranger = Object.keys(config).find((field) => !FIELDS.includes(field));
  if (stranger !== undefined) throw bad(stranger, 'is no field of it', `Known here: ${FIELDS.join(', ')}.`);
  const mode = oneOf('mode', ['redact', 'deny']);
  const direction = oneOf('direction', ['both', 'request', 'response']);
  const detectors = [...builtIns(config.detectors, bad), ...own(config.patterns, bad)];
  if (detectors.length === 0)
    throw bad('detectors', 'nothing is looked for', 'Name a detector, or add a pattern.');
  const work = workOf(detectors);
  if (work > WORK)
    throw bad(
      'patterns',
      `together they look at ${work} bytes from each place, more than ${WORK}`,
      'Make the counts smaller.',
    );
  return { mode, detectors, requests: direction !== 'response', responses: direction !== 'request' };
}

type Complaint = (field: string, message: string, remedy: string) => OpenShellError;

function builtIns(names: unknown, bad: Complaint): Detector[] {
  const list = names ?? BUILT_IN_NAMES;
  if (!Array.isArray(list)) throw bad('detectors', 'is not a list', 'Write a list of names.');
  return [...new Set(list)].map((name) => {
    if (!BUILT_IN_NAMES.includes(name))
      throw bad('detectors', 'holds a name that is not known', `Known are ${BUILT_IN_NAMES.join(', ')}.`);
    return builtInDetector(name);
  });
}

function own(patterns: unknown, bad: Complaint): Detector[] {
  if (patterns === undefined) return [];
  if (typeof patterns !== 'object' || patterns === null || Array.isArray(patterns))
    throw bad('patterns', 'is not a mapping', 'Write each pattern as "name: pattern".');
  return Object.entries(patterns).map(([name, source]) => {
    if (!NAME.test(name) || BUILT_IN_NAMES.includes(name))
      throw bad(
        'patterns',
        `"${name.slice(0, 64)}" is not a name for a pattern`,
        'Use lower-case letters, digits and _, and no built-in name.',
      );
    if (typeof source !== 'string')
      throw bad(`patterns.${name}`, 'is not text', 'Put the pattern in quotes.');
    try {
      return { name, sequences: compilePattern(source) };
    } catch (thrown) {
      if (!(thrown instanceof OpenShellError)) throw thrown;
      throw bad(`patterns.${name}`, thrown.message, thrown.remedy ?? '');
    }
  });
}
