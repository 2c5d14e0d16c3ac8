import { Socket } from 'node:net';

/**
 * The handle of a `net.Socket`: Node's own object around the system's socket. None of this is public API. Only the onread transport uses
 * it; `streamHandlesSupported` says whether this Node has handles as described here.
 */
export interface StreamHandle {
  /** Called after every read. It returns the buffer to read into next; undefined for the same as before. */
  onread: OnRead;
  /** Node's own flag of whether it reads: `readStart` and `readStop` do not change it. */
  reading: boolean;
  readStart(): number;
  readStop(): number;
  /** Reads into `buffer` from now on. */
  useUserBuffer(buffer: Uint8Array): void;
  /** Bytes that the system has not taken yet. */
  readonly writeQueueSize: number;
  /** These try to write at once. 0: all is written; below 0: the system's error; else the rest is on its way. */
  writeLatin1String(request: null, text: string): WriteResult;
  writeBuffer(request: null, bytes: Uint8Array): WriteResult;
  /** `chunks`: each string or buffer followed by its encoding. */
  writev(request: null, chunks: readonly (string | Uint8Array)[], allBuffers: false): WriteResult;
}

export type OnRead = (this: StreamHandle, arrayBuffer: ArrayBuffer | undefined) => Uint8Array | undefined;

export type WriteResult = number | WriteRequest;

/** A write under way. */
export interface WriteRequest {
  oncomplete: (this: never, status: number) => void;
  /** The status of the write, if it ended before `oncomplete` was set. */
  writeStatus: number | null;
}

interface StreamWrap {
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

const streamWrap = loadStreamWrap();
const state: Int32Array = streamWrap?.streamBaseState ?? new Int32Array(1);
const READ_BYTES = streamWrap?.kReadBytesOrError ?? 0;
const WRITE_WAS_ASYNC = streamWrap?.kLastWriteWasAsync ?? 0;

/** The first Node whose handles make a request of a write only where they need one. */
const FIRST_MAJOR = 26;

/** True when this Node's handles are as described here. */
export const streamHandlesSupported: boolean =
  streamWrap !== null && Number.parseInt(process.versions.node, 10) >= FIRST_MAJOR && '_handle' in new Socket();

/** Inside `onread`: how many bytes were read; 0 for none, below 0 for the end or an error. */
export function bytesRead(): number {
  return state[READ_BYTES] as number;
}

/** Right after a write that returned a request: whether it is really under way. */
export function writeIsUnderWay(): boolean {
  return state[WRITE_WAS_ASYNC] !== 0;
}

/** No more calls of `onread` until `startReading`. */
export function stopReading(handle: StreamHandle): void {
  if (!handle.reading) return;
  handle.reading = false;
  handle.readStop();
}

export function startReading(handle: StreamHandle): void {
  if (handle.reading) return;
  handle.reading = true;
  handle.readStart();
}

/** The handle of a socket that is open. */
export function handleOf(socket: Socket): StreamHandle | null {
  return (socket as unknown as { readonly _handle: StreamHandle | null })._handle;
}

function loadStreamWrap(): StreamWrap | null {
  const { binding } = process as unknown as { readonly binding?: (name: string) => Partial<StreamWrap> };
  try {
    const found = binding?.('stream_wrap');
    return found?.streamBaseState instanceof Int32Array ? (found as StreamWrap) : null;
  } catch {
    return null;
  }
}
