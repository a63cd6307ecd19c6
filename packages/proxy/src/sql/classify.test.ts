import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ClassifyContext, classify } from './classify.ts';

const CONTEXT: ClassifyContext = {
  standardStrings: true,
  unicodeNames: true,
  tableRules: false,
  bounds: { depth: 50, statements: 70, names: 30 },
};

const short = (text: string, context = CONTEXT): string => {
  const result = classify(text, context);
  if (result.kind === 'malformed') return 'MALFORMED';
  const statements = result.statements.flatMap((one) => one.statements);
  return statements.map(({ command, effect, tables }) => `${command} ${effect} ${tables}`.trim()).join('; ');
};

/** Text and what it is: command, effect and tables of each statement. */
const CASES: Readonly<Record<string, readonly string[]>> = {
  reading: [
    'select 1 => SELECT read',
    'select * from a, b.c x join d on x.a = d.b, e => SELECT read a,b.c,d,e',
    'select * from DB.Schema."Tab" => SELECT read schema.Tab',
    'select * from "a.b", "x""y" => SELECT read "a.b","x""y"',
    'select (select max(x) from b) from a where y in (select y from c) => SELECT read b,a,c',
    'select * from (a join b using (id)) j, lateral (select 1 from c) l => SELECT read a,b,c',
    'select * from generate_series(1, 3) g, unnest(array[1]) u, t => SELECT read t',
    'select * from rows from (f(1), g(2)) r, t => SELECT read t',
    'select * from only t, only (u) => SELECT read t,u',
    `select extract(day from x), substring(a from 1 for 2), trim(both 'x' from y) from t => SELECT read t`,
    'select a is distinct from b, a is not distinct from c from t => SELECT read t',
    'select a from t union all select b from u order by c, d limit 1 => SELECT read t,u',
    'select 1 as from from t => SELECT read t',
    'table t => SELECT read t',
    '(select 1 from a) except (table b) => SELECT read a,b',
    'values (1), (2) => SELECT read',
    'show search_path => SHOW read',
    'declare c cursor for select * from t => SELECT read t',
    'fetch 10 from c => FETCH read',
    'copy t to stdout => COPY TO read t',
    'copy (select * from t) to stdout => COPY TO read t',
    'explain select * from t => EXPLAIN read t',
    'explain (costs off) delete from t => EXPLAIN read t',
    'begin isolation level serializable => BEGIN read',
    'start transaction read only => START TRANSACTION read',
    'commit; rollback to savepoint a => COMMIT read; ROLLBACK read',
    'discard all; deallocate all; unlisten *; close all => DISCARD read; DEALLOCATE read; UNLISTEN read; CLOSE read',
    `set app.user = 'x'; reset all => SET read; RESET read`,
    `set names 'utf8' => SET read`,
    'set default_transaction_read_only to on => SET read',
  ],
  'tables of common table expressions': [
    'with s as (select 1) select * from s => SELECT read',
    'with s as (select * from s) select * from s => SELECT read s',
    'with s as (select 1) select * from public.s => SELECT read public.s',
    'with a as (select 1), b as (select * from a) select * from b => SELECT read',
    'with a as (select * from b), b as (select 1) select * from a => SELECT read b',
    'with recursive a as (select * from b), b as (select 1) select * from a => SELECT read',
    'select * from (with s as (select 1) select * from s) x, s => SELECT read s',
    'with s as (select 1) insert into s select * from s => SELECT write s; INSERT write s',
    'with s as (select 1) delete from only (s) => SELECT write s; DELETE write s',
    `with recursive t as (select 1) cycle a set b to date 'x' default date 'y' using p delete from secret => SELECT write secret; DELETE write secret`,
  ],
  writing: [
    'insert into t (from_, x) values (1, 2) returning x, y => INSERT write t',
    'insert into t select * from u on conflict (id) do update set a = 1, b = 2 => INSERT write t,u',
    'update only t as x set a = 1, b = 2 from u, v where true returning a, b => UPDATE write t,u,v',
    'delete from t * using u join v using (id), w where true => DELETE write t,u,v,w',
    'merge into t using (select * from u) s on true when matched then update set a = 1, b = 2 when not matched then insert values (1) => MERGE write t,u',
    'with gone as (delete from a returning *) select * from gone => SELECT write a; DELETE write a',
    'with x as (select * from secret) delete from t using x => SELECT write secret,t; DELETE write t',
    'select * from t for update => SELECT FOR UPDATE write t',
    'select * from t for no key update of t => SELECT FOR UPDATE write t',
    'select * from t for key share => SELECT FOR SHARE write t',
    'explain analyze delete from t => DELETE write t',
    'explain (verbose, analyze false) delete from t => DELETE write t',
    'copy t (a) from stdin with (format csv) => COPY FROM write t',
    'copy (delete from t returning *) to stdout => COPY TO write t; DELETE write t',
    'copy t from stdin where x in (select 1) => COPY FROM write t',
    `select nextval('s') => SELECT read; FUNCTION NEXTVAL write`,
    'begin read write => BEGIN write',
    'begin isolation level serializable, read write => BEGIN write',
    'set transaction read write => SET TRANSACTION write',
    'set session characteristics as transaction read write => SET SESSION CHARACTERISTICS write',
    'set default_transaction_read_only = off => SET DEFAULT_TRANSACTION_READ_ONLY write',
    'set local transaction_read_only to false => SET TRANSACTION_READ_ONLY write',
    String.raw`set "Default_Transaction_READ_only" to e'\x6fn' => SET DEFAULT_TRANSACTION_READ_ONLY write`,
    `prepare transaction 'x' => PREPARE TRANSACTION write`,
    `commit prepared 'x' => COMMIT PREPARED write`,
  ],
  'everything else': [
    'select * into t from u => SELECT INTO other t,u',
    'select 1 insert into t => SELECT INTO other t; INSERT write t',
    'create table if not exists a (x int references b, like c) => CREATE TABLE other a,b,c',
    'create temp table a as select * from b => CREATE TABLE other a,b',
    'create or replace view v as with s as (select * from t) select * from s => CREATE VIEW other v,t',
    'create unique index concurrently i on t (x) => CREATE INDEX other t',
    'alter table if exists only a add x int, drop y => ALTER TABLE other a',
    'drop table if exists a, b.c cascade => DROP TABLE other a,b.c',
    'drop materialized view v => DROP MATERIALIZED VIEW other v',
    'truncate table only a, b cascade => TRUNCATE other a,b',
    'grant select on a, b to r, s => GRANT other a,b',
    `comment on column s.t.c is 'x' => COMMENT other s.t`,
    'refresh materialized view concurrently v => REFRESH MATERIALIZED VIEW other v',
    'lock a, b in share mode => LOCK other a,b',
    'vacuum (full, analyze) a (x), b => VACUUM other a,b',
    'do $$ begin delete from t; end $$ => DO other',
    'call p(1) => CALL other',
    'notify c => NOTIFY other',
    'listen c => LISTEN other',
    'create function f() returns int begin atomic; select 1 from t; end => CREATE FUNCTION other; SELECT read t; END read',
    'create rule r as on insert to a do (insert into b values (1); delete from c) => CREATE RULE other a,b,c; INSERT write b,c; DELETE write c',
    `copy t to '/tmp/x' => COPY TO FILE other t`,
    `copy t from program 'x' => COPY FROM PROGRAM other t`,
    `select pg_read_file('/etc/passwd') => SELECT read; FUNCTION PG_READ_FILE other`,
    `select "pg_read_file"('/etc/passwd') => SELECT read; FUNCTION PG_READ_FILE other`,
    String.raw`select u&"pg\005fread\005ffile"('/etc/passwd') => SELECT read; FUNCTION PG_READ_FILE other`,
    `select pg_catalog . pg_read_file ('/etc/passwd') => SELECT read; FUNCTION PG_READ_FILE other`,
    `select * from dblink_connect('x') => SELECT read; FUNCTION DBLINK_CONNECT other`,
    `select set_config('role', 'x', false) => SELECT read; FUNCTION SET_CONFIG other`,
    'set role x => SET ROLE other',
    'set session authorization x => SET SESSION_AUTHORIZATION other',
    'set local session_replication_role = replica => SET SESSION_REPLICATION_ROLE other',
    'alter system set x = 1 => ALTER SYSTEM other',
    `load 'x' => LOAD other`,
    'create foreign data wrapper x => CREATE FOREIGN DATA WRAPPER other',
    'explain ("analyze") create table a as select 1 => CREATE TABLE other a',
  ],
  tricks: [
    'select 1; drop table t => SELECT read; DROP TABLE other t',
    'select 1/* ; */; drop table t -- => SELECT read; DROP TABLE other t',
    String.raw`select '\'; drop table t; --' => SELECT read; DROP TABLE other t`,
    String.raw`select e'\'; drop table t; --' => SELECT read`,
    'select $x$; drop table t; $x$ => SELECT read',
    'select $x$; $x$; drop table t; --$x$ => SELECT read; DROP TABLE other t',
    'select 1 as as from secret => SELECT read secret',
    'select a.is distinct from secret, b => SELECT read secret,b',
    'select a.as from secret => SELECT read secret',
    'select 1 delete from a, secret => SELECT write a,secret; DELETE write a,secret',
    'insert into trim ((select 1) union select * from secret) => INSERT write trim,secret',
    'select * from a values, secret => SELECT read a,secret',
    'select * from a set, secret => SELECT read a,secret',
    'select * from a join b on case when true then 1 end = 1, secret => SELECT read a,b,secret',
    `select * from a join b on collation for (x) = 'c', secret => SELECT read a,b,secret`,
    'select * from a join b on b.order = 1, secret => SELECT read a,b,secret',
    'update t set update = 1 => UPDATE write t',
  ],
  'not understood': [
    'SELEC 1 => MALFORMED',
    'select (1 => MALFORMED',
    'select 1) => MALFORMED',
    'select (1] => MALFORMED',
    'select (1; drop table t) => MALFORMED',
    '"select" 1 => MALFORMED',
    'delete t => MALFORMED',
    'update => MALFORMED',
    'insert x => MALFORMED',
    'start replication => MALFORMED',
    'base_backup => MALFORMED',
    'explain => MALFORMED',
    'explain drop table t => MALFORMED',
    'copy t => MALFORMED',
    'copy t from => MALFORMED',
    'declare c cursor for delete from t => MALFORMED',
    'prepare p as selec 1 => MALFORMED',
    `set client_encoding = 'SJIS' => MALFORMED`,
    `set names 'gb18030' => MALFORMED`,
    'set client_encoding to sql_ascii => SET read',
    'set standard_conforming_strings = off => MALFORMED',
    'set standard_conforming_strings = on => SET read',
    'set x => MALFORMED',
  ],
};

for (const [group, cases] of Object.entries(CASES)) {
  describe(group, () => {
    for (const line of cases) {
      const [text, expected] = line.split(' => ') as [string, string];
      test(text, () => assert.equal(short(text), expected));
    }
  });
}

describe('bounds', () => {
  const cases: [string, string][] = [
    ['brackets', `select ${'('.repeat(60)}1${')'.repeat(60)}`],
    ['statements', 'select 1;'.repeat(71)],
    ['tables', `select * from ${Array.from({ length: 31 }, (_, n) => `t${n}`)}`],
    ['changes', `with ${Array.from({ length: 31 }, (_, n) => `x${n} as (delete from t)`)} select 1`],
  ];
  for (const [what, text] of cases) {
    test(`too many ${what} are refused`, () => assert.equal(short(text), 'MALFORMED'));
  }
});

describe('while rules name tables', () => {
  const context = { ...CONTEXT, tableRules: true };
  const hidden = [
    ...['do $$ $$', 'call p()', 'create function f() returns int as $$ select 1 $$', 'drop schema s cascade'],
    ...[
      "select query_to_xml('select * from secret', true, true, '')",
      "select dblink('', '')",
      'drop owned by x',
    ],
    ...[
      'grant select on all tables in schema s to r',
      'vacuum',
      'set search_path to secret',
      "set schema 'secret'",
    ],
    ...[
      'alter role r set search_path to secret',
      'reassign owned by a to b',
      'set role x',
      'import foreign schema s',
    ],
    ...["select set_config('search_path', 'secret', false)", "copy t from program 'x'", 'reindex schema s'],
  ];
  for (const text of hidden) {
    test(`a statement that hides its tables is refused: ${text}`, () =>
      assert.equal(short(text, context), 'MALFORMED'));
  }
  const shown = [
    'select * from t',
    'create table t (x int)',
    'drop view v',
    'vacuum t',
    'notify c',
    "select nextval('s')",
  ];
  for (const text of shown) {
    test(`one that shows them is not: ${text}`, () => assert.notEqual(short(text, context), 'MALFORMED'));
  }
});

test('prepared statements keep their names', () => {
  const named = (text: string) => {
    const result = classify(text, CONTEXT);
    assert.ok(result.kind === 'classified');
    const { prepares, executes } = result.statements[0]!;
    return [prepares, executes];
  };
  assert.deepEqual(named('prepare "P x" (int) as select 1'), ['P x', undefined]);
  assert.deepEqual(named('execute P(1)'), [undefined, 'p']);
  assert.deepEqual(named('explain analyze execute p'), [undefined, 'p']);
  assert.deepEqual(named('create table t as execute p(1)'), [undefined, 'p']);
});

test('never throws, and comments and spaces change nothing', () => {
  const words =
    'select from with as ( ) , ; insert into delete update table t "u" 1 join using where for x . is distinct';
  const word = fc.constantFrom(...words.split(' '));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 15 }), (list) => {
      assert.equal(short(list.join(' ')), short(list.join('/* ; */\n--;\n')));
    }),
    { numRuns: 2000 },
  );
});

test('a table behind FROM is always found, whatever stands before it', () => {
  const words =
    'a b 1 , + ( ) as is not distinct x.from x.is delete update insert count(*) case when end'.split(' ');
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 8 }), (list) => {
      const text = `select ${list.join(' ')} , z from secret`;
      const found = short(text);
      assert.ok(found === 'MALFORMED' || found.includes('secret'), `${text}: ${found}`);
    }),
    { numRuns: 2000 },
  );
});
