import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VerifiedTokens } from '../../../src/middleware/auth/jwt/verified-tokens.ts';

const VERIFIED = { consumer: 'alice', fields: null, fromMs: 0, untilMs: 1000 };
const NOW_MS = 500;

let others = 0;

/** Puts so many other tokens in, each so long. */
function fill(tokens: VerifiedTokens, count: number, chars: number): void {
  for (let n = 0; n < count; n++) tokens.put(String(others++).padStart(chars, '.'), VERIFIED);
}

describe('tokens that were verified', () => {
  for (const { count, chars, why } of [
    { count: 8192, chars: 10, why: 'by their number' },
    { count: 520, chars: 8192, why: 'by their length' },
  ]) {
    test(`are bounded ${why}: one that is not used is forgotten, one that is used stays`, () => {
      const tokens = new VerifiedTokens();
      tokens.put('unused', VERIFIED);
      tokens.put('used', VERIFIED);
      for (let round = 0; round < 4; round++) {
        fill(tokens, count / 4, chars);
        assert.equal(tokens.get('used', NOW_MS), VERIFIED);
      }
      fill(tokens, count / 4, chars);
      assert.equal(tokens.get('used', NOW_MS), VERIFIED);
      assert.equal(tokens.get('unused', NOW_MS), undefined);
    });
  }

  test('with one end are told apart, however short they are', () => {
    const tokens = new VerifiedTokens();
    const texts = ['', 'a', 'aa', 'aaaa', 'b.aaaa', 'c.aaaa'];
    const kept = new Map(texts.map((text) => [text, { ...VERIFIED, consumer: text }]));
    for (const [text, token] of kept) tokens.put(text, token);
    for (const [text, token] of kept) assert.equal(tokens.get(text, NOW_MS), token);
    for (const text of ['aaa', 'd.aaaa', 'aaaab']) assert.equal(tokens.get(text, NOW_MS), undefined);
  });

  test('are all forgotten at once, old ones and new ones', () => {
    const tokens = new VerifiedTokens();
    tokens.put('old', VERIFIED);
    fill(tokens, 4096, 10);
    tokens.put('new', VERIFIED);
    tokens.clear();
    assert.deepEqual([tokens.get('old', NOW_MS), tokens.get('new', NOW_MS)], [undefined, undefined]);
  });
});
