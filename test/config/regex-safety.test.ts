import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type * as recheck from 'recheck';
import { regexDanger } from '../../src/config/regex-safety.ts';
import { parseRegex, type RegexNode } from '../../src/config/regex-syntax.ts';
import { isWithoutChoice } from '../../src/config/regex-without-choice.ts';
import { originExpression } from '../../src/http/origin-expression.ts';
import { matchSteps } from '../support/backtracking.ts';

const WITHOUT_CHOICE = ['^/v[0-9]+/', '^/users/(\\d+)/posts/[^/]+$', '^/(?:[a-z]+)/([0-9]+)\\.json$', '^/a\\$'];

for (const source of WITHOUT_CHOICE) {
  test(`is seen to have one way through a text: ${source}`, () => assert.ok(isWithoutChoice(source)));
}

const WITH_CHOICE = [
  '/a',
  '^/a|b',
  '^/a?',
  '^/(a+)+',
  '^/(?:a+)*$',
  '^/.*/.*/',
  '^/a+a+$',
  '^/[a-z]+x[0-9]+$',
  '^/\\d+\\w+$',
  '^/\\w+\\d$[0-9]+',
  '^/a+b*a+$',
  '^/(?=a)b',
  '^/(a)\\1',
  '^/a{9}',
];

for (const source of WITH_CHOICE) {
  test(`is left to a closer look: ${source}`, () => assert.ok(!isWithoutChoice(source)));
}

/** What people write, each with a text that it matches. */
const HARMLESS: readonly { source: string; text: string; why: string }[] = [
  { source: '^/v[0-9]+/', text: '/v12/users', why: 'a version' },
  { source: '^/[0-9]{1,3}/x', text: '/123/x', why: 'a number of a few digits' },
  { source: '^/v\\d+(?:\\.\\d+){0,2}/', text: '/v1.22.3/a', why: 'a version of up to three numbers' },
  {
    source: '^/v(\\d{1,3})\\.(\\d{1,3})(?:-(?:alpha|beta|rc)\\.?\\d{0,3})?$',
    text: '/v1.2-rc.1',
    why: 'a version that may be provisional',
  },
  { source: '^/\\d{4}-\\d{2}-\\d{2}$', text: '/2026-07-01', why: 'a date' },
  { source: '^/\\d{4}/\\d{1,2}(?:/\\d{1,2})?$', text: '/2026/7/14', why: 'a month or a day' },
  {
    source: '^/log/\\d{4}-[01]\\d-[0-3]\\dT[0-2]\\d:[0-5]\\d(?::[0-5]\\d(?:\\.\\d{1,9})?)?(?:Z|[+-]\\d\\d:\\d\\d)$',
    text: '/log/2026-07-01T12:30:59.123Z',
    why: 'a time (RFC 3339)',
  },
  { source: '^/(?:[a-z]{2}(?:-[A-Z]{2})?)/', text: '/pt-BR/home', why: 'a language, perhaps with a country' },
  { source: '^/(?:en|es|fr|de)(?:-[a-z]{2,4})?(?:/|$)', text: '/en-us/', why: 'some languages' },
  {
    source: '^/[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|\\d{3}))?/',
    text: '/zh-Hant-TW/a',
    why: 'a language tag (RFC 5646)',
  },
  {
    source: '^/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
    text: '/123e4567-e89b-12d3-a456-426614174000',
    why: 'a UUID',
  },
  {
    source: '^/u/[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?:/.*)?$',
    text: '/u/123e4567-e89b-12d3-a456-426614174000/a',
    why: 'a UUID in which the groups are counted, and what is below',
  },
  {
    source: '^/[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/',
    text: '/123e4567-e89b-12d3-a456-426614174000/',
    why: 'a UUID with version and variant',
  },
  { source: '^/[0-7][0-9A-HJKMNP-TV-Z]{25}$', text: '/01ARZ3NDEKTSV4RRFFQ69G5FAV', why: 'a ULID' },
  { source: '^/[0-9a-f]{24}$', text: '/507f1f77bcf86cd799439011', why: 'an object id' },
  { source: '^/(?:[0-9a-f]{7}|[0-9a-f]{40})$', text: '/a1b2c3d', why: 'a commit, short or long' },
  { source: '^/blob/(?:sha256:)?[0-9a-f]{64}$', text: `/blob/${'0a'.repeat(32)}`, why: 'a digest' },
  { source: '^/ip/(?:\\d{1,3}\\.){3}\\d{1,3}$', text: '/ip/192.168.100.200', why: 'an IPv4 address' },
  {
    source: '^/ip/(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.|$)){4}',
    text: '/ip/192.168.100.200',
    why: 'an IPv4 address by the values of its parts',
  },
  { source: '^/mac/(?:[0-9A-F]{2}:){5}[0-9A-F]{2}$', text: '/mac/00:1A:2B:3C:4D:5E', why: 'a MAC address' },
  {
    source: '^/host/(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.){1,10}[a-z]{2,63}$',
    text: '/host/api.my-app.example.com',
    why: 'a host name whose labels are bounded',
  },
  {
    source: '^/host/(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$',
    text: '/host/api.my-app.example.com',
    why: 'a host name whose labels are not',
  },
  { source: '^/[A-Za-z0-9_-]{1,64}$', text: '/Some_name-1', why: 'a name of bounded length' },
  { source: '^/[a-z][a-z0-9]*(?:-[a-z0-9]+)*$', text: '/a-word-and-1-more', why: 'words with hyphens' },
  {
    source: '^/p/([a-z0-9]+(?:-[a-z0-9]+){0,20})-(\\d{1,10})\\.html$',
    text: '/p/red-shoes-12-1234567.html',
    why: 'words and a number at the end',
  },
  {
    source: '^/blog/(\\d{4})/(\\d{2})/([a-z0-9]+(?:-[a-z0-9]+)*)/?$',
    text: '/blog/2026/07/the-first-post/',
    why: 'a post with its month',
  },
  {
    source: '^/api/(?:users|orders|invoices)/(\\d+)(?:/(?:items|notes))?/?$',
    text: '/api/orders/7/items',
    why: 'some resources',
  },
  { source: '^/api/(?<version>v\\d+)/(?<rest>.*)$', text: '/api/v1/a/b', why: 'named groups' },
  { source: '^/(?!api/|static/).*', text: '/about', why: 'all but some directories' },
  { source: '^/(?!.*\\.(?:png|css)$)', text: '/page', why: 'all but some suffixes' },
  { source: '^/(?:.*/)?([^/]+)\\.(?:png|jpe?g|gif|webp|avif)$', text: '/a/b/c.jpeg', why: 'pictures anywhere' },
  { source: '^/[^/]+\\.(?:css|js|mjs|map|woff2?)$', text: '/app.woff2', why: 'assets at the top' },
  {
    source: '^/static/[\\w./-]+\\.[0-9a-f]{8,20}\\.(?:js|css)$',
    text: '/static/js/main.0a1b2c3d.js',
    why: 'assets with a digest',
  },
  { source: '^/thumb/(\\d{1,4})x(\\d{1,4})(?:@[23]x)?/', text: '/thumb/640x480@2x/a.png', why: 'sizes' },
  {
    source: '^/tiles/\\d{1,2}/\\d{1,7}/\\d{1,7}\\.(?:png|mvt)$',
    text: '/tiles/12/2200/1343.png',
    why: 'tiles of a map',
  },
  { source: '^/@-?\\d{1,3}\\.\\d{1,8},-?\\d{1,3}\\.\\d{1,8}', text: '/@-33.8670522,151.1957362', why: 'coordinates' },
  { source: '^/@[A-Za-z0-9_]{1,30}(?:/status/\\d+)?$', text: '/@some_one/status/123', why: 'a user' },
  {
    source: '^/[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){0,38}/',
    text: '/some-user/',
    why: 'a name without two hyphens in a row',
  },
  {
    source: '^/repos/[\\w.-]{1,100}/[\\w.-]{1,100}(?:\\.git)?(?:/.*)?$',
    text: '/repos/a/b.git/info',
    why: 'a repository',
  },
  {
    source: '^/v2/(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9-]+/manifests/[\\w.:-]{1,128}$',
    text: '/v2/library/nginx/manifests/1.27',
    why: 'an image',
  },
  {
    source: '^/(?:[A-Za-z0-9._~-]|%[0-9A-F]{2}){1,200}$',
    text: '/caf%C3%A9',
    why: 'a segment with what is percent-encoded',
  },
  {
    source: '^/mail/[\\w.+-]{1,64}@[\\w-]{1,63}(?:\\.[\\w-]{1,63}){1,4}$',
    text: '/mail/a.b@mail.example.com',
    why: 'an address of mail',
  },
  { source: '^/pay/\\d{4}(?:-?\\d{4}){3}$', text: '/pay/4111-1111-1111-1111', why: 'the number of a card' },
  { source: '^/isbn/(?:97[89]-?)?(?:\\d-?){9}[\\dX]$', text: '/isbn/978-3-16-148410-0', why: 'a number of a book' },
  { source: '^/tel/\\+?\\d{1,3}(?:[-.]?\\d{2,4}){2,4}$', text: '/tel/+1-212-555-0100', why: 'a number of a telephone' },
  { source: '^/(?:[^/]+/){0,3}edit$', text: '/a/b/edit', why: 'a few directories' },
  { source: '^/wp-(?:admin|login|content|includes)(?:/|\\.php|$)', text: '/wp-login.php', why: 'parts of a program' },
  { source: '^/(.*)-(\\d+)$', text: '/some-thing-12', why: 'what ends in a number' },
  { source: '^/old/(.*)$', text: '/old/a/b', why: 'all that is below' },
  { source: '\\.html$', text: '/a/b.html', why: 'a suffix, looked for from every place' },
  { source: '^/(?:\\d{3,4}|[A-Z]{2}\\d{1,4})(?:\\.\\d{1,2}){0,3}$', text: '/AB12.3.4', why: 'an article' },
  {
    source: '^/lookup/(?:(?:word|wood|wool|work|world|worm)-){0,6}$',
    text: '/lookup/wood-world-',
    why: 'words that begin alike',
  },
  { source: '^https://pr-\\d+\\.example\\.net$', text: 'https://pr-17.example.net', why: 'an origin with a number' },
  { source: '^https?://localhost(?::\\d{2,5})?', text: 'http://localhost:3000', why: 'an origin with a port' },
  {
    source: '^https://(?:[a-z0-9-]{1,63}\\.){0,3}example\\.com$',
    text: 'https://a.b-c.example.com',
    why: 'an origin below a domain',
  },
];

/** Texts that begin as what an expression matches and end otherwise, up to a length. */
function hostileTexts(text: string, length: number): readonly string[] {
  const pieces = new Set(['a', '0', '-', '/', 'a-', '0.', text, text.slice(1), text.slice(-3)]);
  const beginnings = [...Array.from({ length: text.length }, (_, at) => text.slice(0, at + 1))];
  return beginnings.flatMap((beginning) =>
    [...pieces].map((piece) => `${beginning}${piece.repeat(length)}`.slice(0, length).concat('!')),
  );
}

/** In a text of this length no accepted expression may take more steps than this. */
const LENGTH = 64;
const MAX_STEPS = 1_000_000;

const hasLook = (source: string): boolean => /\(\?<?[=!]/.test(source);

describe('what people write is harmless', () => {
  test('there are many such expressions', () => assert.ok(HARMLESS.length >= 50));

  for (const { source, text, why } of HARMLESS) {
    test(`${why}: ${source}`, () => {
      assert.match(text, new RegExp(source));
      assert.equal(regexDanger(source), null);
      assert.equal(regexDanger(originExpression(source)), null, 'as an origin');
      if (hasLook(source)) return;
      const tree = parseRegex(source) as RegexNode;
      for (const hostile of hostileTexts(text, LENGTH)) {
        const { found } = matchSteps(tree, hostile, MAX_STEPS);
        assert.equal(found, new RegExp(source).test(hostile), hostile);
      }
    });
  }
});

const DANGEROUS = [
  { source: '^/(a+)+$', why: 'a repetition within a repetition' },
  { source: '^/(a|a)*b', why: 'two alternatives for one text' },
  { source: '^/(.*)/(.*)/(.*)$', why: 'neighbours that take the same characters' },
  { source: '^/|a*b', why: 'a search from every place' },
  { source: `^${'a?'.repeat(60)}${'a'.repeat(60)}$`, why: 'many options for one text' },
  { source: '^/((a{1,3}){1,3}){1,9}b$', why: 'repetitions up to a number within one another' },
  { source: '^/(?:(?:a|aa|aaa){1,20}){1,4}b$', why: 'alternatives that are repeated up to a number' },
  { source: '^/(?:\\w{1,20}\\s?){1,10}$', why: 'what is repeated ends in what need not be there' },
  { source: `^/${'(?:a|a)'.repeat(20)}b`, why: 'alternatives for one text in a row' },
  { source: `^/${'(?:|)'.repeat(30)}b`, why: 'alternatives for nothing in a row' },
  { source: '^/(?:a|ab|b){30}$', why: 'alternatives that are repeated a number of times' },
  { source: '^/[a-z]{1,99}[a-z]{1,99}[a-z]{1,99}$', why: 'neighbours of bounded length' },
  { source: '(?:a{1,9}){1,9}b', why: 'bounded repetitions, tried from every place' },
  { source: '^/(?=(?:(?:a{1,5}){1,5}){1,5}b)', why: 'bounded repetitions in what is looked at ahead' },
  { source: '^/(a{1,9}){1,9}\\1$', why: 'what a group has matched' },
  { source: '^/(?i:a|A)b$', why: 'modifiers, which are not looked through' },
];

describe('is refused, with the reason and what to do', () => {
  for (const { source, why } of DANGEROUS) {
    test(why, () => {
      const danger = regexDanger(source);
      assert.match(danger?.reason ?? 'nothing', /time|too complex|more than 4096 ways|modifiers/);
      assert.notEqual(danger?.help ?? '', '');
    });
  }

  test('repetitions within one another, without running them', () => {
    const tree = parseRegex('^/((a{1,3}){1,3}){1,9}b$') as RegexNode;
    assert.throws(
      () => matchSteps(tree, `/${'a'.repeat(18)}`, 1_000_000),
      'eighteen letters take more than a million steps',
    );
  });

  test('an origin that is dangerous only because the whole of it has to match', () => {
    assert.equal(regexDanger('^https://[a-z]+[a-z]+'), null);
    assert.notEqual(regexDanger(originExpression('^https://[a-z]+[a-z]+')), null);
  });
});

/** Expressions of parts within parts. `endless`: some of them are repeated without an end. */
function nested(endless: boolean): fc.Arbitrary<string> {
  const times = fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 6 })).map(([min, more]) => `{${min},${min + more}}`);
  const exactly = fc.nat({ max: 5 }).map((count) => `{${count}}`);
  const quantifier = fc.oneof(fc.constantFrom('', '?', ...(endless ? ['*', '+'] : [])), times, exactly);
  const { part } = fc.letrec<{ part: string; atom: string; row: string; choice: string; repeat: string }>((tie) => ({
    part: fc.oneof(
      { depthSize: 'large', maxDepth: 5 },
      tie('atom'),
      tie('row'),
      tie('choice'),
      tie('repeat'),
      tie('repeat'),
    ),
    atom: fc.constantFrom('a', 'b', '[ab]', '.', '-', '[a-]', 'aa', 'ab', 'ba', '\\w', '[^b]'),
    row: fc.array(tie('part'), { minLength: 2, maxLength: 3 }).map((parts) => parts.join('')),
    choice: fc.array(tie('part'), { minLength: 2, maxLength: 3 }).map((parts) => `(?:${parts.join('|')})`),
    repeat: fc.tuple(tie('part'), quantifier).map(([inner, quantity]) => `(${inner})${quantity}`),
  }));
  const end = fc.constantFrom('', '!', '!$', 'b$', '$');
  return fc.tuple(part, end).map(([inner, ending]) => `^/${inner}${ending}`);
}

const TEXTS = ['a', 'b', '-', 'ab', 'aab', 'ba', 'a-', 'abb'].map((unit) => `/${unit.repeat(LENGTH)}`.slice(0, LENGTH));

for (const { endless, numRuns } of [
  { endless: false, numRuns: 1500 },
  { endless: true, numRuns: 25 },
]) {
  test(`no accepted expression takes more steps than a bound, ${endless ? 'also with parts without an end' : 'whatever is in what'}`, () => {
    fc.assert(
      fc.property(nested(endless), (source) => {
        if (source.length > 500 || regexDanger(source) !== null) return;
        const tree = parseRegex(source) as RegexNode;
        for (const text of TEXTS) {
          assert.equal(matchSteps(tree, text, MAX_STEPS).found, new RegExp(source).test(text), text);
        }
      }),
      { numRuns },
    );
  });
}

/** Rows of pieces, safe or not. */
const piece = fc.tuple(
  fc.constantFrom('a', 'b', '/', '\\d', '\\w', '[ab]', '[^/]', '.', '\\.'),
  fc.constantFrom('', '', '+', '*'),
);
const row = fc
  .array(piece, { minLength: 1, maxLength: 6 })
  .map((pieces) => `^${pieces.map(([atom, quantifier]) => atom + quantifier).join('')}$`);

test('what is accepted without the checker is safe for the checker, too', () => {
  const { checkSync } = createRequire(import.meta.url)('recheck') as typeof recheck;
  process.env['RECHECK_SYNC_BACKEND'] = 'pure';
  fc.assert(
    fc.property(row, (source) => {
      if (regexDanger(source) === null) assert.notEqual(checkSync(source, '').status, 'vulnerable', source);
    }),
    { numRuns: 300 },
  );
});
