import type { Socket } from 'node:net';
import { decodeProxyHeader } from '../wire/proxy-protocol/decode-header.ts';
import type { ProxyHeader } from '../wire/proxy-protocol/header.ts';
import { FIRST_REQUEST_MS } from './client-timeouts.ts';
import type { DownstreamConnection } from './downstream-service.ts';
import type { IoContext } from './io-context.ts';
import { Timer, type TimerOwner } from './timer-wheel.ts';

/** The owner that takes a connection over once its header has been read. */
export interface ProxyHeaderOwner {
  /** The header is read, and the bytes after it are put back: the socket is as if it had not been read from. */
  headerRead(header: ProxyHeader): void;
  /** The connection is gone without a header. `wanted`: the header that its peer should have sent; null if it left by itself. */
  headerMissing(wanted: string | null): void;
}

/** A socket that knows its reader, so that listeners are shared functions. */
interface ReaderSocket extends Socket {
  photonReader: ProxyHeaderReader | null;
}

/**
 * Reads the PROXY header that an accepted connection has to begin with, before TLS and before HTTP. A connection that begins
 * otherwise, or not in time, is closed without a reply.
 *
 *   READING --header complete--> headerRead, the socket is the owner's
 *      \-------refused, timeout, FIN, error--> closed, headerMissing
 *
 * It reads by the stream of the socket, on every transport: there bytes can be put back for the next reader, a stream, a handle or TLS.
 */
export class ProxyHeaderReader implements DownstreamConnection, TimerOwner {
  readonly #socket: Socket;
  readonly #io: IoContext;
  readonly #owner: ProxyHeaderOwner;
  readonly #timer: Timer;
  /** The bytes of the header so far: less than `MAX_PROXY_HEADER_BYTES`. */
  #kept: Buffer = Buffer.alloc(0);
  #wanted: string | null = null;
  #timeoutMs = 0;
  #draining = false;

  constructor(io: IoContext, socket: Socket, owner: ProxyHeaderOwner) {
    this.#socket = socket;
    this.#io = io;
    this.#owner = owner;
    this.#timer = new Timer(io.wheel, this);
  }

  /** Begins to read. */
  start(timeoutMs: number): void {
    (this.#socket as ReaderSocket).photonReader = this;
    this.#timeoutMs = timeoutMs;
    this.#timer.arm(timeoutMs);
    this.#socket.on('readable', onReadable);
    this.#socket.on('end', onEnd);
    this.#socket.on('error', onError);
    this.#socket.on('close', onClose);
  }

  /** Bytes have come, or the peer has ended. */
  read(): void {
    try {
      const chunk: Buffer | null = this.#socket.read();
      if (chunk === null) return;
      this.#kept = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
      const header = this.#decode();
      if (header !== null) this.#finish(header);
    } catch (error) {
      this.#io.fault(error);
      this.close();
    }
    this.#io.settle();
  }

  #decode(): ProxyHeader | null {
    try {
      return decodeProxyHeader(this.#kept);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.#wanted = error.message;
      this.close();
      return null;
    }
  }

  #finish(header: ProxyHeader): void {
    const socket = this.#socket as ReaderSocket;
    const kept = this.#kept;
    this.#timer.release();
    // The socket lives on, but the reader and the bytes that it has kept are freed.
    socket.photonReader = null;
    socket.off('readable', onReadable);
    socket.off('end', onEnd);
    socket.off('error', onError);
    socket.off('close', onClose);
    if (kept.length > header.length) socket.unshift(kept.subarray(header.length));
    this.#owner.headerRead(header);
  }

  gone(): void {
    this.#timer.release();
    try {
      this.#owner.headerMissing(this.#wanted);
    } catch (error) {
      this.#io.fault(error);
    }
    this.#io.settle();
  }

  /** The connection has little time left to begin. If it does not begin, that is no fault of its peer. */
  drain(): void {
    this.#draining = true;
    this.#timer.arm(Math.min(FIRST_REQUEST_MS, this.#timeoutMs));
  }

  close(): void {
    this.#socket.destroy();
  }

  timerExpired(): void {
    if (!this.#draining) this.#wanted = 'a PROXY header in time';
    this.close();
  }

  timerFailed(): void {
    this.close();
  }
}

function onReadable(this: Socket): void {
  (this as ReaderSocket).photonReader?.read();
}

function onEnd(this: Socket): void {
  this.destroy();
}

/** 'close' follows. */
function onError(): void {}

function onClose(this: Socket): void {
  (this as ReaderSocket).photonReader?.gone();
}
