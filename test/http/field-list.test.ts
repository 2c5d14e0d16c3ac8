import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FieldGroup } from '../../src/base/field-group.ts';
import { FieldList } from '../../src/http/field-list.ts';
import { encodeFieldList } from '../../src/wire/h1/field-encoder.ts';

const ORIGIN = new FieldGroup([
  ['Vary', 'Origin'],
  ['Access-Control-Allow-Origin', '*'],
]);
const TRACE = new FieldGroup([['Via', '1.1 photon']], 'X-Request-ID');
const DATE = new FieldGroup([], 'Date');

function mixed(): FieldList {
  const list = new FieldList();
  list.addGroup(TRACE, 'id-of-one');
  list.add('Set-Cookie', 'at=x1');
  list.addGroup(ORIGIN);
  list.add('vary', '\tAccept ');
  list.add('X-Empty', '');
  list.addGroup(DATE, 'today');
  return list;
}

const ALL =
  'Via: 1.1 photon\r\nX-Request-ID: id-of-one\r\nSet-Cookie: at=x1\r\nVary: Origin\r\nAccess-Control-Allow-Origin: *\r\nvary: \tAccept \r\nX-Empty: \r\nDate: today\r\n';

describe('a list of fields', () => {
  test('is written in its order, the groups with the value of their open name', () => {
    const list = mixed();
    assert.equal(encodeFieldList('', list), ALL);
    // The second time the text of each group is the one that was kept.
    assert.equal(encodeFieldList('HTTP/1.1 200 OK\r\n', list), `HTTP/1.1 200 OK\r\n${ALL}`);
  });

  test('is empty after it was cleared, and used again', () => {
    const list = mixed();
    list.clear();
    assert.equal(encodeFieldList('', list), '');
    assert.deepEqual([...list], []);
    list.addGroup(TRACE, 'id-of-two');
    assert.equal(encodeFieldList('', list), 'Via: 1.1 photon\r\nX-Request-ID: id-of-two\r\n');
  });

  test('keeps no text of the message before', () => {
    const list = mixed();
    list.clear();
    assert.ok(list.entries.every((text) => text === ''));
    const rest = mixed();
    rest.remove(new Set(['set-cookie', 'vary', 'x-empty', 'date']));
    assert.ok(rest.entries.length > rest.end);
    assert.ok(rest.entries.slice(rest.end).every((text) => text === ''));
  });

  test('keeps no memory for the fields of an unusual message', () => {
    const list = new FieldList();
    for (let n = 0; n < 5000; n++) list.add(`X-Field-${n}`, 'one of many');
    list.clear();
    assert.ok(list.entries.length <= 2 * 64);
    list.add('X-One', 'after it');
    assert.deepEqual([...list], [['X-One', 'after it']]);
  });

  test('takes the fields of another one', () => {
    const list = new FieldList();
    list.add('X-First', 'one');
    list.addAll(mixed());
    assert.equal(encodeFieldList('', list), `X-First: one\r\n${ALL}`);
  });

  for (const { name, value, why } of [
    { name: 'via', value: '1.1 photon', why: 'a pair of a group' },
    { name: 'x-request-id', value: 'id-of-one', why: 'the open name of a group' },
    { name: 'set-cookie', value: 'at=x1', why: 'one of its own' },
    { name: 'vary', value: 'Origin, Accept', why: 'several are one list, without blanks around' },
    { name: 'x-empty', value: '', why: 'an empty one is there' },
    { name: 'cookie', value: undefined, why: 'the end of a name is none' },
    { name: 'accept', value: undefined, why: 'a value is no name' },
  ]) {
    test(`has ${JSON.stringify(value)} for ${name}: ${why}`, () => assert.equal(mixed().combinedValue(name), value));
  }

  test('has each value of a name', () => {
    assert.deepEqual(mixed().valuesOf('vary'), ['Origin', 'Accept']);
    assert.deepEqual(mixed().valuesOf('host'), []);
  });

  for (const { names, without, why } of [
    { names: ['x-request-id'], without: /X-Request-ID.*\r\n/, why: 'the open name of a group' },
    { names: ['via'], without: /Via.*\r\n/, why: 'a pair of a group' },
    { names: ['vary'], without: /Vary.*\r\n|vary.*\r\n/g, why: 'in any case, in a group and on its own' },
    { names: ['date', 'set-cookie'], without: /Date.*\r\n|Set-Cookie.*\r\n/g, why: 'several names' },
    { names: ['host', 'x'], without: /(?!)/, why: 'names that are not there' },
  ]) {
    test(`without ${names.join(' and ')} keeps the others in their order: ${why}`, () => {
      const list = mixed();
      list.remove(new Set(names));
      assert.equal(encodeFieldList('', list), ALL.replace(without, ''));
    });
  }

  test('loses a field whose name is spelled with an underscore', () => {
    const list = new FieldList();
    list.add('X_User', 'mallory');
    list.addGroup(new FieldGroup([['X_User', 'carol']]));
    list.remove(new Set(['x-user']));
    assert.equal(list.end, 0);
  });

  for (const value of ['one\r\nX-Two: two', 'one\n', 'one\rtwo', 'one\0']) {
    test(`takes no value that would end its line: ${JSON.stringify(value)}`, () => {
      assert.throws(() => new FieldList().add('X-One', value), /^Error: the value of the field X-One has a line break/);
      assert.throws(() => new FieldGroup([['X-One', value]]), /^Error: the value of the field X-One has a line break/);
    });
  }
});
