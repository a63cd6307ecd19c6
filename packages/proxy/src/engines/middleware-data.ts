import type { Middleware } from '@openshell/policy';
import type { Json, JsonObject } from '@openshell/rego';

/** A middleware with the names that files use. */
export const middlewareData = (middleware: Middleware): JsonObject => ({
  name: middleware.name,
  middleware: middleware.middleware,
  order: middleware.order,
  // Values of a YAML file: JSON by the policy's schema.
  config: middleware.config as Readonly<Record<string, Json>>,
  on_error: middleware.onError,
  endpoints: { include: middleware.include, exclude: middleware.exclude },
});
