import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AccessLog } from '../../src/control/access-log.ts';
import { eventually } from '../support/guard.ts';
import { endGroup, temporaryDirectory } from './photon-process.ts';

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

/** In a process of its own, in whose standard output nobody else has set anything: more than a pipe or a socket holds. */
const WRITE_TO_STDOUT = `
  import { AccessLog } from ${JSON.stringify(new URL('../../src/control/access-log.ts', import.meta.url).href)};
  const event = (name) => process.stderr.write(name + ' ');
  const log = new AccessLog(null, { info: event, warn: event, error: event }, 100);
  for (let i = 0; i < 50; i++) log.append({ bytes: Buffer.alloc(65536, 'x'), lines: 1, release: () => {} });
  await log.close();
  process.stderr.write('closed ');
`;

const STUCK_OUTPUTS = [
  { what: 'a pipe', command: 'sh', args: ['-c', '{ "$0" --input-type=module -e "$1"; echo end >&2; } | sleep 60'] },
  { what: 'a socket', command: 'sh', args: ['-c', '"$0" --input-type=module -e "$1"; echo end >&2'] },
] as const;

for (const { what, command, args } of STUCK_OUTPUTS) {
  test(`${what} that nobody reads keeps the process neither from closing the log nor from ending`, async (t) => {
    // Node gives its children sockets where it says pipe, and nobody listens to this one.
    const child = spawn(command, [...args, process.execPath, WRITE_TO_STDOUT], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    t.after(() => endGroup(child));
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    await eventually(
      'the process to end',
      () => stderr.includes('end'),
      () => stderr,
    );
    assert.equal(stderr, 'access-log-dropped closed end\n');
  });
}
