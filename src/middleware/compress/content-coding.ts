import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import type { BuiltInOptions } from '../../config/schema/middleware/block.ts';
import type { BodyCoding } from '../../pipeline/body-coding.ts';

export type CodingName = BuiltInOptions['compress']['encodings'][number];

/** A coding by its name in Content-Encoding, which tries as hard as `level` says (1 to 9). */
export type ContentCodings = { readonly [N in CodingName]: (level: number) => BodyCoding };

export const CONTENT_CODINGS: ContentCodings = { gzip, br, zstd };

/** Node makes a buffer of this size for what comes out of a whole body: with its usual 16 KiB a body of 2 KB costs a third more. */
const CHUNK_BYTES = 4096;

/** RFC 1952. A stream holds 0.35 MB, whatever the level. */
function gzip(level: number): BodyCoding {
  return {
    whole: (bytes) => gzipSync(bytes, { level, chunkSize: CHUNK_BYTES }),
    createStream: () => createGzip({ level, flush: constants.Z_SYNC_FLUSH }),
  };
}

/** Of more than 64 KiB a brotli encoder of quality 5 and up makes tables of many megabytes; so it does from quality 9 on with any window. */
const BROTLI_WINDOW_BITS = 16;
const BROTLI_BEST = 8;

/** RFC 7932. A stream holds 0.4 to 0.9 MB. */
function br(level: number): BodyCoding {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: Math.min(level, BROTLI_BEST),
    [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
  };
  return {
    whole: (bytes) => brotliCompressSync(bytes, { params, chunkSize: CHUNK_BYTES }),
    createStream: () => createBrotliCompress({ params, flush: constants.BROTLI_OPERATION_FLUSH }),
  };
}

/** Left to itself a level chooses tables for bodies of any size: of level 9 they take 10 MB. */
const ZSTD_WINDOW_BITS = 17;
const ZSTD_TABLE_BITS = 15;

/** RFC 8878; RFC 9659 lets a decoder of HTTP refuse windows of more than 8 MB. A stream holds 0.5 to 0.7 MB. */
function zstd(level: number): BodyCoding {
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_windowLog]: ZSTD_WINDOW_BITS,
    [constants.ZSTD_c_hashLog]: ZSTD_TABLE_BITS,
    [constants.ZSTD_c_chainLog]: ZSTD_TABLE_BITS,
  };
  return {
    whole: (bytes) => zstdCompressSync(bytes, { params, chunkSize: CHUNK_BYTES }),
    createStream: () => createZstdCompress({ params, flush: constants.ZSTD_e_flush }),
  };
}
