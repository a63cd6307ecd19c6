/** A pattern that RE2 refuses, worded as Go does. */
export class RegexpSyntaxError extends Error {
  constructor(reason: string, excerpt: string) {
    super(`error parsing regexp: ${reason}: \`${excerpt}\``);
    this.name = 'RegexpSyntaxError';
  }
}

/** A position in a pattern, moved by code point. */
export class PatternReader {
  readonly pattern: string;
  position = 0;

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  get done(): boolean {
    return this.position >= this.pattern.length;
  }

  /** The next UTF-16 unit as text: enough to tell operators, which are all ASCII. */
  peek(): string {
    return this.pattern.charAt(this.position);
  }

  /** Takes one code point. */
  next(): number {
    const code = this.pattern.codePointAt(this.position)!;
    this.position += code > 0xffff ? 2 : 1;
    return code;
  }

  take(char: string): boolean {
    if (this.pattern.charAt(this.position) !== char) return false;
    this.position++;
    return true;
  }

  takeText(text: string): boolean {
    if (!this.pattern.startsWith(text, this.position)) return false;
    this.position += text.length;
    return true;
  }

  /** Takes what a sticky expression matches here. */
  takeMatch(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.position;
    const match = sticky.exec(this.pattern);
    if (match === null) return undefined;
    this.position = sticky.lastIndex;
    return match;
  }

  since(start: number): string {
    return this.pattern.slice(start, this.position);
  }

  rest(start: number): string {
    return this.pattern.slice(start);
  }
}
