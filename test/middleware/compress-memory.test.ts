import assert from 'node:assert/strict';
import type { Transform } from 'node:stream';
import { after, test } from 'node:test';
import { CONTENT_CODINGS, type CodingName } from '../../src/middleware/compress/content-coding.ts';
import { bufferBytes } from '../support/garbage.ts';

const STREAMS = 20;
const PIECE = Buffer.from(
  Array.from({ length: 3000 }, (_none, at) => `word${Math.imul(at, 0x9e3779b1) >>> 0} of a text\n`).join(''),
  'latin1',
).subarray(0, 65_536);

/** Held to the end: memory that is given back could be used again, and would not be seen. */
const streams: Transform[] = [];
after(() => {
  for (const stream of streams) stream.destroy();
});

function write(stream: Transform, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

async function fill(stream: Transform): Promise<void> {
  stream.resume();
  streams.push(stream);
  for (let piece = 0; piece < 5; piece++) await write(stream, PIECE);
}

for (const name of Object.keys(CONTENT_CODINGS) as CodingName[]) {
  test(`a stream of ${name} holds less than a megabyte, whatever the level`, async () => {
    for (let level = 1; level <= 9; level++) {
      const coding = CONTENT_CODINGS[name](level);
      bufferBytes();
      const before = process.memoryUsage.rss();
      for (let count = 0; count < STREAMS; count++) await fill(coding.createStream());
      bufferBytes();
      const each = (process.memoryUsage.rss() - before) / STREAMS;
      assert.ok(each < 1024 * 1024, `${Math.round(each / 1024)} KiB each at level ${level}`);
    }
  });
}
