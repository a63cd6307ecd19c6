import { type Known, type PreparedStatements, partsOf } from './prepared.ts';

interface Refusal {
  /** Stands in the server's answer to what it got instead of the refused message. */
  readonly token: string;
  readonly answer: Buffer;
}

/** Everything up to one Sync or Query: the server answers it with one ReadyForQuery. */
class Batch {
  readonly parses = new Map<string, Known>();
  readonly refusals: Refusal[] = [];
  simple = false;
  /** Of everything in it. */
  parts = 1;
}

/** What was sent to the server and not answered yet: clients need not wait for one answer before they send the next message. */
export class Pipeline {
  readonly #prepared: PreparedStatements;
  readonly #waiting: Batch[] = [];
  #current = new Batch();
  #parts = 0;
  /** The server has refused something in the batch that it answers now, and left out the rest of it. */
  #failed = false;
  #copying = false;
  /** False once a Sync may have been swallowed by COPY: which answer is for which batch is not sure any more. */
  #aligned = true;

  constructor(prepared: PreparedStatements) {
    this.#prepared = prepared;
  }

  /** How much is waiting: statements, tables in them, batches, refusals. */
  get parts(): number {
    return this.#parts + this.#current.parts;
  }

  parse(name: string, known: Known): void {
    // In one batch either all of its statements of one name were taken up to the last, or that one was not reached.
    const earlier = this.#current.parses.get(name);
    if (earlier !== undefined) this.#prepared.add(name, earlier);
    this.#current.parses.set(name, known);
    this.#current.parts += partsOf(known.content);
  }

  refuse(refusal: Refusal): void {
    this.#current.refusals.push(refusal);
    this.#current.parts++;
  }

  /** The batch ends: with a Query (`simple`) or a Sync. */
  end(simple: boolean): void {
    // Within COPY FROM STDIN the server ignores Sync (manual, section 55.2.6).
    if (this.#copying) this.#aligned = false;
    this.#current.simple = simple;
    this.#waiting.push(this.#current);
    this.#parts += this.#current.parts;
    this.#current = new Batch();
  }

  copyStarted(): void {
    this.#copying = true;
    if (this.#waiting.length !== 1 || !this.#waiting[0]!.simple) this.#aligned = false;
  }

  copyEnded(): void {
    this.#copying = false;
  }

  /** The answer to put in the place of the server's error, where that is the answer to a substitute of ours. */
  failed(error: Buffer): Buffer | undefined {
    this.#failed = true;
    this.#copying = false;
    for (const { refusals } of [...this.#waiting.slice(0, 1), this.#current, ...this.#waiting.slice(1)]) {
      const at = refusals.findIndex(({ token }) => error.includes(token));
      if (at >= 0) return refusals.splice(at, 1)[0]!.answer;
    }
    return undefined;
  }

  /** The server has finished a batch. False: it had none. */
  ready(): boolean {
    const batch = this.#waiting.shift();
    if (batch === undefined) return false;
    const certain = this.#aligned && !this.#failed;
    for (const [name, known] of batch.parses) {
      if (certain) this.#prepared.replace(name, [known]);
      else this.#prepared.add(name, known);
    }
    this.#parts -= batch.parts;
    this.#failed = false;
    return true;
  }

  /** What a use of this name in a message that is sent now can execute. Empty: unknown. */
  find(name: string): readonly Known[] {
    const here = this.#current.parses.get(name);
    // If the server left that one out, it leaves out its use in the same batch too.
    if (here !== undefined) return [here];
    const pending = this.#waiting.flatMap(({ parses }) => parses.get(name) ?? []);
    return [...this.#prepared.find(name), ...pending];
  }
}
