import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RequestHead } from '../../../src/http/request-head.ts';
import { cutsOf, type DecodedRequest, decodeRequest, LIMITS, MAX_FIELDS, toBytes, UNFINISHED } from './decode.ts';

const withFields = (...lines: string[]) =>
  `GET / HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const post = (...lines: string[]) => `POST / HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const startLine = (line: string) => `${line}\r\nHost: a\r\n\r\n`;

interface AcceptedCase {
  readonly message: string;
  readonly why: string;
  readonly means: Partial<DecodedRequest>;
}

const ACCEPTED: readonly AcceptedCase[] = [
  {
    message: 'GET /a?b=c HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nX-Empty:\r\n\r\n',
    why: 'an ordinary request',
    means: {
      method: 'GET',
      target: '/a?b=c',
      versionMinor: 1,
      host: 'a.example',
      framing: 'NONE',
      contentLength: 0,
      persistent: true,
      namesHopByHopFields: false,
      fields: [
        ['Host', 'a.example'],
        ['Accept', '*/*'],
        ['X-Empty', ''],
      ],
    },
  },
  {
    message: '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    why: 'one empty line before the request line is skipped (RFC 9112 2.2)',
    means: { method: 'GET', target: '/', fields: [['Host', 'a']] },
  },
  {
    message: withFields('A:1', 'B: \t 2', 'C:3 \t', 'D: 4 \t 4 ', 'E: \t '),
    why: 'blanks around a value are not part of it',
    means: {
      fields: [
        ['Host', 'a'],
        ['A', '1'],
        ['B', '2'],
        ['C', '3'],
        ['D', '4 \t 4'],
        ['E', ''],
      ],
    },
  },
  {
    message: withFields('X: caf\xe9 \xff', 'Y: a:b:c', 'Z: (){}[]"\\'),
    why: 'a value may have obs-text, colons and punctuation (RFC 9110 5.5)',
    means: {
      fields: [
        ['Host', 'a'],
        ['X', 'caf\xe9 \xff'],
        ['Y', 'a:b:c'],
        ['Z', '(){}[]"\\'],
      ],
    },
  },
  {
    message: withFields("!#$%&'*+-.^_`|~09azAZ: v"),
    why: 'every token character may stand in a name (RFC 9110 5.6.2)',
    means: {
      fields: [
        ['Host', 'a'],
        ["!#$%&'*+-.^_`|~09azAZ", 'v'],
      ],
    },
  },
  {
    message: "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\nHost: a\r\n\r\n",
    why: 'a method is any token',
    means: { method: "!#$%&'*+-.^_`|~09azAZ" },
  },
  {
    message: startLine(`${'M'.repeat(32)} / HTTP/1.1`),
    why: 'a method of 32 bytes is the longest',
    means: { method: 'M'.repeat(32) },
  },
  { message: startLine('get / HTTP/1.1'), why: 'methods are case-sensitive (RFC 9110 9.1)', means: { method: 'get' } },
  {
    message: startLine('GET http://u@h:1/p?q#f HTTP/1.1'),
    why: 'the target is taken as it is; what it means is settled elsewhere',
    means: { target: 'http://u@h:1/p?q#f' },
  },
  {
    message: startLine(`GET /${'t'.repeat(LIMITS.maxTargetBytes - 1)} HTTP/1.1`),
    why: 'a target of just the limit',
    means: { target: `/${'t'.repeat(LIMITS.maxTargetBytes - 1)}` },
  },
  { message: post('Content-Length: 0'), why: 'a length of 0 is no body', means: { framing: 'NONE', contentLength: 0 } },
  { message: post('Content-Length: 5'), why: 'a length', means: { framing: 'LENGTH', contentLength: 5 } },
  {
    message: withFields('cONTENT-lENGTH: 5'),
    why: 'GET may have a body, and names have no case',
    means: { framing: 'LENGTH', contentLength: 5 },
  },
  {
    message: post('Content-Length: 0005'),
    why: 'leading zeros are digits (RFC 9110 8.6)',
    means: { framing: 'LENGTH', contentLength: 5 },
  },
  {
    message: post('Content-Length: 9007199254740991'),
    why: '2^53 - 1 is the largest whole number that we count exactly',
    means: { framing: 'LENGTH', contentLength: Number.MAX_SAFE_INTEGER },
  },
  {
    message: post('Transfer-Encoding: cHuNkEd'),
    why: 'codings have no case (RFC 9112 7)',
    means: { framing: 'CHUNKED', contentLength: 0 },
  },
  {
    message: 'GET / HTTP/1.0\r\n\r\n',
    why: 'HTTP/1.0 needs no Host, and does not persist',
    means: { versionMinor: 0, host: null, persistent: false },
  },
  {
    message: 'GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n',
    why: 'unless it asks for it',
    means: { persistent: true, namesHopByHopFields: false },
  },
  {
    message: 'GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n',
    why: 'close wins over keep-alive',
    means: { persistent: false },
  },
  {
    message: 'GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n',
    why: 'close wins in one list too',
    means: { persistent: false },
  },
  {
    message: withFields('Connection: close', 'Connection: keep-alive'),
    why: 'whichever comes first',
    means: { persistent: false },
  },
  { message: withFields('Connection: CLOSE'), why: 'options have no case', means: { persistent: false } },
  {
    message: withFields('Connection: ,, \tclose ,'),
    why: 'empty list members count for nothing',
    means: { persistent: false },
  },
  {
    message: withFields('Connection: \xa0close, close\xa0'),
    why: 'a no-break space is no blank: these are other options',
    means: { persistent: true, namesHopByHopFields: true },
  },
  {
    message: withFields('Connection: closed, x-close'),
    why: 'an option is compared whole, and other options name fields',
    means: { persistent: true, namesHopByHopFields: true },
  },
  {
    message: withFields('Connection: TE, Upgrade, Keep-Alive, HTTP2-Settings', 'TE: trailers'),
    why: 'fields that never pass need no looking for',
    means: { persistent: true, namesHopByHopFields: false },
  },
  {
    message: withFields('Connection: cookie', 'Cookie: a=b'),
    why: 'a named field must be looked for',
    means: { namesHopByHopFields: true },
  },
  { message: withFields('Expect: 100-CONTINUE'), why: 'the expectation has no case', means: {} },
  {
    message: 'POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n',
    why: 'an expectation in HTTP/1.0 is ignored (RFC 9110 10.1.1)',
    means: { contentLength: 1 },
  },
  { message: 'GET / HTTP/1.1\r\nHost:\r\n\r\n', why: 'an empty Host is one (RFC 9112 3.2)', means: { host: '' } },
];

interface RefusedCase {
  readonly message: string;
  readonly code: string;
  readonly why: string;
}

const refuseAll = (code: string, cases: readonly (readonly [message: string, why: string])[]): readonly RefusedCase[] =>
  cases.map(([message, why]) => ({ message, code, why }));

const REFUSED: readonly RefusedCase[] = [
  ...refuseAll('ambiguous_framing', [
    [post('Content-Length: 4', 'Transfer-Encoding: chunked'), 'two framings in one message'],
    [post('Transfer-Encoding: chunked', 'Content-Length: 4'), 'two framings, the other way round'],
    [post('Content-Length: 0', 'Transfer-Encoding: chunked'), 'a length of 0 is a framing too'],
    [post('Content-Length: 4', 'Content-Length: 5'), 'two lengths'],
    [post('Content-Length: 5', 'Content-Length: 5'), 'two lengths, though equal'],
    [post('Content-Length: 5, 5'), 'a list of equal lengths'],
    [post('Content-Length: 5,6'), 'a list of lengths'],
    [post('Content-Length: +5'), 'a sign is not a DIGIT'],
    [post('Content-Length: -5'), 'a length below 0'],
    [post('Content-Length: -0'), 'a sign before 0'],
    [post('Content-Length: 0x5'), 'not decimal'],
    [post('Content-Length: 5 5'), 'a blank between digits'],
    [post('Content-Length: 5_5'), 'an underscore between digits'],
    [post('Content-Length: 5.0'), 'a fraction'],
    [post('Content-Length: 1e1'), 'an exponent'],
    [post('Content-Length: 5;q=1'), 'a parameter'],
    [post('Content-Length: "5"'), 'a quoted string'],
    [post('Content-Length: \xa05'), 'a no-break space is no blank'],
    [post('Content-Length: \xb2'), 'a superscript two is no DIGIT'],
    [post('Content-Length:'), 'no length at all'],
    [post('Content-Length: 9007199254740992'), 'more than can be counted exactly'],
    [post('Content-Length: 18446744073709551621'), '2^64 + 5 would wrap round to 5'],
    [post('Content-Length: 00000000000000005'), 'more digits than any length needs'],
    [post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'), 'chunked in two fields'],
    [post('Transfer-Encoding: chunked, chunked'), 'chunked twice'],
    [post('Transfer-Encoding: chunked,'), 'a list with an empty member after chunked'],
    [post('Transfer-Encoding: chunked, gzip'), 'chunked is not the last coding'],
    [post('Transfer-Encoding: chunked, identity'), 'chunked is followed by identity'],
    ['POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 'HTTP/1.0 has no transfer codings (RFC 9112 6.1)'],
    ['POST / HTTP/1.0\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 'HTTP/1.0 with two framings'],
  ]),
  ...refuseAll('unknown_transfer_coding', [
    [post('Transfer-Encoding: gzip'), 'a coding that we do not have'],
    [post('Transfer-Encoding: gzip, chunked'), 'a coding that we do not have under chunked'],
    [post('Transfer-Encoding: identity'), 'identity is no coding any more'],
    [post('Transfer-Encoding: xchunked'), 'a name that ends like chunked'],
    [post('Transfer-Encoding: chunkedx'), 'a name that begins like chunked'],
    [post('Transfer-Encoding: chunked;a=b'), 'chunked has no parameters'],
    [post('Transfer-Encoding: "chunked"'), 'a quoted string is no coding'],
    [post('Transfer-Encoding: \xa0chunked'), 'a no-break space is no blank'],
    [post('Transfer-Encoding:'), 'no coding at all'],
    [post('Transfer-Encoding: chunked\t'), 'a tab after it, which llhttp takes for a part of its name'],
    [post('Transfer-Encoding: chunked \t '), 'the same between blanks'],
    [
      post('Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'),
      'a coding that we do not have, in a field of its own',
    ],
  ]),
  ...refuseAll('malformed_message', [
    ['GET / HTTP/1.1\nHost: a\n\n', 'bare LF ends every line'],
    ['GET / HTTP/1.1\nHost: a\r\n\r\n', 'bare LF ends the request line'],
    ['GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n', 'bare LF ends a field line'],
    ['GET / HTTP/1.1\r\nHost: a\r\n\n', 'bare LF ends the head'],
    [withFields('X: a\n\nY: b'), 'two bare LF where CRLF belongs'],
    ['GET / HTTP/1.1\n\nHost: a\r\n\r\n', 'two bare LF after the request line'],
    ['GET / HTTP/1.1\r\nHost: a\r\n\n\n', 'two bare LF end the head'],
    ['GET / HTTP/1.1\r\nHost: a\r\n\rX', 'CR without LF ends the head'],
    ['GET / HTTP/1.1\rHost: a\r\n\r\n', 'bare CR ends the request line'],
    [withFields('X: a\rb'), 'bare CR in a value'],
    [withFields('X: a\r\r'), 'CR before CRLF'],
    [withFields('X: a\r\n\tb'), 'a folded line, with a tab (obs-fold)'],
    [withFields('X: a\r\n b: c'), 'a folded line that looks like a field (obs-fold)'],
    ['GET / HTTP/1.1\r\n Host: a\r\n\r\n', 'a blank before the first field'],
    [withFields('X : a'), 'a blank before the colon'],
    [withFields('X\t: a'), 'a tab before the colon'],
    [withFields('Content-Length : 5'), 'a blank before the colon of a length'],
    [withFields(': a'), 'an empty name'],
    [withFields('X'), 'no colon'],
    [withFields('X Y: a'), 'a blank in a name'],
    [withFields('X(: a'), 'a delimiter in a name'],
    [withFields('"X": a'), 'a quoted name'],
    [withFields('X/Y: a'), 'a slash in a name'],
    [withFields('X\xe9: a'), 'obs-text in a name'],
    [withFields('X\x00: a'), 'NUL in a name'],
    [withFields('X\x7f: a'), 'DEL in a name'],
    [withFields('\xefbb\xbfX: a'), 'a byte order mark'],
    [withFields('X: a\x00b'), 'NUL in a value'],
    [withFields('X: a\x01'), 'a control byte in a value'],
    [withFields('X: a\x0bb'), 'a vertical tab in a value'],
    [withFields('X: a\x0c'), 'a form feed in a value'],
    [withFields('X: a\x7fb'), 'DEL in a value'],
    [withFields('Content-Length: \x0b5'), 'a vertical tab before a length'],
    [withFields('Transfer-Encoding: \x0bchunked'), 'a vertical tab before a coding'],
    ['GET /\r\n', 'HTTP/0.9'],
    ['GET /\n', 'HTTP/0.9 with a bare LF'],
    ['GET\r\n\r\n', 'a method alone'],
    ['GET / \r\nHost: a\r\n\r\n', 'a blank where the version belongs'],
    [startLine('GET / http/1.1'), 'the version in lower case'],
    [startLine('GET / HTTPS/1.1'), 'another protocol'],
    [startLine('GET / HTTP/1.1 '), 'a blank after the version'],
    [startLine('GET / HTTP/1.10'), 'a minor version of two digits'],
    [startLine('GET / HTTP/11.1'), 'a major version of two digits'],
    [startLine('GET / HTTP/1,1'), 'a comma in the version'],
    [startLine('GET / HTTP/1.'), 'no minor version'],
    [startLine('GET / HTTP/+1.1'), 'a sign in the version'],
    [startLine('GET /  HTTP/1.1'), 'two blanks after the target'],
    [startLine('GET /a b HTTP/1.1'), 'a blank in the target'],
    [startLine(' GET / HTTP/1.1'), 'a blank before the method'],
    [startLine('GET\t/ HTTP/1.1'), 'a tab after the method'],
    [startLine('G(T / HTTP/1.1'), 'a delimiter in the method'],
    [startLine('G\xc9T / HTTP/1.1'), 'obs-text in the method'],
    [startLine(`${'M'.repeat(33)} / HTTP/1.1`), 'a method longer than any that exists'],
    ['M'.repeat(100), 'a method that does not end'],
    ['\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'two empty lines before the request line'],
    ['\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'a bare LF before the request line'],
    ['\rGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'a bare CR before the request line'],
    ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'a TLS ClientHello'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'another protocol altogether'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'a reply'],
  ]),
  ...refuseAll('version_not_supported', [
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'the HTTP/2 preface'],
    [startLine('GET / HTTP/2.0'), 'HTTP/2'],
    [startLine('GET / HTTP/3.0'), 'HTTP/3'],
    [startLine('GET / HTTP/0.9'), 'HTTP/0.9 by name'],
    [startLine('GET / HTTP/1.2'), 'a minor version that does not exist'],
    [startLine('GET / HTTP/9.9'), 'the largest version'],
  ]),
  ...refuseAll('bad_target', [
    [startLine('GET  / HTTP/1.1'), 'an empty target'],
    [startLine('GET /\x00 HTTP/1.1'), 'NUL in the target'],
    [startLine('GET /\t HTTP/1.1'), 'a tab in the target'],
    [startLine('GET /\x7f HTTP/1.1'), 'DEL in the target'],
    [startLine('GET /caf\xc3\xa9 HTTP/1.1'), 'UTF-8 in the target'],
  ]),
  ...refuseAll('bad_host', [
    ['GET / HTTP/1.1\r\n\r\n', 'no Host'],
    ['GET / HTTP/1.1\r\nHosts: a\r\n\r\n', 'a name that begins like Host'],
    ['GET http://a/ HTTP/1.1\r\n\r\n', 'no Host, though the target names one (RFC 9112 3.2)'],
    ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'two hosts'],
    ['GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n', 'two hosts, though equal'],
    ['GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', 'two hosts in HTTP/1.0'],
  ]),
  ...refuseAll('unknown_expectation', [
    [post('Expect: 200-ok'), 'an expectation that does not exist'],
    [post('Expect: 100-continue, x'), 'another one beside it'],
    [post('Expect:'), 'no expectation at all'],
    [post('Expect: 100-continue', 'Expect: x'), 'another one in a field of its own'],
  ]),
  ...refuseAll('target_too_long', [
    [startLine(`GET /${'t'.repeat(LIMITS.maxTargetBytes)} HTTP/1.1`), 'one byte more than the limit'],
    [`GET /${'t'.repeat(LIMITS.maxTargetBytes)}`, 'refused before its end has come'],
  ]),
  ...refuseAll('head_too_large', [
    [withFields(`X: ${'x'.repeat(LIMITS.maxHeadBytes)}`), 'a field larger than a head may be'],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(LIMITS.maxHeadBytes)}`, 'refused before its end has come'],
    [`GET / HTTP/1.1\r\nHost: a\r\n${'x'.repeat(LIMITS.maxHeadBytes)}`, 'a name without end'],
    [withFields(...Array.from({ length: 100 }, (_none, at) => `X${at}: ${at}`)), 'one field more than the limit'],
    [withFields(...Array.from({ length: 2000 }, () => 'X:')), 'many small fields'],
  ]),
];

const isRead = (got: ReturnType<typeof decodeRequest>): got is DecodedRequest =>
  typeof got === 'object' && 'method' in got;

const shown = (message: string) => JSON.stringify(message.length > 60 ? `${message.slice(0, 60)}...` : message);

describe('a request head is read', () => {
  for (const { message, why, means } of ACCEPTED) {
    test(`${why}: ${shown(message)}`, () => {
      const got = decodeRequest(toBytes(message));
      assert.ok(isRead(got), JSON.stringify(got));
      assert.equal(got.headBytes, message.length);
      for (const [name, value] of Object.entries(means)) {
        assert.deepEqual(got[name as keyof DecodedRequest], value, name);
      }
    });
  }

  test('wherever it is cut: every part of it is unfinished, and the whole is the same whatever follows', () => {
    for (const { message } of ACCEPTED) {
      const bytes = toBytes(message);
      const whole = decodeRequest(bytes);
      for (const [part] of cutsOf(bytes)) {
        assert.equal(decodeRequest(part), UNFINISHED, `${shown(message)} cut at ${part.length}`);
      }
      assert.deepEqual(decodeRequest(Buffer.concat([bytes, toBytes('GET /next')])), whole);
    }
  });

  test('nothing is left of the request before it in a head that is used again', () => {
    const order = [
      'POST /x HTTP/1.0\r\nConnection: keep-alive, cookie\r\nContent-Length: 7\r\nHost: b\r\n\r\n',
      post('Transfer-Encoding: chunked', 'Expect: 100-continue'),
      withFields(),
    ];
    const used = new RequestHead(MAX_FIELDS);
    for (const message of [...order, 'BAD(', ...order]) {
      const bytes = toBytes(message);
      used.clear();
      assert.deepEqual(decodeRequest(bytes, LIMITS, used), decodeRequest(bytes, LIMITS, new RequestHead(MAX_FIELDS)));
    }
  });

  test('limits are those of the bytes of this head, an empty line before it included', () => {
    const message = withFields();
    const fits = { maxHeadBytes: message.length, maxTargetBytes: 1 };
    assert.ok(isRead(decodeRequest(toBytes(message), fits)));
    assert.ok(isRead(decodeRequest(toBytes(`${message}GET / H`), fits)), 'what follows counts for nothing');
    const tooLarge = { refused: 'head_too_large' };
    assert.deepEqual(decodeRequest(toBytes(message), { ...fits, maxHeadBytes: message.length - 1 }), tooLarge);
    assert.deepEqual(decodeRequest(toBytes(`\r\n${message}`), fits), tooLarge);
  });

  test('as many fields as there is room for pass', () => {
    const message = toBytes(withFields('A: 1', 'B: 2'));
    assert.ok(isRead(decodeRequest(message, LIMITS, new RequestHead(3))));
    assert.deepEqual(decodeRequest(message, LIMITS, new RequestHead(2)), { refused: 'head_too_large' });
  });
});

describe('a request head is refused', () => {
  for (const { message, code, why } of REFUSED) {
    test(`${why}: ${code}: ${shown(message)}`, () => {
      assert.deepEqual(decodeRequest(toBytes(message)), { refused: code });
    });
  }

  test('wherever it is cut: a part is unfinished or refused for the same reason, and never read', () => {
    for (const { message, code } of REFUSED) {
      const bytes = toBytes(message);
      let refusedAt = Number.POSITIVE_INFINITY;
      for (const [part] of cutsOf(bytes.subarray(0, 600))) {
        const got = decodeRequest(part);
        if (got === UNFINISHED) assert.ok(part.length < refusedAt, `${shown(message)}: unfinished after a refusal`);
        else {
          assert.deepEqual(got, { refused: code }, `${shown(message)} cut at ${part.length}`);
          refusedAt = Math.min(refusedAt, part.length);
        }
      }
    }
  });
});

test('every byte has one meaning in every place: in a method, a target, a name and a value', () => {
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/;
  for (let byte = 0; byte < 256; byte++) {
    const character = String.fromCharCode(byte);
    const isToken = token.test(character);
    const places = [
      { at: 'method', message: startLine(`G${character}T / HTTP/1.1`), valid: isToken },
      { at: 'target', message: startLine(`GET /${character}. HTTP/1.1`), valid: byte > 0x20 && byte < 0x7f },
      { at: 'name', message: withFields(`X${character}Y: v`), valid: isToken || character === ':' },
      {
        at: 'value',
        message: withFields(`X: a${character}b`),
        valid: character === '\t' || (byte >= 0x20 && byte !== 0x7f),
      },
    ];
    for (const { at, message, valid } of places) {
      const got = decodeRequest(toBytes(message));
      assert.equal(isRead(got), valid, `0x${byte.toString(16)} in a ${at}: ${JSON.stringify(got)}`);
    }
  }
});
