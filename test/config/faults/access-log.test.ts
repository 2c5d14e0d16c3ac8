import { testRefusals, top } from './fault.ts';

testRefusals([
  {
    why: 'a word for an output',
    text: top('access_log: { output: stdot }'),
    place: 'bad-value access_log.output 10:23',
  },
  { why: 'a relative output', text: top('access_log: { output: a.log }'), place: 'bad-value access_log.output 10:23' },
  { why: 'an unknown format', text: top('access_log: { format: xml }'), place: 'bad-value access_log.format 10:23' },
  { why: 'a share above 1', text: top('access_log: { sample: 2 }'), place: 'bad-value access_log.sample 10:23' },
]);
