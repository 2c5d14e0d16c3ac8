import type { Transform } from 'node:stream';
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createZstdDecompress,
  gunzipSync,
  zstdDecompressSync,
} from 'node:zlib';

/** What Node makes of bodies in each content coding. */
export interface Decoder {
  readonly coding: string;
  whole(bytes: Buffer): Buffer;
  createStream(): Transform;
}

export const DECODERS: readonly Decoder[] = [
  { coding: 'gzip', whole: (bytes) => gunzipSync(bytes), createStream: () => createGunzip() },
  { coding: 'br', whole: (bytes) => brotliDecompressSync(bytes), createStream: () => createBrotliDecompress() },
  { coding: 'zstd', whole: (bytes) => zstdDecompressSync(bytes), createStream: () => createZstdDecompress() },
];

/** The body of a reply (latin1) as it was before its coding. */
export function decoded(coding: string | null, body: string): string {
  if (coding === null) return body;
  const decoder = DECODERS.find((each) => each.coding === coding);
  if (decoder === undefined) throw new Error(`no decoder for ${coding}`);
  return decoder.whole(Buffer.from(body, 'latin1')).toString('latin1');
}
