import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { needsProgram } from '../support/paths.ts';
import { descendants } from '../support/processes.ts';
import { Terminal } from '../support/terminal.ts';
import { until } from '../support/until.ts';

const skip = needsProgram('script');
const INTERRUPT = '\u0003';
const STOP = '\u001a';
const END = '\u0004';

/** A shell that edits no lines, so that what it shows is what was typed. */
const PLAIN = '--norc --noediting -i';

/** An interactive shell in a sandbox, at its prompt `inside> `; the exit code appears as `code N`. */
const shellInside = async (): Promise<Terminal> => {
  const terminal = new Terminal(`"$OPENSHELL" run -- bash ${PLAIN}; echo "code $?"`);
  terminal.type('PS1="in""side> "\n');
  await terminal.shows('inside> ');
  return terminal;
};

describe('on a terminal', { concurrency: 4, skip }, () => {
  const redirections: readonly [string, string][] = [
    ['', 'yyy'],
    ['</dev/null', 'nyy'],
    ['| cat', 'yny'],
    ['2>/dev/null', 'yyn'],
    ['</dev/null 2>&1 | cat', 'nnn'],
  ];
  for (const [redirection, expected] of redirections) {
    test(`each descriptor is a terminal inside as it is outside: '${redirection}'`, async () => {
      const script =
        'c=0; test -t 0 && c=$((c+1)); test -t 1 && c=$((c+2)); test -t 2 && c=$((c+4)); exit $c';
      const terminal = new Terminal(
        `set -o pipefail; "$OPENSHELL" run -- sh -c '${script}' ${redirection}; echo "code $?"`,
      );
      await terminal.shows('code ');
      await terminal.finished;
      const code = [...expected].reduce((sum, letter, fd) => sum + (letter === 'y' ? 1 << fd : 0), 0);
      assert.match(terminal.screen, new RegExp(`code ${code}\n`));
    });
  }

  test('the size is the same, and follows a resize', async () => {
    using terminal = new Terminal(
      `"$OPENSHELL" run -- sh -c 'trap "stty size" WINCH; trap "exit 6" TERM; echo ready; while :; do sleep 0.05; done'; echo "code $?"`,
    );
    await terminal.shows('ready\n');
    await terminal.resize(41, 123);
    await terminal.shows('41 123');
    await terminal.resize(20, 50);
    await terminal.shows('20 50');
    process.kill(await terminal.supervisor(), 'SIGTERM');
    await terminal.shows('code 6');
    await terminal.finished;
  });

  test('Ctrl-C interrupts the foreground program inside, and nothing else', async () => {
    using terminal = await shellInside();
    terminal.type('sleep 1000; echo "sle""pt $?"\n');
    await terminal.shows('$?"\n');
    const supervisor = await terminal.supervisor();
    await until('the sleep', () => descendants(supervisor).some(({ name }) => name === 'sleep'));
    terminal.type(INTERRUPT);
    await terminal.shows('inside> ');
    terminal.type('echo "go""es on"; exit 3\n');
    await terminal.shows('goes on');
    await terminal.shows('code 3\n');
    assert.equal(await terminal.finished, 0);
  });

  test('job control works in a shell inside: Ctrl-Z, jobs, fg', async () => {
    using terminal = await shellInside();
    terminal.type('cat\n');
    const supervisor = await terminal.supervisor();
    await until('cat', () => descendants(supervisor).some(({ name }) => name === 'cat'));
    terminal.type('once\n');
    await terminal.shows('once\nonce\n');
    terminal.type(STOP);
    await terminal.shows('Stopped');
    await terminal.shows('inside> ');
    terminal.type('fg\n');
    await terminal.shows('cat\n');
    terminal.type('again\n');
    await terminal.shows('again\nagain\n');
    terminal.type(END);
    await terminal.shows('inside> ');
    terminal.type('exit 4\n');
    await terminal.shows('code 4\n');
    await terminal.finished;
  });

  test('Ctrl-Z stops openshell with its command, and fg continues both', async () => {
    using terminal = new Terminal(`bash ${PLAIN}`);
    terminal.type('PS1="out""side> "\n');
    await terminal.shows('outside> ');
    terminal.type(
      `"$OPENSHELL" run -- sh -c 'echo rea""dy; read line; echo "got $line"; exit 5'; echo "code $?"\n`,
    );
    await terminal.shows('ready\n');
    terminal.type(STOP);
    await terminal.shows('Stopped');
    await terminal.shows('outside> ');
    terminal.type('fg\n');
    await terminal.shows('fg\n');
    terminal.type('words\n');
    await terminal.shows('got words\n');
    await terminal.shows('outside> ');
    terminal.type('exit\n');
    await terminal.finished;
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`it is as it was before when openshell ended, also by ${signal}`, async () => {
      using terminal = new Terminal(
        `stty -g; "$OPENSHELL" run -- sh -c 'stty raw -echo; echo ready; sleep 1000'; sleep 0.2; echo; stty -g`,
      );
      await terminal.shows('ready');
      process.kill(await terminal.supervisor(), signal);
      await terminal.finished;
      const settings = terminal.screen.match(/^[0-9a-f]+(:[0-9a-f]+)+$/gm) ?? [];
      assert.equal(settings.length, 2, terminal.screen);
      assert.equal(settings[1], settings[0]);
    });
  }

  test('a command that has no terminal cannot open the one outside', async () => {
    using terminal = new Terminal(
      `"$OPENSHELL" run -- sh -c 'echo x >/dev/tty' </dev/null 2>&1 | cat; echo "done"`,
    );
    const before = await terminal.shows('done\n');
    await terminal.finished;
    assert.match(before, /\/dev\/tty/);
  });
});
