import { server, testRefusals } from './fault.ts';

testRefusals([
  { why: 'a number as a text', text: server('workers: "4"'), place: 'wrong-type server.workers 3:12' },
  { why: 'a text for a flag', text: server('merge_slashes: yes'), place: 'wrong-type server.merge_slashes 3:18' },
  { why: 'a fraction of a worker', text: server('workers: 1.5'), place: 'wrong-type server.workers 3:12' },
  { why: 'no worker', text: server('workers: 0'), place: 'bad-value server.workers 3:12' },
  { why: 'a number that is none', text: server('max_headers: .nan'), place: 'wrong-type server.max_headers 3:16' },
  { why: 'a number without end', text: server('max_headers: .inf'), place: 'wrong-type server.max_headers 3:16' },
  { why: 'a duration without unit', text: server('body_timeout: 30'), place: 'wrong-type server.body_timeout 3:17' },
  { why: 'a duration in words', text: server('body_timeout: 30 sec'), place: 'bad-value server.body_timeout 3:17' },
  { why: 'a timeout of nothing', text: server('body_timeout: 0s'), place: 'bad-value server.body_timeout 3:17' },
  {
    why: 'a timeout beyond every timer',
    text: server('body_timeout: 25d'),
    place: 'bad-value server.body_timeout 3:17',
  },
  {
    why: 'a size with an unknown unit',
    text: server('max_target: 8 blocks'),
    place: 'bad-value server.max_target 3:15',
  },
  { why: 'a negative size', text: server('max_body_size: -1'), place: 'bad-value server.max_body_size 3:18' },
  {
    why: 'a limit that no request meets',
    text: server('max_header_size: 10'),
    place: 'bad-value server.max_header_size 3:20',
  },
]);
