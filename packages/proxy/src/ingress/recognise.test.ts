import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Recognised, recognise, type Said } from './recognise.ts';

type Who = 'net' | 'all' | 'user';

const UNREAD: Said<Who> = { kind: 'unread' };
const NOTHING: Said<Who> = { kind: 'nothing' };
const WRONG: Said<Who> = { kind: 'wrong' };
const USER: Said<Who> = { kind: 'credentials', owner: 'user' };

/** Whose network it is, who gets everybody, whether credentials count, what was said; and who that is. */
const CASES: [Who | undefined, Who | undefined, boolean, Said<Who>, string][] = [
  // A network decides alone, and before anything is read.
  ['net', undefined, false, UNREAD, 'net'],
  ['net', 'all', true, UNREAD, 'net'],
  ['net', 'all', true, USER, 'net'],
  ['net', undefined, true, WRONG, 'net'],
  // Where nobody has credentials, nothing is read either.
  [undefined, 'all', false, UNREAD, 'all'],
  [undefined, 'all', false, WRONG, 'all'],
  [undefined, undefined, false, UNREAD, 'source_unknown'],
  [undefined, undefined, false, USER, 'source_unknown'],
  // Elsewhere credentials decide, and wrong ones never fall back.
  [undefined, undefined, true, UNREAD, 'read'],
  [undefined, 'all', true, UNREAD, 'read'],
  [undefined, 'all', true, USER, 'user'],
  [undefined, undefined, true, USER, 'user'],
  [undefined, 'all', true, WRONG, 'credentials_wrong'],
  [undefined, undefined, true, WRONG, 'credentials_wrong'],
  [undefined, 'all', true, NOTHING, 'all'],
  [undefined, undefined, true, NOTHING, 'credentials_missing'],
];

function short(recognised: Recognised<Who>): string {
  if (recognised.kind === 'owner') return recognised.owner;
  return recognised.kind === 'nobody' ? recognised.why : recognised.kind;
}

describe('whose a connection is', () => {
  for (const [source, everybody, credentialsCount, said, expected] of CASES)
    test(`network ${source ?? '-'}, everybody ${everybody ?? '-'}, credentials ${credentialsCount}, said ${said.kind}: ${expected}`, () => {
      assert.equal(short(recognise({ source, everybody, credentialsCount, said })), expected);
    });
});
