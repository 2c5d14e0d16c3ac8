import { server, testRefusals } from './fault.ts';

testRefusals([
  {
    why: 'a proxy that is a name',
    text: server('trusted_proxies: [ lb ]'),
    place: 'bad-value server.trusted_proxies[0] 3:22',
  },
  {
    why: 'a range that is too narrow for its family',
    text: server('trusted_proxies: [ 10.0.0.0/33 ]'),
    place: 'bad-value server.trusted_proxies[0] 3:22',
  },
  {
    why: 'a PROXY header that nobody is trusted to send',
    text: server('proxy_protocol: true'),
    place: 'missing-key server.trusted_proxies 2:3',
  },
  {
    why: 'a PROXY header that nobody on an empty list is trusted to send',
    text: server('proxy_protocol: true', 'trusted_proxies: []'),
    place: 'bad-value server.trusted_proxies 4:20',
  },
  {
    why: 'a page for a status of success',
    text: server('error_pages: { 200: a }'),
    place: 'bad-value server.error_pages.200 3:18',
  },
]);
