import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { wordsOf } from '../../src/base/byte-words.ts';
import { FIELD, FIELD_COUNT, FIELD_NAMES, fieldNumber } from '../../src/http/field-names.ts';
import { FRAMING } from '../../src/http/framing.ts';
import { namedHopByHopFields, REQUEST_DROPS, RESPONSE_DROPS } from '../../src/http/hop-by-hop.ts';
import { RequestHead } from '../../src/http/request-head.ts';
import { ResponseHead } from '../../src/http/response-head.ts';
import { requestHead } from '../wire/h1/heads.ts';

/** The number of a name that stands among other bytes. */
function numberOf(name: string): number {
  const bytes = Buffer.from(`x${name}x`, 'latin1');
  return fieldNumber(bytes, wordsOf(bytes), 1, bytes.length - 1);
}

const OTHER_BYTES = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";

describe('the number of a field name', () => {
  test('is found for every known name in any case', () => {
    FIELD_NAMES.forEach((name, number) => {
      if (number === 0) return;
      assert.equal(numberOf(name), number, name);
      assert.equal(numberOf(name.toUpperCase()), number, name);
      assert.equal(numberOf(name.replace(/^./, (first) => first.toUpperCase())), number, name);
    });
    assert.equal(FIELD_COUNT, FIELD_NAMES.length + 1);
    assert.equal(new Set(Object.values(FIELD)).size, FIELD_COUNT);
  });

  test('is one of its own for a known name with underscores, some or all', () => {
    for (const name of FIELD_NAMES.filter((each) => each.includes('-'))) {
      for (const alike of [
        name.replaceAll('-', '_'),
        name.replaceAll('-', '_').toUpperCase(),
        name.replace('-', '_'),
      ]) {
        assert.equal(numberOf(alike), FIELD.LOOKALIKE, alike);
      }
    }
  });

  test('is 0 for every name that differs from a known one by one byte, or is shorter or longer', () => {
    const known = new Set(FIELD_NAMES);
    for (const name of FIELD_NAMES.slice(1)) {
      for (let at = 0; at < name.length; at++) {
        for (const byte of OTHER_BYTES) {
          const other = name.slice(0, at) + byte + name.slice(at + 1);
          const alike = byte === '_' && name[at] === '-';
          if (!known.has(other)) assert.equal(numberOf(other), alike ? FIELD.LOOKALIKE : FIELD.OTHER, other);
        }
      }
      for (const other of [`${name}s`, `x${name}`, name.slice(1), name.slice(0, -1), `${name}-`]) {
        if (!known.has(other)) assert.equal(numberOf(other), 0, other);
      }
    }
    for (const short of ['a', 't', 'e', '-']) assert.equal(numberOf(short), 0, short);
  });

  test('is not found for a byte that only looks like a letter with its case changed', () => {
    // 'H' | 0x20 is 'h', and so is 0x48; '-' | 0x20 is '-', and so is CR: a careless comparison takes one for the other.
    assert.equal(numberOf('content\rlength'), 0);
    assert.equal(numberOf('Content\x0dLength'), 0);
    assert.equal(numberOf('hos\x54'), FIELD.HOST);
    assert.equal(numberOf('hos\xf4'), 0);
  });
});

describe('fields', () => {
  const head = requestHead('GET / HTTP/1.1\r\nAccept: a\r\nHost: h\r\nX-Other: 1\r\nACCEPT:b\r\nx-other:\r\n\r\n');

  test('are told by name, value and number, in their order', () => {
    assert.deepEqual(
      Array.from({ length: head.count }, (_none, at) => [head.name(at), head.value(at), head.number(at)]),
      [
        ['Accept', 'a', FIELD.ACCEPT],
        ['Host', 'h', FIELD.HOST],
        ['X-Other', '1', FIELD.OTHER],
        ['ACCEPT', 'b', FIELD.ACCEPT],
        ['x-other', '', FIELD.OTHER],
      ],
    );
  });

  test('are found by number: the first of them', () => {
    assert.equal(head.find(FIELD.ACCEPT), 0);
    assert.equal(head.find(FIELD.HOST), 1);
    assert.equal(head.find(FIELD.TE), -1);
  });

  test('of one name are one list (RFC 9110 5.3)', () => {
    assert.equal(head.combinedValue('accept'), 'a, b');
    assert.equal(head.combinedValue('x-other'), '1, ');
    assert.equal(head.combinedValue('x-othe'), undefined);
    assert.equal(head.combinedValue('te'), undefined);
    assert.equal(head.combinedValue(''), undefined);
  });

  test('named Cookie are one field that a client has split (RFC 9113 8.2.3)', () => {
    const split = requestHead('GET / HTTP/1.1\r\nHost: h\r\nCookie: a=1\r\ncookie: b=2; c=3\r\n\r\n');
    assert.equal(split.combinedValue('cookie'), 'a=1; b=2; c=3');
  });

  test('are gone when the head is cleared', () => {
    const used = requestHead('POST /x HTTP/1.0\r\nHost: h\r\nConnection: keep-alive, x\r\nContent-Length: 4\r\n\r\n');
    used.clear();
    assert.deepEqual({ ...used, index: null }, { ...new RequestHead(1), index: null });
    assert.equal(used.find(FIELD.HOST), -1);
    const reply = new ResponseHead(1);
    Object.assign(reply, { status: 200, reasonStart: 1, reasonEnd: 2, versionMinor: 0, framing: FRAMING.CHUNKED });
    Object.assign(reply, { contentLength: 5, persistent: false, namesHopByHopFields: true, text: 'x', count: 1 });
    reply.clear();
    assert.deepEqual({ ...reply }, { ...new ResponseHead(1) });
  });
});

describe('fields for one hop', () => {
  const dropped = (table: Uint8Array) => FIELD_NAMES.filter((_name, number) => table[number] === 1).sort();
  const hopByHop = [
    'connection',
    'content-length',
    'http2-settings',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'transfer-encoding',
    'upgrade',
  ];

  test('never pass to an upstream, nor do claims about the way a request came', () => {
    const claims = [
      'x-client-cert-subject',
      'forwarded',
      'host',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-port',
      'x-forwarded-proto',
    ];
    assert.deepEqual(dropped(REQUEST_DROPS), [...hopByHop, ...claims, 'x-request-id'].sort());
    assert.equal(REQUEST_DROPS[FIELD.LOOKALIKE], 1);
  });

  test('never pass to a client, nor does another request id than ours', () => {
    assert.deepEqual(dropped(RESPONSE_DROPS), [...hopByHop, 'x-request-id'].sort());
  });

  test('are also those that Connection names, on all its lines and in any case', () => {
    const head = requestHead('GET / HTTP/1.1\r\nHost: h\r\nConnection: X-A,\t x-B \r\nConnection: close\r\n\r\n');
    assert.deepEqual(namedHopByHopFields(head), new Set(['x-a', 'x-b', 'close']));
  });
});
