/** What a tenant can do with a connection that is under way. */
export interface RelayHandle {
  /** Resolves when nothing of it is left. Never rejects. */
  readonly done: Promise<unknown>;
  /** Ends it at once. */
  abort(reason: string): void;
  /** Its proxy stops: what can end without anything being lost does so by itself, now or after what is under way. All else goes on. */
  drain(): void;
  /** A new policy allows the connection: what is inside it may have to be asked about again. */
  reconsider(): void;
}
