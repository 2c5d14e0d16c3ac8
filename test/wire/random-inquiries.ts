import type { Inquiry } from '../../src/explain/inquiry.ts';
import type { Random } from '../support/random.ts';

/** Routes and requests made of few words, so that they meet often, and of many spellings of each. */

interface RandomRoute {
  readonly id: string;
  readonly [key: string]: unknown;
}

const SEGMENTS = ['a', 'a', 'b', 'users', 'users', '*', '{id}', 'v?', '*.js', '**'];
const HOSTS = ['a.test', 'b.test', '*.b.test'];

export function makeRandomRoutes(random: Random, count: number): readonly RandomRoute[] {
  const routes = Array.from({ length: count }, (_, index) => makeRoute(random, `r${index}`));
  // One that regular expressions have a part in, and one whose prefix goes.
  return [
    ...routes,
    { id: 'regex', path: '^/users/(?<id>[0-9]+)$', methods: ['GET', 'POST'] },
    { id: 'stripped', path: '/users/a/**', strip_prefix: '/users', upstream_host: 'upstream', priority: -1 },
  ];
}

function makeRoute(random: Random, id: string): RandomRoute {
  const sometimes = (oneIn: number, key: string, value: () => unknown) =>
    random.below(oneIn) === 0 ? { [key]: value() } : {};
  return {
    id,
    path: makePattern(random),
    ...sometimes(3, 'methods', () => random.pick([['GET'], ['GET', 'POST'], ['GET', 'DELETE'], ['PURGE']])),
    ...sometimes(3, 'host', () => random.pick(HOSTS)),
    ...sometimes(6, 'priority', () => random.below(5) - 2),
    ...sometimes(4, 'match', () =>
      random.pick([{ headers: { 'X-Version': '2' } }, { query: { q: true } }, { query: { q: '1' } }]),
    ),
    ...sometimes(4, 'strip_prefix', () => random.pick(['/a', '/users', '/a/b'])),
    ...sometimes(4, 'upstream_host', () => random.pick(['preserve', 'upstream', `${id}.internal`])),
    ...sometimes(4, 'timeout', () => '30s'),
  };
}

function makePattern(random: Random): string {
  const segments = Array.from({ length: 1 + random.below(3) }, () => random.pick(SEGMENTS));
  // A name may be there once, and two `**` in a row mean what one means.
  const once = segments.filter((segment, index) => !/[{]|\*\*/.test(segment) || segments.indexOf(segment) === index);
  // A route that takes everything would leave nothing to the others.
  const takesAll = once.includes('**') && once.every((segment) => /^(\*\*?|\{id\})$/.test(segment));
  return takesAll ? '/a/**' : `/${once.join('/')}`;
}

const PIECES = ['a', 'a', 'b', 'b', 'users', 'users', 'v1', '7', 'x.js', '%61', '%7Eb'];
const RARE_PIECES = ['%2f', 'a%2Fb', '%c3%a9', '', '.', '..', 'A', 'v'];
const ODD_PIECES = ['%00', '%5c', '%zz', '\\', '{', '#x', '..;', '|'];
const QUERIES = ['', '', '', '?', '?q', '?q=1', '?q=2&r', '?%71=1', '?a=/../b', '?<>'];
const METHODS = [
  'GET',
  'GET',
  'GET',
  'GET',
  'GET',
  'POST',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'PURGE',
  'OPTIONS',
  'get',
  'TRACE',
  'CONNECT',
];
const AUTHORITIES = ['a.test', 'B.test', 'x.b.test', 'x.y.b.test', 'c.test', 'a.test.:80', '127.0.0.1:8080', '[::1]'];
const ODD_AUTHORITIES = ['', 'a..test', 'a.test:x', 'u@a.test', 'a test', '[::1'];

const FIELDS = [
  'X-Version: 2',
  'x-version:2',
  'X-Version: 3',
  'Accept: application/json',
  'Connection: keep-alive, X-Hop',
  'X-Hop: gone',
  'Upgrade: websocket',
  'TE: trailers',
  'X-Forwarded-For: 192.0.2.7, 10.0.0.9',
  'X-Forwarded-For: nonsense, 10.0.0.9',
  'X-Forwarded-For: 198.51.100.1',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: outer.test',
  'X-Forwarded-Port: 443',
  'X-Request-ID: abc-123',
  'X-Request-ID: not sane',
  'Via: 1.0 other',
  'Cookie: a=b',
  'Content-Length: 0',
  'Content-Length: 5',
  'Expect: 100-continue',
  'Empty:',
];
const ODD_FIELDS = [
  'Content-Length: 5x',
  'Transfer-Encoding: gzip',
  'Expect: a miracle',
  'Space : before the colon',
  'no colon',
  `X-Long: ${'x'.repeat(2500)}`,
];

export function makeRandomInquiry(random: Random): Pick<Inquiry, 'method' | 'target' | 'fields'> {
  const method = random.pick(METHODS);
  const authority = odd(random, 25) ? random.pick(ODD_AUTHORITIES) : random.pick(AUTHORITIES);
  const fields = [`Host: ${authority}`];
  for (let more = random.below(5); more > 0; more--) fields.push(random.pick(FIELDS));
  if (odd(random, 30)) fields.push(random.pick(ODD_FIELDS.slice(0, 4)));
  if (odd(random, 60)) fields.push(ODD_FIELDS[5] as string);
  if (odd(random, 60)) fields.push('Host: twice.test');
  if (odd(random, 60)) fields.push(...Array.from({ length: 30 }, (_, index) => `X-${index}: y`));
  return { method, target: makeTarget(random, method), fields };
}

function odd(random: Random, oneIn: number): boolean {
  return random.below(oneIn) === 0;
}

function makeTarget(random: Random, method: string): string {
  if (method === 'CONNECT') return 'a.test:443';
  if (method === 'OPTIONS' && odd(random, 3)) return '*';
  if (odd(random, 60)) return `/${'long'.repeat(100)}`;
  const pieces = Array.from({ length: 1 + random.below(3) }, () => random.pick(odd(random, 5) ? RARE_PIECES : PIECES));
  if (odd(random, 25)) pieces.push(random.pick(ODD_PIECES));
  const origin = `/${pieces.join('/')}${random.pick(QUERIES)}`;
  if (!odd(random, 12)) return origin;
  return `${random.pick(['http', 'HTTPS', 'ftp'])}://${random.pick(AUTHORITIES)}${random.pick([origin, '', '?q=1'])}`;
}
