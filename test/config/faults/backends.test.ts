import { lines, ROUTES, SERVER } from '../documents.ts';
import { backend, testRefusals, upstream } from './fault.ts';

testRefusals([
  {
    why: 'a PROXY header for an upstream in no version that there is',
    text: upstream('send_proxy_protocol: v3'),
    place: 'bad-value load_balancing.backends.web.upstreams[0].send_proxy_protocol 8:32',
  },
  {
    why: 'an upstream without address',
    text: lines(SERVER, 'load_balancing: { backends: { web: { upstreams: [ { weight: 1 } ] } } }', ROUTES),
    place: 'missing-key load_balancing.backends.web.upstreams[0].address 3:51',
  },
  {
    why: 'a service without a protocol',
    text: upstream().replace('a:80', 'srv:web.internal'),
    place: 'bad-value load_balancing.backends.web.upstreams[0].address 7:20',
  },
  {
    why: 'a negative weight',
    text: upstream('weight: -1'),
    place: 'bad-value load_balancing.backends.web.upstreams[0].weight 8:19',
  },
  {
    why: 'only weights of 0',
    text: upstream('weight: 0'),
    place: 'no-weight load_balancing.backends.web.upstreams 7:9',
  },
  {
    why: 'two upstreams with one address',
    text: upstream().replace('a:80', 'a:80\n        - address: A:80'),
    place: 'duplicate-upstream load_balancing.backends.web.upstreams[1].address 8:20',
  },
  {
    why: 'a limit of no connection',
    text: upstream('max_connections: 0'),
    place: 'bad-value load_balancing.backends.web.upstreams[0].max_connections 8:28',
  },
  {
    why: 'an unknown algorithm',
    text: backend('algorithm: fastest'),
    place: 'bad-value load_balancing.backends.web.algorithm 8:18',
  },
  { why: 'an unknown hash key', text: backend('key: header'), place: 'bad-value load_balancing.backends.web.key 8:12' },
  {
    why: 'a threshold of 0',
    text: backend('health_check: { failure_threshold: 0 }'),
    place: 'bad-value load_balancing.backends.web.health_check.failure_threshold 8:42',
  },
  {
    why: 'a header of a check that is Photon’s to set',
    text: backend('health_check: { headers: { Host: a.internal } }'),
    place: 'bad-value load_balancing.backends.web.health_check.headers 8:32',
  },
  {
    why: 'a failure rate above 1',
    text: backend('circuit_breaker: { failure_rate: 50 }'),
    place: 'bad-value load_balancing.backends.web.circuit_breaker.failure_rate 8:40',
  },
]);
