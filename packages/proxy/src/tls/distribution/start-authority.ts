import type { AuthorityKeeper, AuthorityKeeperOptions } from './authority-keeper.ts';

/** As `AuthorityKeeper.start`, which is loaded with the first program that has an authority: cryptography takes long to load. */
export async function startAuthority(options: AuthorityKeeperOptions): Promise<AuthorityKeeper> {
  return (await import('./authority-keeper.ts')).AuthorityKeeper.start(options);
}
