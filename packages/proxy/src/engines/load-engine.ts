import type { Generation } from '@openshell/base';
import {
  type CompileOptions,
  compilePolicy,
  type Middleware,
  type Policy,
  type PolicyEngine,
} from '@openshell/policy';
import type { JsonObject, RegoObject, RegoVersion } from '@openshell/rego';

/** Who decides, and everything that it needs for it. */
export type EngineSpec =
  | { readonly kind: 'builtin'; readonly policy: Policy; readonly options?: CompileOptions }
  | {
      readonly kind: 'rego';
      /** Texts by file name. None: our own module, which answers as the policy in the data says. */
      readonly modules: Readonly<Record<string, string>>;
      readonly version?: RegoVersion;
      readonly data: JsonObject | RegoObject;
      /** Of the policy: what answers can name. */
      readonly middlewares?: readonly Middleware[];
    }
  /** A running OPA, asked over its REST API. */
  | { readonly kind: 'opa'; readonly url: string; readonly middlewares?: readonly Middleware[] }
  /** Rules that OPA compiled to WebAssembly. */
  | {
      readonly kind: 'wasm';
      readonly program: Uint8Array<ArrayBuffer>;
      /** For messages. */
      readonly origin: string;
      readonly data: JsonObject;
      readonly middlewares?: readonly Middleware[];
    };

/**
 * Makes the engine. What only one kind needs is loaded for that kind: who brings no rules pays for no Rego.
 * @throws OpenShellError `rules_invalid`, `bad_opa_url`, `wasm_invalid` or what compiling a policy throws
 */
export const loadEngine = async (spec: EngineSpec, generation: Generation): Promise<PolicyEngine> => {
  switch (spec.kind) {
    case 'builtin':
      return compilePolicy(spec.policy, generation, spec.options);
    case 'rego': {
      const { RegoEngine } = await import('./rego-engine.ts');
      return new RegoEngine({ ...spec, generation });
    }
    case 'opa': {
      const { OpaEngine } = await import('./opa-engine.ts');
      return new OpaEngine({ ...spec, generation });
    }
    case 'wasm': {
      const { loadWasmEngine } = await import('./wasm-engine.ts');
      return loadWasmEngine({ ...spec, generation });
    }
    default:
      return spec satisfies never;
  }
};
