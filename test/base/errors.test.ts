import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ERROR_CODES, type ErrorCode, PhotonError } from '../../src/base/errors.ts';
import { reasonPhrase } from '../../src/http/status.ts';

/** What happened -> the status that the client sees. */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  malformed_message: 400,
  ambiguous_framing: 400,
  bad_host: 400,
  bad_target: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  method_refused: 405,
  request_timeout: 408,
  body_too_large: 413,
  target_too_long: 414,
  unknown_expectation: 417,
  upgrade_required: 426,
  rate_limited: 429,
  head_too_large: 431,
  client_closed: 499,
  internal_error: 500,
  middleware_failed: 500,
  unknown_transfer_coding: 501,
  upstream_connect_failed: 502,
  upstream_tls_failed: 502,
  upstream_reset: 502,
  upstream_malformed: 502,
  authentication_unavailable: 503,
  no_upstream: 503,
  upstreams_full: 503,
  gateway_full: 503,
  upstream_connect_timeout: 504,
  upstream_timeout: 504,
  upstream_write_timeout: 504,
  deadline_exceeded: 504,
  middleware_timeout: 504,
  version_not_supported: 505,
};

describe('an error', () => {
  for (const code of ERROR_CODES) {
    test(`${code} has the status of the table, a title, and a reason where it is sent`, () => {
      const error = new PhotonError(code, 'What happened.');
      assert.equal(error.status, STATUS[code]);
      assert.equal(error.code, code);
      assert.equal(error.message, 'What happened.');
      assert.match(error.title, /^[A-Z].*[a-z]$/);
      assert.ok(error instanceof Error);
      // 499 is for the log only: there is nobody to send it to.
      assert.equal(reasonPhrase(error.status) === '', code === 'client_closed');
    });
  }

  test('of a message that cannot be trusted ends the connection, and so does one whose end will not come', () => {
    const closing = ERROR_CODES.filter((code) => new PhotonError(code, '').closesConnection);
    assert.deepEqual(
      new Set(closing),
      new Set([
        'malformed_message',
        'ambiguous_framing',
        'bad_host',
        'bad_target',
        'method_refused',
        'request_timeout',
        'body_too_large',
        'target_too_long',
        'unknown_expectation',
        'head_too_large',
        'client_closed',
        'internal_error',
        'unknown_transfer_coding',
        'gateway_full',
        'version_not_supported',
      ]),
    );
  });

  test('takes no time for a stack, and leaves other errors theirs', () => {
    assert.equal(new PhotonError('not_found', 'Nothing here.').stack, 'PhotonError: Nothing here.');
    assert.match(new Error('bug').stack ?? '', /errors\.test\.ts/);
  });

  test('is the upstream’s fault only where the upstream did something', () => {
    for (const code of ERROR_CODES) {
      const { fault } = new PhotonError(code, '');
      const upstreams = code === 'deadline_exceeded' || /^upstream_/.test(code);
      assert.equal(fault === 'upstream', upstreams, code);
      assert.equal(new PhotonError('client_closed', '').fault, 'downstream');
    }
  });
});
