import { type Endpoint, endpointToFile, presetRules, ruleToFile } from '@openshell/policy';
import type { Json, JsonObject } from '@openshell/rego';

/** An endpoint with the names that files use, its ports always as a list and its preset written out as rules. */
export const endpointData = (endpoint: Endpoint): JsonObject => {
  const { port: _, ...file } = endpointToFile(endpoint) as { readonly port?: number };
  const { host, ports, enforcement, protocol, access } = endpoint;
  const preset = access && presetRules(protocol, access);
  return present({
    ...file,
    host,
    ports,
    enforcement,
    ...(preset && {
      // Presets of SQL alone speak of what a statement does, which files cannot.
      rules: preset.map((rule) => ({ allow: present({ ...ruleToFile(rule), effect: rule.effect }) })),
    }),
  });
};

type Members = Readonly<Record<string, Json | undefined>>;

/** Without the members that are absent: rules ask for what is there. */
export const present = (members: Members): JsonObject =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
