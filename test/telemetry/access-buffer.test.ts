import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessBlocks, BLOCK_BYTES, BLOCK_COUNT } from '../../src/telemetry/access-blocks.ts';
import { AccessBuffer } from '../../src/telemetry/access-buffer.ts';
import { MAX_LINE_BYTES } from '../../src/telemetry/access-line.ts';

/** The control thread's side, which sees the same memory. */
class Sink {
  readonly memory = AccessBlocks.allocate();
  readonly #blocks = new AccessBlocks(this.memory);
  readonly blocks: { readonly block: number; readonly text: string; readonly lines: number }[] = [];
  readonly drops: number[] = [];

  handOver(block: number, bytes: number, lines: number): void {
    this.blocks.push({ block, text: this.#blocks.bytesOf(block).toString('latin1', 0, bytes), lines });
  }

  free(block: number): void {
    this.#blocks.free(block);
  }

  dropped(lines: number): void {
    this.drops.push(lines);
  }
}

const line = (number: number) => `${String(number).padStart(99, '0')}\n`;

test('nothing is handed over where there is nothing', () => {
  const sink = new Sink();
  new AccessBuffer(new AccessBlocks(sink.memory), sink).flush();
  assert.deepEqual([sink.blocks, sink.drops], [[], []]);
});

test('lines are handed over when they fill a block, whole and in order', () => {
  const sink = new Sink();
  const buffer = new AccessBuffer(new AccessBlocks(sink.memory), sink);
  for (let number = 0; number < 2000; number++) buffer.add(line(number));
  const early = sink.blocks.length;
  buffer.flush();
  assert.equal(early, Math.floor((2000 * 100) / BLOCK_BYTES));
  assert.equal(sink.blocks.map(({ text }) => text).join(''), Array.from({ length: 2000 }, (_, i) => line(i)).join(''));
  assert.equal(
    sink.blocks.reduce((sum, { lines }) => sum + lines, 0),
    2000,
  );
});

test('where no block is freed, no more than the bound is held; the rest is dropped and counted', () => {
  const sink = new Sink();
  const buffer = new AccessBuffer(new AccessBlocks(sink.memory), sink);
  const perBlock = Math.floor(BLOCK_BYTES / 100);
  for (let number = 0; number < perBlock * BLOCK_COUNT + 25; number++) buffer.add(line(number));
  buffer.flushLast();
  assert.equal(sink.blocks.length, BLOCK_COUNT);
  assert.deepEqual(sink.drops, [25]);
  buffer.flushLast();
  assert.deepEqual(sink.drops, [25], 'each is counted once');
});

test('while an output takes nothing, few lines now and then wait in the memory that is there, and none is dropped', () => {
  const sink = new Sink();
  const buffer = new AccessBuffer(new AccessBlocks(sink.memory), sink);
  for (let round = 0; round < 1000; round++) {
    buffer.add(line(round));
    buffer.flush();
  }
  assert.equal(sink.blocks.length, BLOCK_COUNT - 1);
  for (const { block } of sink.blocks) sink.free(block);
  buffer.flush();
  assert.equal(sink.blocks.map(({ text }) => text).join(''), Array.from({ length: 1000 }, (_, i) => line(i)).join(''));
  assert.deepEqual(sink.drops, []);
});

test('a block that is freed is filled again', () => {
  const sink = new Sink();
  const buffer = new AccessBuffer(new AccessBlocks(sink.memory), sink);
  for (let round = 0; round < BLOCK_COUNT * 3; round++) {
    buffer.add(line(round));
    buffer.flush();
    sink.free((sink.blocks.at(-1) as (typeof sink.blocks)[number]).block);
  }
  assert.equal(sink.blocks.length, BLOCK_COUNT * 3);
  assert.deepEqual(
    sink.blocks.map(({ text }) => text),
    sink.blocks.map((_, round) => line(round)),
  );
  assert.deepEqual(sink.drops, []);
});

test('the longest line there can be fits into a block', () => {
  const sink = new Sink();
  const buffer = new AccessBuffer(new AccessBlocks(sink.memory), sink);
  const longest = `${'x'.repeat(MAX_LINE_BYTES - 1)}\n`;
  for (let count = 0; count < 5; count++) buffer.add(longest);
  buffer.flush();
  assert.ok(sink.blocks.map(({ text }) => text).join('') === longest.repeat(5), 'whole, all of them');
  assert.deepEqual(sink.drops, []);
});
