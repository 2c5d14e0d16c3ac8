/** The request target and the authority of a request, as every request pays for them. */
import { bench, do_not_optimize, run } from 'mitata';
import { parseAuthority } from '../../src/http/authority.ts';
import { normalisePath, RequestTarget } from '../../src/http/target.ts';

/** Strings made at run time, as those that come from a socket are; a power of two of them. */
const COUNT = 64;
const makeTexts = (start: string) =>
  Array.from({ length: COUNT }, (_, number) => Buffer.from(`${start}${number + 10}`, 'latin1').toString('latin1'));

const target = new RequestTarget();
let next = 0;

function benchTarget(name: string, start: string): void {
  const texts = makeTexts(start);
  bench(name, () => {
    next = (next + 1) & (COUNT - 1);
    target.parse(texts[next] as string, 'GET', true);
    do_not_optimize(target);
  });
}

const paths = makeTexts('/api/v1/resources/12345/items/abcdef/5');
bench('normalise a path of 40 bytes, nothing to do', () => {
  next = (next + 1) & (COUNT - 1);
  do_not_optimize(normalisePath(paths[next] as string, true));
});
benchTarget('target of 40 bytes, nothing to do', '/api/v1/resources/12345/items/abcdef/5');
benchTarget('target of 40 bytes with a query', '/api/v1/resources/12345/items?page=3&n=');
benchTarget('target of 40 bytes with an encoded space', '/api/v1/resources/12345/items/a%20b/5');
benchTarget('target of 40 bytes to normalise', '/api/v1/resources/%31/../items/a%20b/5');

const hosts = makeTexts('api.example.com:80');
bench('authority with a port', () => {
  next = (next + 1) & (COUNT - 1);
  do_not_optimize(parseAuthority(hosts[next] as string));
});

await run();
