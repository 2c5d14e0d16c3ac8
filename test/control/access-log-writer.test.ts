import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AccessLog } from '../../src/control/access-log.ts';
import { eventually } from '../support/guard.ts';
import { temporaryDirectory } from './photon-process.ts';

const LINES_EACH = 3;

/** A writer, the events that it logs, and pieces of three lines for it. */
function openLog(t: TestContext, file: string, maxWaiting: number) {
  const events: { readonly event: string; readonly fields: object | undefined }[] = [];
  const record = (event: string, fields?: object) => void events.push({ event, fields });
  const log = new AccessLog(file, { info: record, warn: record, error: record }, maxWaiting);
  t.after(() => log.close());
  let released = 0;
  const append = (text: string) =>
    log.append({ bytes: Buffer.from(text), lines: LINES_EACH, release: () => void released++ });
  const countOf = (name: string) => events.filter(({ event }) => event === name).length;
  return { log, append, events, countOf, released: () => released };
}

const piece = (name: string) => Array.from({ length: LINES_EACH }, (_, line) => `${name} ${line}\n`).join('');

test('pieces are written in their order, and each is released once', async (t) => {
  const file = join(temporaryDirectory(t), 'access.log');
  const { log, append, released } = openLog(t, file, 100);
  for (let index = 0; index < 50; index++) append(piece(String(index)));
  await log.close();
  assert.equal(readFileSync(file, 'latin1'), Array.from({ length: 50 }, (_, index) => piece(String(index))).join(''));
  assert.equal(released(), 50);
  assert.equal(log.droppedLines, 0);
});

test('while nothing can be written, no more than maxWaiting pieces wait; the rest is released and counted', async (t) => {
  const { log, append, released, countOf, events } = openLog(t, '/dev/full', 4);
  for (let index = 0; index < 10; index++) append(piece('x'));
  assert.equal(log.droppedLines, 6 * LINES_EACH);
  assert.equal(released(), 6);
  await eventually(
    'the failure',
    () => countOf('access-log-failed') === 1,
    () => JSON.stringify(events),
  );
  await log.close();
  assert.equal(log.droppedLines, 10 * LINES_EACH, 'those that waited are lost when it closes');
  assert.equal(countOf('access-log-failed'), 1);
});

test('lost lines are said at once and then no more than every ten seconds, and none is left out', async (t) => {
  const { log, countOf, events } = openLog(t, '/dev/null', 4);
  for (let index = 0; index < 5; index++) log.drop(2);
  assert.equal(countOf('access-log-dropped'), 1);
  await log.close();
  const counts = events.filter(({ event }) => event === 'access-log-dropped').map(({ fields }) => fields);
  assert.deepEqual(counts, [
    { count: 2, output: '/dev/null' },
    { count: 8, output: '/dev/null' },
  ]);
});

test('what comes after the end is released and counted', async (t) => {
  const { log, append, released } = openLog(t, '/dev/null', 4);
  await log.close();
  append(piece('late'));
  assert.deepEqual([released(), log.droppedLines], [1, LINES_EACH]);
});
