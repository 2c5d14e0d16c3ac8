/** Node's own notes of the last read and write, which its sockets look at: a fake handle writes them as a real one does. */
interface StreamWrap {
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kArrayBufferOffset: number;
  readonly kBytesWritten: number;
  readonly kLastWriteWasAsync: number;
}

interface TcpWrap {
  readonly TCP: { readonly prototype: object };
}

const internals = process as unknown as { binding(name: string): unknown };
const stream = internals.binding('stream_wrap') as StreamWrap;
const state = stream.streamBaseState;

/** What a handle has to inherit from for Node to reset it. */
export const TCP_PROTOTYPE: object = (internals.binding('tcp_wrap') as TcpWrap).TCP.prototype;

export function noteRead(bytesOrError: number): void {
  state[stream.kReadBytesOrError] = bytesOrError;
  state[stream.kArrayBufferOffset] = 0;
}

export function noteWrite(bytes: number, isAsync: boolean): void {
  state[stream.kBytesWritten] = bytes;
  state[stream.kLastWriteWasAsync] = isAsync ? 1 : 0;
}
