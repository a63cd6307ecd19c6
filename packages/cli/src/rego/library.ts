type Modules = Readonly<Record<string, string>>;

/**
 * Modules with the one that `openshell run` adds, where they build on it and do not bring it themselves: rules are then valid here when
 * they are valid there.
 */
export const withLibrary = async (modules: Modules): Promise<Modules> => {
  const texts = Object.values(modules);
  const isUsed = texts.some((text) => /\bdata\.openshell\.policy\b/.test(text));
  const isThere = texts.some((text) => /^\s*package\s+openshell\.policy\s*$/m.test(text));
  if (!isUsed || isThere) return modules;
  const { shippedText } = await import('@openshell/sandbox');
  return { ...modules, 'openshell/policy.rego': shippedText('policy.rego') };
};
