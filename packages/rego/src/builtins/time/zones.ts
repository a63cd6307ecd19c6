/** What is known of a place's clocks. */
export interface Zone {
  /** Seconds east of Greenwich at an instant (seconds since 1970). */
  offsetAt(seconds: number): number;
  /** The abbreviation then: `CET`, or `+05` where people have none. */
  abbreviationAt(seconds: number): string;
}

export const UTC: Zone = { offsetAt: () => 0, abbreviationAt: () => 'UTC' };

/** A zone with one offset and perhaps a name, as a parsed time has it. */
export const fixedZone = (offset: number, name = ''): Zone => ({
  offsetAt: () => offset,
  abbreviationAt: () => name,
});

const zones = new Map<string, Zone>();

/**
 * The zone of an IANA name; `""` and `UTC` are UTC, `Local` is where this program runs.
 * @throws Error `unknown time zone X`
 */
export const zoneNamed = (name: string): Zone => {
  if (name === '' || name === 'UTC') return UTC;
  const known = zones.get(name);
  if (known !== undefined) return known;
  const zone = new IanaZone(name);
  // There are some 600 names; what is not one of them was refused above.
  zones.set(name, zone);
  return zone;
};

/** Where English speakers have abbreviations of their own zones; elsewhere Intl says `GMT+1`. */
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-NZ', 'en-IN', 'en-ZA'];

class IanaZone implements Zone {
  readonly #name: string | undefined;
  readonly #format: Intl.DateTimeFormat;

  constructor(name: string) {
    this.#name = name === 'Local' ? undefined : name;
    // Go takes names of the database only; Intl takes offsets and any case as well.
    if (this.#name !== undefined && !/^[A-Za-z][\w+/-]*$/.test(name)) throw unknown(name);
    try {
      this.#format = new Intl.DateTimeFormat('en-US', {
        ...(this.#name === undefined ? {} : { timeZone: this.#name }),
        timeZoneName: 'longOffset',
      });
    } catch {
      throw unknown(name);
    }
  }

  offsetAt(seconds: number): number {
    const text = this.#partOf(this.#format, seconds);
    const match = /([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(text);
    if (match === null) return 0;
    const size = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
    return match[1] === '-' ? -size : size;
  }

  abbreviationAt(seconds: number): string {
    for (const locale of LOCALES) {
      const text = this.#partOf(
        new Intl.DateTimeFormat(locale, {
          ...(this.#name === undefined ? {} : { timeZone: this.#name }),
          timeZoneName: 'short',
        }),
        seconds,
      );
      if (/^[A-Z]{2,5}$/.test(text)) return text;
    }
    return numericName(this.offsetAt(seconds));
  }

  #partOf(format: Intl.DateTimeFormat, seconds: number): string {
    const parts = format.formatToParts(seconds * 1000);
    return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  }
}

const unknown = (name: string): Error => new Error(`unknown time zone ${name}`);

const numericName = (offset: number): string => {
  const minutes = Math.floor(Math.abs(offset) / 60);
  const hours = String(Math.floor(minutes / 60)).padStart(2, '0');
  const rest = minutes % 60 === 0 ? '' : String(minutes % 60).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${hours}${rest}`;
};
