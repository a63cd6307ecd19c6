import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory for one run of the benchmark, gone when the process is. */
export class Scratch {
  readonly path: string;

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'openshell-bench-'));
    chmodSync(this.path, 0o755); // proxies give up root before they read their files
    process.once('exit', () => rmSync(this.path, { recursive: true, force: true }));
  }

  /** Path of a new directory in it. */
  directory(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path, { recursive: true });
    return path;
  }
}
