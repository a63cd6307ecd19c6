/** What reads the texts and files of an operator; loaded only where there are some to read. */
export async function loadOperatorReaders() {
  const [{ parseCredentialOption }, files, options] = await Promise.all([
    import('../credentials/option.ts'),
    import('./files.ts'),
    import('./options.ts'),
  ]);
  return { parseCredentialOption, ...files, ...options };
}
