/** What arrived at the origins, in words that a test can ask for: `GET web.test/open`, `tool buy`, `PUT s3.test/box/apple`. */
export class Seen {
  readonly #entries = new Set<string>();

  note(entry: string): void {
    this.#entries.add(entry);
  }

  has(entry: string): boolean {
    return this.#entries.has(entry);
  }
}
