import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.ts';
import { Answers } from '../../src/explain/answers.ts';
import { parseInquiry } from '../../src/explain/inquiry.ts';

const DOCUMENT = {
  server: { http_addr: ':8080' },
  load_balancing: { backends: { web: { upstreams: [{ address: 'a:1' }] } } },
  routes: [
    { id: 'all', path: '/**' },
    { id: 'one', path: '/a', methods: ['GET'] },
  ],
};

const { config } = parseConfig(JSON.stringify(DOCUMENT), { file: 'a.json', format: 'json', env: {} });
const answers = new Answers(config);
const inquiry = parseInquiry({ method: 'GET', url: '/a', headers: ['A: b'], from: '127.0.0.1' });

test('a question that went through JSON is answered like one that did not, and so is the answer', () => {
  const asked = { kind: 'explain', inquiry };
  const answer = answers.answer(JSON.parse(JSON.stringify(asked)));
  assert.deepEqual(answer, answers.answer(asked));
  assert.deepEqual(JSON.parse(JSON.stringify(answer)), answer);
  assert.ok(answer.kind === 'explanation' && answer.explanation.route?.id === 'one');
});

test('the routes come in the order in which they are tried', () => {
  const answer = answers.answer({ kind: 'routes' });
  assert.ok(answer.kind === 'routes');
  assert.deepEqual(
    answer.routes.map(({ rank, id }) => [rank, id]),
    [
      [1, 'one'],
      [2, 'all'],
    ],
  );
});

const REFUSED = [
  { question: null, why: 'nothing' },
  { question: { kind: 'stop' }, why: 'another kind' },
  { question: { kind: 'explain' }, why: 'no request' },
  { question: { kind: 'routes', more: 1 }, why: 'more than a question' },
  { question: { kind: 'explain', inquiry: { ...inquiry, from: 'x' } }, why: 'no address' },
  {
    question: { kind: 'explain', inquiry: { ...inquiry, fields: ['A: b\r\n\r\nGET / HTTP/1.1'] } },
    why: 'two requests',
  },
  { question: { kind: 'explain', inquiry: { ...inquiry, target: '/ HTTP/1.1\r\nA:' } }, why: 'lines in the target' },
  { question: { kind: 'explain', inquiry: { ...inquiry, fields: [7] } }, why: 'a field that is no text' },
];

for (const { question, why } of REFUSED) {
  test(`what is no question is refused: ${why}`, () => {
    assert.equal(answers.answer(question).kind, 'refused');
  });
}
