/**
 * Composite values share their parts, so a few lines of policy can make one that is small in memory and endless when
 * it is written out or compared. Whatever walks a whole value stops here.
 */
const MAX_TEXT_LENGTH = 1 << 23;
const MAX_VISITS = 2_000_000;

/** A value that cannot be walked within bounds. */
export class ValueTooLarge extends RangeError {
  override readonly name = 'ValueTooLarge';

  constructor() {
    super('a value is too large to be compared or written out');
  }
}

/** The text, unless it has grown too long. */
export const boundedText = (text: string): string => {
  if (text.length > MAX_TEXT_LENGTH) throw new ValueTooLarge();
  return text;
};

/** Counts the nodes of one walk. */
export class Visits {
  #left = MAX_VISITS;

  visit(): void {
    this.#left -= 1;
    if (this.#left < 0) throw new ValueTooLarge();
  }
}
