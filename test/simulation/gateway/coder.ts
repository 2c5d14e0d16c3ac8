import { Transform } from 'node:stream';
import { crc32, gzipSync } from 'node:zlib';
import type { ContentCodings } from '../../../src/middleware/compress/content-coding.ts';
import type { Scheduler } from '../world.ts';

const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const LAST_BLOCK = Buffer.from([1, 0, 0, 0xff, 0xff]);
const MOST_IN_BLOCK = 65_535;

/**
 * Codes in this thread what zlib codes in one of its own, and takes simulated time for it. The coding is gzip without compression: what
 * comes out depends on nothing but what goes in.
 */
export function simulatedCodings(world: Scheduler, delayMs: () => number): ContentCodings {
  const coding = () => ({
    whole: (bytes: Buffer) => gzipSync(bytes),
    createStream: () => storedGzip(world, delayMs),
  });
  return { gzip: coding, br: coding, zstd: coding };
}

function storedGzip(world: Scheduler, delayMs: () => number): Transform {
  let checksum = 0;
  let length = 0;
  let begun = false;
  const begin = (): Buffer => {
    const header = begun ? Buffer.alloc(0) : HEADER;
    begun = true;
    return header;
  };
  return new Transform({
    transform(bytes: Buffer, _encoding, done) {
      checksum = crc32(bytes, checksum);
      length += bytes.length;
      const coded = Buffer.concat([begin(), ...storedBlocks(bytes)]);
      world.after(delayMs(), 'coded', () => done(null, coded));
    },
    flush(done) {
      const trailer = Buffer.alloc(8);
      trailer.writeUInt32LE(checksum, 0);
      trailer.writeUInt32LE(length >>> 0, 4);
      const coded = Buffer.concat([begin(), LAST_BLOCK, trailer]);
      world.after(delayMs(), 'coded', () => done(null, coded));
    },
  });
}

/** RFC 1951 3.2.4. */
function storedBlocks(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += MOST_IN_BLOCK) {
    const block = bytes.subarray(at, at + MOST_IN_BLOCK);
    const header = Buffer.alloc(5);
    header.writeUInt16LE(block.length, 1);
    header.writeUInt16LE(0xffff - block.length, 3);
    blocks.push(header, block);
  }
  return blocks;
}
