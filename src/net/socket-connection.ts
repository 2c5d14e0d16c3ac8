import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Lease } from './buffer-pool.ts';
import { formatSubject } from './certificate-subject.ts';
import type { ByteReceiver, Connection } from './connection.ts';
import type { IoContext } from './io-context.ts';
import type { SocketDriver } from './socket-driver.ts';

/** A socket that knows its connection, so that listeners are shared functions and not closures per connection. */
interface ConnectionSocket extends Socket {
  photonConnection: SocketConnection;
}

/**
 * A connection over a `net.Socket`. Each transport delivers bytes in its own way, through `deliver` and `nextBuffer`; the driver writes
 * bytes and pauses reading; everything else is the same for all transports.
 *
 * Every listener is a boundary: a throw in a receiver ends this connection and is reported, and never reaches the process.
 */
export class SocketConnection implements Connection {
  readonly #io: IoContext;
  #receiver: ByteReceiver;
  #socket: ConnectionSocket | null = null;
  #driver: SocketDriver | null = null;
  #carrier: Socket | null = null;
  /** The buffer of our own that the next read goes into; null while that is the shared one. */
  #lease: Lease | null = null;
  #writingEnded = false;
  /** The socket was asked for FIN, and everything had been taken before. */
  #finAsked = false;
  endsMessage = false;
  #failure: string | null = null;
  handshaking = false;

  constructor(io: IoContext, receiver: ByteReceiver) {
    this.#io = io;
    this.#receiver = receiver;
  }

  /** Takes over a socket, which travels in `carrier`: its events are ours from now on. */
  adopt(socket: Socket, driver: SocketDriver, carrier: Socket): void {
    this.#take(socket, driver, carrier);
    if (!socket.connecting) {
      if (socket instanceof TLSSocket) this.#awaitHandshake(socket);
    } else if (socket instanceof TLSSocket) {
      socket.on('connect', onConnectBelowTls);
      socket.on('secureConnect', onConnect);
    } else {
      socket.on('connect', onConnect);
    }
  }

  /** A client has connected, and may never begin or finish its handshake. */
  #awaitHandshake(secure: TLSSocket): void {
    this.handshaking = true;
    secure.once('secure', onSecure);
  }

  /** Takes over a socket that is connecting and will only carry TLS: `secure` has to follow when it has connected. */
  adoptCarrier(carrier: Socket, driver: SocketDriver): void {
    this.#take(carrier, driver, carrier);
  }

  /** The carrier has connected, and the handshake begins over it. */
  secure(secure: TLSSocket, driver: SocketDriver): void {
    const carrier = this.#carrier;
    if (carrier === null) return;
    for (const [event, listener] of LISTENERS) carrier.off(event, listener);
    this.#take(secure, driver, carrier);
    this.handshaking = true;
    secure.on('secureConnect', onConnect);
  }

  #take(socket: Socket, driver: SocketDriver, carrier: Socket): void {
    const ours = socket as ConnectionSocket;
    ours.photonConnection = this;
    this.#socket = ours;
    this.#driver = driver;
    this.#carrier = carrier;
    for (const [event, listener] of LISTENERS) socket.on(event, listener);
  }

  /** Events go to another receiver from now on. */
  set receiver(receiver: ByteReceiver) {
    this.#receiver = receiver;
  }

  get remoteAddress(): string {
    return formatAddressOf(this.#socket?.remoteAddress);
  }

  get remotePort(): number {
    return this.#socket?.remotePort ?? 0;
  }

  get localAddress(): string {
    return formatAddressOf(this.#socket?.localAddress);
  }

  get localPort(): number {
    return this.#socket?.localPort ?? 0;
  }

  get certificateSubject(): string | null {
    const certificate = this.#socket instanceof TLSSocket ? this.#socket.getPeerX509Certificate() : undefined;
    return certificate === undefined ? null : formatSubject(certificate);
  }

  get alive(): boolean {
    return this.#socket !== null && !this.#socket.destroyed && this.#failure === null;
  }

  get pendingBytes(): number {
    return this.#driver?.pendingBytes ?? 0;
  }

  get untakenBytes(): number {
    const socket = this.#socket;
    const { pendingBytes } = this;
    if (pendingBytes === 0 || socket === null) return 0;
    // Nothing can be sent before the handshake is over; the handle does not count it.
    if (this.handshaking) return pendingBytes;
    // Not public, and only used to see progress within one large write: without it, progress shows when the write is done.
    const handle = (socket as { _handle?: { writeQueueSize?: number; bytesWritten?: number } | null })._handle;
    if (handle?.writeQueueSize === undefined || handle.bytesWritten === undefined) return pendingBytes;
    // A stream hands its writes to the handle one after the other: those behind the first are not in the queue of the handle.
    const waitingBytes = Math.max(0, (socket.bytesWritten ?? 0) - handle.bytesWritten);
    // Under TLS the queue counts encrypted bytes, which are a little more.
    return Math.min(waitingBytes + handle.writeQueueSize, pendingBytes);
  }

  /** Called by the transport with the number of bytes that were read into the last buffer of `nextBuffer`, at first the shared one. */
  deliverRead(length: number): void {
    this.deliver(this.#lease?.bytes ?? this.#io.buffers.shared, length);
  }

  /** Called by the transport with the bytes that were read. */
  deliver(bytes: Buffer, length: number): void {
    const { buffers } = this.#io;
    buffers.lending = this.#lease;
    try {
      this.#receiver.received(bytes, 0, length);
    } catch (error) {
      this.#fault(error);
    }
    buffers.lending = null;
    this.#io.settleReceived();
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

  writeText(text: string): void {
    if (!this.#writingEnded) this.#driver?.text(text);
  }

  writeBytes(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): void {
    const driver = this.#driver;
    if (driver === null || this.#writingEnded) return;
    const { buffers } = this.#io;
    if (bytes === buffers.shared) {
      this.#writeCopy(driver, prefix, bytes, start, end, suffix);
      return;
    }
    const lease = buffers.lending?.bytes === bytes ? buffers.lending : null;
    if (lease !== null) lease.holds++;
    driver.bytes(prefix, bytes.subarray(start, end), suffix, lease);
  }

  /** The shared buffer never goes into a write: its bytes are copied, with prefix and suffix, for one system call. */
  #writeCopy(driver: SocketDriver, prefix: string, bytes: Buffer, start: number, end: number, suffix: string): void {
    const lease = this.#io.buffers.take();
    const fits = prefix.length + end - start + suffix.length <= lease.bytes.length;
    let length = fits ? lease.bytes.write(prefix, 0, 'latin1') : 0;
    length += bytes.copy(lease.bytes, length, start, end);
    if (fits) length += lease.bytes.write(suffix, length, 'latin1');
    driver.bytes(fits ? '' : prefix, lease.bytes.subarray(0, length), fits ? '' : suffix, lease);
  }

  pause(): void {
    this.#driver?.pauseReading();
  }

  resume(): void {
    this.#driver?.resumeReading();
  }

  endWriting(): void {
    if (this.#writingEnded) return;
    this.#writingEnded = true;
    if (this.pendingBytes === 0) this.#askForFin();
    // Otherwise not yet: a socket that has been asked for FIN cannot reset, and the peer may never take the bytes before it.
  }

  #askForFin(): void {
    this.#finAsked = true;
    this.#socket?.end();
  }

  destroy(): void {
    if (this.endsMessage && !this.#finAsked) this.reset();
    else this.#socket?.destroy();
  }

  reset(): void {
    const socket = this.#socket;
    if (socket === null || socket.destroyed) return;
    // A reset while our FIN is on its way leaks the descriptor for good; a socket that is not connected has no peer to reset.
    if (this.#finAsked || socket.connecting || socket.localPort === undefined) socket.destroy();
    else if (this.#carrier instanceof TLSSocket) socket.destroy();
    else this.#carrier?.resetAndDestroy();
  }

  opened(): void {
    this.handshaking = false;
    const heldBack = this.pendingBytes > 0;
    try {
      this.#driver?.opened();
      this.#endIfDue();
      this.#receiver.connected();
      if (heldBack && this.pendingBytes === 0) this.#receiver.writable();
    } catch (error) {
      this.#fault(error);
    }
    this.#io.settle();
  }

  readEnded(): void {
    if (this.#failure !== null) {
      // A write failed before: the peer has reset the connection, and the system reports it only once.
      this.destroy();
      return;
    }
    try {
      this.#receiver.ended();
    } catch (error) {
      this.#fault(error);
    }
    this.#io.settle();
  }

  drained(): void {
    this.#endIfDue();
    try {
      this.#receiver.writable();
    } catch (error) {
      this.#fault(error);
    }
    this.#io.settle();
  }

  /** The system has taken the bytes before FIN. */
  #endIfDue(): void {
    if (this.#writingEnded && !this.#finAsked && this.#failure === null && this.pendingBytes === 0) this.#askForFin();
  }

  /**
   * If the peer has closed, the bytes that it sent before are in the system's buffer (Linux keeps them, reset or not): they are read to
   * their end before the connection closes, if the receiver asks for it. A server that refuses an upload answers in just this way.
   */
  writeFailed(code: string): void {
    const socket = this.#socket;
    if (socket === null || socket.destroyed || this.#failure !== null) return;
    this.#failure = code;
    const closedByPeer = code === 'EPIPE' || code === 'ECONNRESET';
    if (closedByPeer && this.#receiver.writingFailed()) this.#writingEnded = true;
    else socket.destroy(Object.assign(new Error(`Cannot write: ${code}`), { code }));
  }

  #fault(error: unknown): void {
    this.#io.fault(error);
    this.destroy();
  }

  failed(code: string): void {
    this.#failure = code;
  }

  gone(): void {
    this.#socket = null;
    this.#driver = null;
    this.#carrier = null;
    const lease = this.#lease;
    this.#lease = null;
    if (lease !== null) this.#io.buffers.release(lease);
    try {
      this.#receiver.closed(this.#failure);
    } catch (error) {
      this.#io.fault(error);
    }
    this.#io.settle();
  }
}

function formatAddressOf(address: string | undefined): string {
  if (address === undefined) return 'unix:';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

function onConnect(this: Socket): void {
  (this as ConnectionSocket).photonConnection.opened();
}

function onConnectBelowTls(this: Socket): void {
  (this as ConnectionSocket).photonConnection.handshaking = true;
}

function onSecure(this: Socket): void {
  (this as ConnectionSocket).photonConnection.handshaking = false;
}

function onEnd(this: Socket): void {
  (this as ConnectionSocket).photonConnection.readEnded();
}

function onError(this: Socket, error: NodeJS.ErrnoException): void {
  (this as ConnectionSocket).photonConnection.failed(error.code ?? error.name);
}

function onClose(this: Socket): void {
  (this as ConnectionSocket).photonConnection.gone();
}

const LISTENERS = [
  ['end', onEnd],
  ['error', onError],
  ['close', onClose],
] as const;
