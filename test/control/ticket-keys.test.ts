import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EventLog } from '../../src/control/event-log.ts';
import { TicketKeys } from '../../src/control/ticket-keys.ts';
import { temporaryDirectory } from './photon-process.ts';

const DAY_MS = 86_400_000;
const START_MS = 1_700_000_000_000;

/** Remembers the events that it is told. */
function recordingLog(): EventLog & { readonly events: string[] } {
  const events: string[] = [];
  const note = (event: string) => {
    events.push(event);
  };
  return { events, info: note, warn: note, error: note };
}

test('a key is kept in a file that is for its owner alone, and taken from it by the next process', (t) => {
  const file = join(temporaryDirectory(t), 'made', 'ticket-keys');
  const log = recordingLog();
  const first = new TicketKeys(file, log, () => START_MS);
  assert.equal(first.current.length, 48);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const second = new TicketKeys(file, log, () => START_MS + DAY_MS - 1);
  assert.deepEqual(second.current, first.current);
  assert.deepEqual(log.events, []);
});

test('a key is used for a day', (t) => {
  const file = join(temporaryDirectory(t), 'ticket-keys');
  let nowMs = START_MS;
  const keys = new TicketKeys(file, recordingLog(), () => nowMs);
  const first = keys.current;
  nowMs += DAY_MS - 1;
  assert.equal(keys.rotateIfDue(), false);
  assert.deepEqual(keys.current, first);
  nowMs += 1;
  assert.equal(keys.rotateIfDue(), true);
  assert.notDeepEqual(keys.current, first);
  assert.deepEqual(new TicketKeys(file, recordingLog(), () => nowMs).current, keys.current);
});

test('whoever is late takes the key that another process made', (t) => {
  const file = join(temporaryDirectory(t), 'ticket-keys');
  let nowMs = START_MS;
  const one = new TicketKeys(file, recordingLog(), () => nowMs);
  const other = new TicketKeys(file, recordingLog(), () => nowMs);
  nowMs += DAY_MS;
  assert.ok(one.rotateIfDue());
  assert.ok(other.rotateIfDue());
  assert.deepEqual(other.current, one.current);
});

for (const { why, spoil } of [
  {
    why: 'that others can read',
    spoil: (file: string) => chmodSync(file, 0o644),
  },
  {
    why: 'from the future',
    spoil: (file: string) => writeFileSync(file, readFileSync(file, 'latin1').replace(/^\d+/, String(START_MS + 1))),
  },
  {
    why: 'that is no key',
    spoil: (file: string) => writeFileSync(file, `${START_MS} short\n`),
  },
]) {
  test(`a file ${why} is not used, but written anew`, (t) => {
    const file = join(temporaryDirectory(t), 'ticket-keys');
    const planted = new TicketKeys(file, recordingLog(), () => START_MS).current;
    spoil(file);
    const keys = new TicketKeys(file, recordingLog(), () => START_MS);
    assert.notDeepEqual(keys.current, planted);
    assert.deepEqual(new TicketKeys(file, recordingLog(), () => START_MS).current, keys.current);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });
}

test('a link is not followed', (t) => {
  const directory = temporaryDirectory(t);
  const planted = new TicketKeys(join(directory, 'elsewhere'), recordingLog(), () => START_MS).current;
  symlinkSync(join(directory, 'elsewhere'), join(directory, 'ticket-keys'));
  const keys = new TicketKeys(join(directory, 'ticket-keys'), recordingLog(), () => START_MS);
  assert.notDeepEqual(keys.current, planted);
});

test('where no file can be, there is a key all the same, and one event', () => {
  const log = recordingLog();
  const keys = new TicketKeys('/dev/null/ticket-keys', log, () => START_MS);
  assert.equal(keys.current.length, 48);
  assert.deepEqual(log.events, ['ticket-keys-not-kept']);
});
