import type { Socket } from 'node:net';
import type { Lease } from './buffer-pool.ts';
import type { ByteReceiver, Connection } from './connection.ts';
import type { IoContext } from './io-context.ts';

/** Unwritten bytes above which a socket counts as slow. */
export const WRITE_HIGH_WATER_BYTES = 64 * 1024;

/** A socket that knows its connection, so that listeners are shared functions and not closures per connection. */
interface ConnectionSocket extends Socket {
  photonConnection: SocketConnection;
}

/**
 * A connection over a `net.Socket`. How bytes come in differs by transport and is told through `deliver` and `nextBuffer`;
 * everything else is the same for all.
 *
 * Every listener is a boundary: a throw in a receiver ends this connection and is reported, and never reaches the process.
 */
export class SocketConnection implements Connection {
  readonly #io: IoContext;
  #receiver: ByteReceiver;
  #socket: ConnectionSocket | null = null;
  /** The buffer of our own that the next read goes into; null while that is the shared one. */
  #lease: Lease | null = null;
  #writingEnded = false;
  #failure: string | null = null;

  constructor(io: IoContext, receiver: ByteReceiver) {
    this.#io = io;
    this.#receiver = receiver;
  }

  /** Takes over a socket: its events are ours from now on. */
  adopt(socket: Socket): void {
    const ours = socket as ConnectionSocket;
    ours.photonConnection = this;
    this.#socket = ours;
    socket.on('end', onEnd);
    socket.on('drain', onDrain);
    socket.on('error', onError);
    socket.on('close', onClose);
    if (socket.connecting) socket.on('connect', onConnect);
  }

  /** Lets another receiver hear what happens from now on. */
  set receiver(receiver: ByteReceiver) {
    this.#receiver = receiver;
  }

  get remoteAddress(): string {
    const address = this.#socket?.remoteAddress;
    if (address === undefined) return 'unix:';
    return address.startsWith('::ffff:') ? address.slice(7) : address;
  }

  get remotePort(): number {
    return this.#socket?.remotePort ?? 0;
  }

  get localPort(): number {
    return this.#socket?.localPort ?? 0;
  }

  get pendingBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** Called by the transport with what was read into `bytes`. */
  deliver(bytes: Buffer, length: number): void {
    const { buffers } = this.#io;
    buffers.lending = this.#lease;
    this.#guard(() => this.#receiver.received(bytes, 0, length));
    buffers.lending = null;
  }

  /**
   * The buffer for the next read, asked by the transport after every read: one of our own in the middle of a body, the shared
   * one otherwise; undefined for the same as before.
   */
  nextBuffer(): Buffer | undefined {
    const { buffers } = this.#io;
    const held = this.#lease;
    if (this.#socket === null || !this.#receiver.inBody) {
      if (held === null) return undefined;
      this.#lease = null;
      buffers.release(held);
      return buffers.shared;
    }
    if (held !== null && held.holds === 1) return undefined;
    if (held !== null) buffers.release(held);
    this.#lease = buffers.take();
    return this.#lease.bytes;
  }

  writeText(text: string): boolean {
    const socket = this.#socket;
    if (socket === null || this.#writingEnded) return true;
    return socket.write(text, 'latin1');
  }

  writeBytes(prefix: string, bytes: Buffer, start: number, end: number): boolean {
    const socket = this.#socket;
    if (socket === null || this.#writingEnded) return true;
    const { buffers } = this.#io;
    if (bytes === buffers.shared) return this.#writeCopy(socket, prefix, bytes, start, end);
    const lease = buffers.lending?.bytes === bytes ? buffers.lending : null;
    if (prefix !== '') {
      socket.cork();
      socket.write(prefix, 'latin1');
    }
    if (lease !== null) lease.holds++;
    const ready = socket.write(bytes.subarray(start, end), lease === null ? undefined : () => buffers.release(lease));
    if (prefix !== '') socket.uncork();
    return ready;
  }

  /** The shared buffer never goes into a write: prefix and bytes are copied, into one buffer for one system call. */
  #writeCopy(socket: Socket, prefix: string, bytes: Buffer, start: number, end: number): boolean {
    const { buffers } = this.#io;
    const lease = buffers.take();
    const length = prefix.length + end - start;
    if (length > lease.bytes.length) {
      socket.write(prefix, 'latin1');
      bytes.copy(lease.bytes, 0, start, end);
      return socket.write(lease.bytes.subarray(0, end - start), () => buffers.release(lease));
    }
    lease.bytes.write(prefix, 0, 'latin1');
    bytes.copy(lease.bytes, prefix.length, start, end);
    return socket.write(lease.bytes.subarray(0, length), () => buffers.release(lease));
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  endWriting(): void {
    if (this.#writingEnded) return;
    this.#writingEnded = true;
    this.#socket?.end();
  }

  destroy(): void {
    this.#socket?.destroy();
  }

  reset(): void {
    const socket = this.#socket;
    if (socket === null || socket.destroyed) return;
    // A reset while our FIN is on its way leaks the descriptor for good; a socket that is not connected has nobody to reset.
    if (this.#writingEnded || socket.connecting || socket.localPort === undefined) socket.destroy();
    else socket.resetAndDestroy();
  }

  /** Runs a part of an event's work, inside the boundary. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#io.fault(error);
      this.destroy();
    }
    this.#io.settle();
  }

  opened(): void {
    this.#guard(() => this.#receiver.connected());
  }

  readEnded(): void {
    this.#guard(() => this.#receiver.ended());
  }

  drained(): void {
    this.#guard(() => this.#receiver.writable());
  }

  failed(code: string): void {
    this.#failure = code;
  }

  gone(): void {
    this.#socket = null;
    const lease = this.#lease;
    this.#lease = null;
    if (lease !== null) this.#io.buffers.release(lease);
    this.#guard(() => this.#receiver.closed(this.#failure));
  }
}

function onConnect(this: Socket): void {
  (this as ConnectionSocket).photonConnection.opened();
}

function onEnd(this: Socket): void {
  (this as ConnectionSocket).photonConnection.readEnded();
}

function onDrain(this: Socket): void {
  (this as ConnectionSocket).photonConnection.drained();
}

function onError(this: Socket, error: NodeJS.ErrnoException): void {
  (this as ConnectionSocket).photonConnection.failed(error.code ?? error.name);
}

function onClose(this: Socket): void {
  (this as ConnectionSocket).photonConnection.gone();
}
