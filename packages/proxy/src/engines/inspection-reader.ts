import {
  compileGlob,
  type Endpoint,
  type EndpointRef,
  type Glob,
  globMatches,
  type Inspection,
  type Intent,
  isInspected,
  type Middleware,
  type Problem,
  parsePolicy,
  pathWeight,
  type Treatment,
} from '@openshell/policy';
import { isArray, type JsonObject, type RegoObject, toJson } from '@openshell/rego';
import { LIMITS } from '../limits.ts';
import { Malformed, objectsIn, readMatch, textIn } from './answer-fields.ts';

/**
 * Reads out of an answer how a connection is looked into. Endpoints of answers are read as a policy file is: what a file could not say
 * makes the answer one that is not understood.
 */
export class InspectionReader {
  readonly #middlewares: ReadonlyMap<string, Middleware>;
  /** By the element of the answer, which rules in this process give again and again; `undefined`: not inspected. */
  readonly #known = new WeakMap<RegoObject, Treatment | undefined>();
  /** By its text, for answers that come from elsewhere. */
  readonly #byText = new Map<string, Endpoint>();

  /** `middlewares`: of the policy. */
  constructor(middlewares: readonly Middleware[]) {
    this.#middlewares = new Map(middlewares.map((each) => [each.key, each]));
  }

  /**
   * Undefined: the connection is not looked into.
   * @throws Malformed
   */
  read(answer: RegoObject, intent: Intent): Inspection | undefined {
    const treatments = this.#treatments(answer, intent);
    const middlewares = this.#middlewaresIn(answer);
    if (treatments.length === 0 && middlewares.length === 0) return undefined;
    return { treatments, middlewares };
  }

  /** The endpoints that matched, in the order of rank; of rules that know no policy, the endpoints that they wrote themselves. */
  #treatments(answer: RegoObject, intent: Intent): readonly Treatment[] {
    const matches = objectsIn(answer, 'matched_endpoints');
    const policy = textIn(answer, 'matched_policy') || 'rules';
    const all =
      matches.length > 0
        ? matches.map((match) => this.#ofMatch(match))
        : objectsIn(answer, 'endpoint_configs').map((config, index) =>
            this.#ofConfig(config, { policy, index, host: intent.host }, intent),
          );
    const treatments = all.filter((treatment) => treatment !== undefined);
    // Sorting is stable, so the order of rank holds among paths of one weight.
    return treatments.length < 2
      ? treatments
      : treatments.sort((a, b) => pathWeight(b.endpoint.path) - pathWeight(a.endpoint.path));
  }

  #ofMatch(match: RegoObject): Treatment | undefined {
    if (this.#known.has(match)) return this.#known.get(match);
    const { ref, policy, endpoint: config } = readMatch(match);
    const endpoint = this.#inspected(config, {});
    const treatment = endpoint && new AnsweredTreatment(ref, policy || ref.policy, endpoint);
    this.#known.set(match, treatment);
    return treatment;
  }

  #ofConfig(config: RegoObject, ref: EndpointRef, { host, port }: Intent): Treatment | undefined {
    const endpoint = this.#inspected(config, { host, ports: [port] });
    return endpoint && new AnsweredTreatment(ref, ref.policy, endpoint);
  }

  /** The endpoint, where its requests are looked into. */
  #inspected(config: RegoObject, defaults: JsonObject): Endpoint | undefined {
    if (!ASKS_FOR_INSPECTION.some((field) => config.getString(field) !== undefined)) return undefined;
    const endpoint = this.#read(fileForm({ ...defaults, ...(toJson(config) as JsonObject) }));
    return isInspected(endpoint.protocol) ? endpoint : undefined;
  }

  /** By their keys: what a stage does is the policy's to say. */
  #middlewaresIn(answer: RegoObject): readonly Middleware[] {
    const keys = answer.getString('network_middlewares');
    if (keys === undefined) return [];
    if (!isArray(keys)) throw new Malformed('network_middlewares is no array');
    return keys.map((key) => {
      const middleware = typeof key === 'string' ? this.#middlewares.get(key) : undefined;
      if (middleware) return middleware;
      throw new Malformed('network_middlewares has something else than keys of middlewares of the policy');
    });
  }

  #read(endpoint: JsonObject): Endpoint {
    const text = JSON.stringify({ version: 1, network_policies: { rules: { endpoints: [endpoint] } } });
    const known = this.#byText.get(text);
    if (known) return known;
    const result = parsePolicy(text);
    if (!result.ok) throw new Malformed(describe(result.problems));
    const read = result.policy.networkPolicies[0]!.endpoints[0]!;
    if (this.#byText.size >= LIMITS.answeredEndpoints.value) this.#byText.clear();
    this.#byText.set(text, read);
    return read;
  }
}

/** The fields of which one at least is there when an endpoint is inspected: `isInspected` of the endpoint as read is what counts. */
const ASKS_FOR_INSPECTION = ['protocol', 'path', 'credential_signing', 'credential_binding'] as const;

/** Data has presets written out beside their names, and hosts that are empty; files have neither. */
const fileForm = ({ host, rules, ...rest }: JsonObject): JsonObject => ({
  ...rest,
  ...(host === '' ? {} : { host }),
  ...(rest.access === undefined ? { rules } : {}),
});

const describe = (problems: readonly Problem[]): string =>
  problems.map(({ path, message }) => `${path}: ${message}`).join(' ');

class AnsweredTreatment implements Treatment {
  readonly ref: EndpointRef;
  readonly policy: string;
  readonly endpoint: Endpoint;
  readonly #path: Glob | undefined;

  constructor(ref: EndpointRef, policy: string, endpoint: Endpoint) {
    this.ref = ref;
    this.policy = policy;
    this.endpoint = endpoint;
    this.#path = endpoint.path === '' ? undefined : compileGlob(endpoint.path, '/');
  }

  matches(path: string): boolean {
    return this.#path === undefined || globMatches(this.#path, path);
  }
}
