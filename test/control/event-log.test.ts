import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { createEventLog } from '../../src/control/event-log.ts';
import type { LogLevel } from '../../src/control/log-level.ts';
import { LogOutlet } from '../../src/control/log-outlet.ts';
import { settle } from '../support/guard.ts';

type Written = (error?: Error | null) => void;

/** An event log, and what it wrote: `respond` decides how a write ends. */
function record(
  isTTY: boolean,
  level: LogLevel = 'info',
  respond: (written: Written) => void = (written) => written(),
) {
  const lines: string[] = [];
  const stream = new Writable({
    autoDestroy: false,
    decodeStrings: false,
    write: (line: string, _encoding, written) => {
      lines.push(line);
      respond(written);
    },
  });
  const outlet = new LogOutlet(Object.assign(stream, { isTTY }));
  return { log: createEventLog(level, outlet), lines, outlet };
}

const eventsOf = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

test('an event is one JSON line with level, time, process id and its fields', () => {
  const { log, lines } = record(false);
  log.info('listening', { address: '127.0.0.1:80' });
  const { time, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.deepEqual(rest, { level: 'info', pid: process.pid, address: '127.0.0.1:80', event: 'listening' });
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(lines[0]?.at(-1), '\n');
});

test('on a terminal the line is for people', () => {
  const { log, lines } = record(true);
  log.warn('drain-timeout', { timeoutMs: 100, reason: 'two words' });
  assert.match(lines[0] ?? '', /^\d\d:\d\d:\d\d warn drain-timeout timeoutMs=100 reason="two words"\n$/);
});

test('control characters in a field cannot draw on the terminal or forge a line', () => {
  for (const isTTY of [true, false]) {
    const { log, lines } = record(isTTY);
    log.error('worker-died', { reason: '\u001b[2Jx\r\nforged' });
    assert.doesNotMatch(lines[0]?.slice(0, -1) ?? '', /\p{Cc}/u);
  }
});

test('events below the level are not written', () => {
  const { log, lines } = record(false, 'error');
  log.info('listening');
  log.warn('drain-timeout');
  log.error('worker-died');
  assert.equal(lines.length, 1);
});

test('what waits for a stuck reader is bounded, and when it reads again it is told how many lines it lost', () => {
  const held: Written[] = [];
  const { log, lines } = record(false, 'info', (written) => held.push(written));
  const total = 2000;
  for (let count = 0; count < total; count++) log.info('listening', { filler: 'f'.repeat(1000) });
  assert.equal(lines.length, 1);
  for (let written = held.shift(); written !== undefined; written = held.shift()) written();
  const kept = lines.length;
  assert.ok(kept > 200 && kept < 300, `${kept} lines were kept`);
  log.info('ready');
  held.shift()?.();
  held.shift()?.();
  const [notice, next] = eventsOf(lines.slice(kept));
  assert.deepEqual([notice?.['event'], notice?.['lines']], ['log-lines-lost', total - kept]);
  assert.equal(next?.['event'], 'ready');
});

test('a line that cannot be written throws nothing and is counted as lost', async () => {
  const { log, outlet } = record(false, 'info', (written) => written(new Error('no space left')));
  log.info('listening');
  await settle(1);
  assert.equal(outlet.takeLost(), 1);
});

test('a flush waits for what is being written, but not for a reader that never reads', async () => {
  const held: Written[] = [];
  const { log, outlet } = record(false, 'info', (written) => held.push(written));
  assert.equal(await outlet.flush(0), true);
  log.info('listening');
  assert.equal(await outlet.flush(1), false);
  const flushed = outlet.flush(60_000);
  for (let written = held.shift(); written !== undefined; written = held.shift()) written();
  assert.equal(await flushed, true);
});
