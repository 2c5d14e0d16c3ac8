import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authenticatesConnection, challengesConnection } from '../../src/http/connection-authentication.ts';
import { FieldDrops } from '../../src/http/field-drops.ts';
import { outgoingRequest, requestHead, responseHead } from '../wire/h1/heads.ts';

const request = (lines: readonly string[], additions = '') =>
  outgoingRequest(requestHead(`GET / HTTP/1.1\r\n${['Host: a', ...lines, ''].join('\r\n')}\r\n`), additions);

const REQUESTS = [
  { lines: ['Authorization: NTLM TlRMTVNTUAABAAAA'], is: true, why: 'NTLM' },
  { lines: ['Authorization: Negotiate YIIabc'], is: true, why: 'Negotiate' },
  { lines: ['authorization:nTLM TlRM'], is: true, why: 'names and schemes have no case' },
  { lines: ['Authorization: Nego2 abc'], is: true, why: 'a variant of Negotiate' },
  {
    lines: ['Authorization: Bearer abc', 'X-A: b', 'Authorization: NTLM abc'],
    is: true,
    why: 'the second field of two',
  },
  { lines: ['Authorization: Basic TlRMTTo='], is: false, why: 'Basic is about the request' },
  { lines: ['Authorization: Bearer NTLM'], is: false, why: 'the name of the scheme stands first' },
  { lines: ['X-Authorization: NTLM abc'], is: false, why: 'another field' },
  { lines: ['WWW-Authenticate: NTLM'], is: false, why: 'a challenge in a request means nothing' },
  { lines: [], is: false, why: 'none' },
];

const REPLIES = [
  { lines: ['WWW-Authenticate: NTLM'], is: true, why: 'NTLM' },
  { lines: ['WWW-Authenticate: negotiate'], is: true, why: 'Negotiate, in lower case' },
  { lines: ['WWW-Authenticate: NTLM TlRMTVNTUAACAAAA'], is: true, why: 'the second step of NTLM' },
  { lines: ['WWW-Authenticate: Basic realm="a, b", NTLM'], is: true, why: 'the last one of a list' },
  { lines: ['WWW-Authenticate: Basic realm="a"', 'WWW-Authenticate: Negotiate'], is: true, why: 'the second field' },
  { lines: ['WWW-Authenticate: Basic realm="NTLM"'], is: false, why: 'the name of a realm' },
  { lines: ['WWW-Authenticate: Bearer'], is: false, why: 'Bearer is about the request' },
  { lines: ['Authorization: NTLM'], is: false, why: 'credentials in a reply mean nothing' },
  { lines: [], is: false, why: 'none' },
];

describe('a connection is authenticated', () => {
  for (const { lines, is, why } of REQUESTS) {
    test(`${is ? 'by' : 'not by'} a request with ${lines.join(' and ') || 'no credentials'}: ${why}`, () => {
      assert.equal(authenticatesConnection(request(lines)), is);
    });
  }

  test('not by credentials that do not pass', () => {
    const dropped = { ...request(['Authorization: NTLM abc']), requestDrops: new FieldDrops(['authorization']) };
    assert.equal(authenticatesConnection(dropped), false);
  });

  for (const line of ['authorization: negotiate abc', 'AUTHORIZATION:NTLM abc']) {
    test(`by what middleware adds: ${line}`, () => {
      assert.equal(authenticatesConnection(request([], `X-A: b\r\n${line}\r\nX-C: d\r\n`)), true);
    });
  }

  test('not by another field that middleware adds', () => {
    assert.equal(
      authenticatesConnection(request([], 'X-Authorization: NTLM abc\r\nX-B: Authorization: NTLM\r\n')),
      false,
    );
  });

  for (const { lines, is, why } of REPLIES) {
    test(`${is ? 'after' : 'not after'} a reply with ${lines.join(' and ') || 'no challenge'}: ${why}`, () => {
      const text = `HTTP/1.1 401 No\r\n${['Content-Length: 0', ...lines, ''].join('\r\n')}\r\n`;
      assert.equal(challengesConnection(responseHead(text)), is);
    });
  }
});
