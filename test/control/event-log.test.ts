import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEventLog } from '../../src/control/event-log.ts';

function record(isTTY: boolean) {
  const lines: string[] = [];
  const log = createEventLog('info', { isTTY, write: (text) => lines.push(text) });
  return { log, lines };
}

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
  const lines: string[] = [];
  const log = createEventLog('error', { write: (text) => lines.push(text) });
  log.info('listening');
  log.warn('drain-timeout');
  log.error('worker-died');
  assert.equal(lines.length, 1);
});
