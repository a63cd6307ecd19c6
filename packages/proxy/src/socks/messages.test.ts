import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Parsed, parseGreeting, parseRequest, parseUserPassword } from './messages.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const name = (text: string): string =>
  Buffer.concat([Buffer.of(text.length), Buffer.from(text, 'latin1')]).toString('hex');

/** Every proper prefix asks for more, and what follows the message is not its own. */
function whole<Message>(parse: (bytes: Buffer) => Parsed<Message>, bytes: Buffer): Message {
  for (let cut = 0; cut < bytes.length; cut++)
    assert.equal(parse(bytes.subarray(0, cut)).kind, 'more', `cut at ${cut}`);
  const parsed = parse(Buffer.concat([bytes, Buffer.from('rest')]));
  assert.ok(parsed.kind === 'message', JSON.stringify(parsed));
  assert.equal(parsed.length, bytes.length);
  return parsed.message;
}

describe('messages of SOCKS5', () => {
  test('are read wherever they are cut', () => {
    assert.deepEqual(whole(parseGreeting, hex('05 03 00 01 02')), [0, 1, 2]);
    assert.deepEqual(whole(parseUserPassword, hex(`01 ${name('user')} ${name('p:w')}`)), {
      username: 'user',
      password: 'p:w',
    });
    assert.deepEqual(whole(parseUserPassword, hex('01 00 00')), { username: '', password: '' });
  });

  const destinations: [string, string, string, number][] = [
    ['a name', `05 01 00 03 ${name('Example.COM')} 01bb`, 'example.com', 443],
    ['a name with a dot at its end', `05 01 00 03 ${name('example.com.')} 0050`, 'example.com', 80],
    ['an IPv4 address', '05 01 00 01 c0000201 0016', '192.0.2.1', 22],
    ['an IPv6 address', '05 01 00 04 20010db8000000000000000000000001 0001', '2001:db8::1', 1],
    ['the text of an address', `05 01 00 03 ${name('192.0.2.1')} ffff`, '192.0.2.1', 65_535],
  ];
  for (const [what, bytes, host, port] of destinations)
    test(`name a destination by ${what}`, () => {
      assert.deepEqual(whole(parseRequest, hex(bytes)), { kind: 'connect', destination: { host, port } });
    });

  const refused: [string, string, string][] = [
    ['BIND', '05 02 00 01 c0000201 0016', 'commandUnknown'],
    ['UDP ASSOCIATE', '05 03 00 01 00000000 0000', 'commandUnknown'],
    ['no command at all', '05 00 00 01 c0000201 0016', 'commandUnknown'],
    ['an address of another type', '05 01 00 05 00', 'addressUnknown'],
    ['port 0', '05 01 00 01 c0000201 0000', 'failure'],
    ['an empty name', '05 01 00 03 00 0050', 'failure'],
    ['a name with a NUL', `05 01 00 03 ${name('a\0b.example')} 0050`, 'failure'],
    ['a name with a line', `05 01 00 03 ${name('a.example\r\nX: y')} 0050`, 'failure'],
    ['another spelling of an address', `05 01 00 03 ${name('0x7f.1')} 0050`, 'failure'],
    [
      'a name of 255 characters',
      `05 01 00 03 ${name(`${'a'.repeat(63)}.`.repeat(3) + 'b'.repeat(63))} 0050`,
      'failure',
    ],
  ];
  for (const [what, bytes, reply] of refused)
    test(`are refused with a reply: ${what}`, () => {
      const parsed = parseRequest(hex(bytes));
      assert.ok(parsed.kind === 'message' && parsed.message.kind === 'refused', JSON.stringify(parsed));
      assert.equal(parsed.message.reply, reply);
    });

  const malformed: [string, (bytes: Buffer) => Parsed<unknown>, string][] = [
    ['a greeting of SOCKS4', parseGreeting, '04 01'],
    ['a greeting without methods', parseGreeting, '05 00'],
    ['credentials of another version', parseUserPassword, '05 01'],
    ['a request of another version', parseRequest, '04'],
    ['a reserved byte that is used', parseRequest, '05 01 01'],
  ];
  for (const [what, parse, bytes] of malformed)
    test(`are not answered at all: ${what}`, () => {
      assert.equal(parse(hex(bytes)).kind, 'malformed');
    });
});
