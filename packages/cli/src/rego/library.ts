type Modules = Readonly<Record<string, string>>;

/**
 * Modules with those that `openshell run` adds, where they build on them and do not bring them themselves: rules are then valid here when
 * they are valid there.
 */
export const withLibrary = async (modules: Modules): Promise<Modules> => {
  const texts = Object.values(modules);
  const isUsed = texts.some((text) => /\bdata\.openshell\.policy\b/.test(text));
  const isThere = texts.some((text) => /^\s*package\s+openshell\.policy\s*$/m.test(text));
  if (!isUsed || isThere) return modules;
  const { shippedText } = await import('@openshell/sandbox');
  const library = ['policy.rego', 'requests.rego'] as const;
  return {
    ...modules,
    ...Object.fromEntries(library.map((name) => [`openshell/${name}`, shippedText(name)])),
  };
};
