/** Both in milliseconds. */
export interface Clocks {
  /** Since 1970; somebody may set it to anything at any moment. */
  readonly wall: () => number;
  /** Since some moment; never set, and on Linux it stands still while the machine sleeps (clock_gettime(2)). */
  readonly monotonic: () => number;
}

const CLOCKS: Clocks = { wall: Date.now, monotonic: () => performance.now() };

/**
 * A clock for how long something has been kept: it never goes back, and it has counted the time asleep. When the wall clock is set ahead, what
 * is kept ends early, which costs asking again; when it is set back, nothing lasts longer for it.
 * @returns milliseconds since the clock was made
 */
export function steadyClock({ wall, monotonic }: Clocks = CLOCKS): () => number {
  let [wallBefore, monotonicBefore, elapsed] = [wall(), monotonic(), 0];
  return () => {
    const [wallNow, monotonicNow] = [wall(), monotonic()];
    elapsed += Math.max(wallNow - wallBefore, monotonicNow - monotonicBefore, 0);
    [wallBefore, monotonicBefore] = [wallNow, monotonicNow];
    return elapsed;
  };
}
