import { test } from 'node:test';
import { BACKENDS, lines, parseYamlConfig, ROUTES } from '../documents.ts';
import { testRefusals } from './fault.ts';

testRefusals([
  {
    why: 'an address without port',
    text: lines('server: { http_addr: localhost }', BACKENDS, ROUTES),
    place: 'bad-value server.http_addr 1:22',
  },
  {
    why: 'an address without port in a list',
    text: lines('server: { http_addr: [ ":1", localhost ] }', BACKENDS, ROUTES),
    place: 'bad-value server.http_addr[1] 1:30',
  },
  {
    why: 'an empty list of addresses',
    text: lines('server: { http_addr: [] }', BACKENDS, ROUTES),
    place: 'bad-value server.http_addr 1:22',
  },
  {
    why: 'a port as an address',
    text: lines('server: { http_addr: 8080 }', BACKENDS, ROUTES),
    place: 'wrong-type server.http_addr 1:22',
  },
  {
    why: 'two listeners on one address',
    text: lines('server: { http_addr: [ "127.0.0.1:80", "127.0.0.1:80" ] }', BACKENDS, ROUTES),
    place: 'duplicate-listener server.http_addr[1] 1:40',
  },
  {
    why: 'a listener on an address that another one takes with all',
    text: lines('server: { http_addr: [ ":80", "127.0.0.1:80" ] }', BACKENDS, ROUTES),
    place: 'duplicate-listener server.http_addr[1] 1:31',
  },
  {
    why: 'two listeners on one unix socket',
    text: lines('server: { http_addr: [ "unix:/a", "unix:/a" ] }', BACKENDS, ROUTES),
    place: 'duplicate-listener server.http_addr[1] 1:35',
  },
]);

const LISTENER_PAIRS: readonly (readonly [string, string])[] = [
  ['127.0.0.1:80', '127.0.0.2:80'],
  ['127.0.0.1:80', '127.0.0.1:81'],
  ['127.0.0.1:0', '127.0.0.1:0'],
  ['0.0.0.0:80', '[::1]:80'],
  ['unix:/a', 'unix:/b'],
];

for (const [first, second] of LISTENER_PAIRS) {
  test(`"${first}" and "${second}" can be listened at together`, () => {
    parseYamlConfig(lines(`server: { http_addr: [ "${first}", "${second}" ] }`, BACKENDS, ROUTES));
  });
}
