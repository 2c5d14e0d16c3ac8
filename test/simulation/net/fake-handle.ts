import type { Scheduler } from '../world.ts';
import { ECANCELED, EINVAL, END_OF_FILE, type Endpoint, type EndpointUser, EPIPE, NO_USER } from './endpoint.ts';
import { noteRead, noteWrite, TCP_PROTOTYPE } from './stream-state.ts';

/** Node's request objects, as far as a handle touches them. */
interface Request {
  oncomplete?: (this: unknown, status: number, ...rest: unknown[]) => void;
  writeStatus?: number | null;
}

interface QueuedWrite {
  readonly request: Request;
  bytes: Buffer;
}

/** Where a handle can connect to. */
export interface Dialler {
  dial(host: string, port: number, opened: (endpoint: Endpoint | number) => void): { cancel(): void };
}

const READ_BYTES = 64 * 1024;

/**
 * Stands in the place of the system's socket below a `net.Socket`: Node's own code and the whole of `src/net` run above it.
 *
 * It behaves as libuv does: a write is tried at once and the rest is queued; whoever wrote is told in the event in which the rest was taken,
 * or refused; closing cancels what is queued; each other callback is an event.
 */
export class FakeHandle implements EndpointUser {
  readonly #world: Scheduler;
  readonly #dialler: Dialler | null;
  #endpoint: Endpoint | null = null;
  #dialling: { cancel(): void } | null = null;
  #connectRequest: Request | null = null;
  #writes: QueuedWrite[] = [];
  #shutdown: Request | null = null;
  #ended = false;
  #userBuffer: Buffer | null = null;
  #closed = false;
  readonly #names: Names;
  // Each hides a property of the native prototype.
  onread: (this: FakeHandle, arrayBuffer?: ArrayBuffer) => Uint8Array | undefined = () => undefined;
  reading = false;
  bytesRead = 0;
  bytesWritten = 0;
  readonly fd = -1;
  writeQueueSize = 0;

  constructor(world: Scheduler, names: Names, dialler: Dialler | null, endpoint: Endpoint | null = null) {
    this.#world = world;
    this.#names = names;
    this.#dialler = dialler;
    if (endpoint !== null) this.#open(endpoint);
  }

  #open(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
    endpoint.user = this;
  }

  getAsyncId(): number {
    return 1;
  }

  ref(): void {}

  unref(): void {}

  hasRef(): boolean {
    return true;
  }

  setNoDelay(): number {
    return 0;
  }

  setKeepAlive(): number {
    return 0;
  }

  getpeername(out: Record<string, unknown>): number {
    Object.assign(out, { address: this.#names.remoteAddress, port: this.#names.remotePort, family: 'IPv4' });
    return 0;
  }

  getsockname(out: Record<string, unknown>): number {
    Object.assign(out, { address: this.#names.localAddress, port: this.#names.localPort, family: 'IPv4' });
    return 0;
  }

  connect(request: Request, host: string, port: number): number {
    this.#connectRequest = request;
    Object.assign(this.#names, { remoteAddress: host, remotePort: port });
    this.#dialling = (this.#dialler as Dialler).dial(host, port, (outcome) => {
      this.#dialling = null;
      if (typeof outcome !== 'number') this.#open(outcome);
      const status = typeof outcome === 'number' ? outcome : 0;
      this.#world.whenAwake('connected', () => this.#tellConnected(request, status));
    });
    return 0;
  }

  #tellConnected(request: Request, status: number): void {
    if (this.#connectRequest !== request) return;
    this.#connectRequest = null;
    request.oncomplete?.call(request, status, this, request, true, true);
  }

  useUserBuffer(buffer: Buffer): void {
    this.#userBuffer = buffer;
  }

  readStart(): number {
    if (!this.#closed) this.#endpoint?.startReading();
    return 0;
  }

  readStop(): number {
    this.#endpoint?.stopReading();
    return 0;
  }

  readable(): void {
    this.#world.whenAwake('readable', () => this.#read());
  }

  #read(): void {
    if (this.#closed || !this.#endpoint?.reading) return;
    const endpoint = this.#endpoint as Endpoint;
    const own = this.#userBuffer;
    const found = endpoint.read(own?.length ?? READ_BYTES);
    if (found === null) return;
    if (typeof found === 'number') {
      // libuv stops reading at the end, and after an error.
      endpoint.stopReading();
      noteRead(found === 0 ? END_OF_FILE : found);
      this.onread(undefined);
      return;
    }
    this.bytesRead += found.length;
    noteRead(found.length);
    if (own === null) {
      const copy = new ArrayBuffer(found.length);
      new Uint8Array(copy).set(found);
      this.onread(copy);
      return;
    }
    found.copy(own);
    endpoint.heard(found.length);
    const next = this.onread(undefined);
    if (next !== undefined) this.#userBuffer = next as Buffer;
    this.#names.afterRead?.(own, found.length);
  }

  /** A stream above has given bytes on: while it is paused it reads ahead. */
  heard(bytes: number): void {
    this.#endpoint?.heard(bytes);
  }

  writeLatin1String(request: Request | null, text: string): number | Request {
    return this.#write(request, Buffer.from(text, 'latin1'));
  }

  writeUtf8String(request: Request | null, text: string): number | Request {
    return this.#write(request, Buffer.from(text, 'utf8'));
  }

  writeBuffer(request: Request | null, bytes: Buffer): number | Request {
    return this.#write(request, bytes);
  }

  writev(request: Request | null, chunks: readonly (string | Buffer)[], allBuffers: boolean): number | Request {
    const parts: Buffer[] = [];
    for (let at = 0; at < chunks.length; at += allBuffers ? 1 : 2) {
      const chunk = chunks[at] as string | Buffer;
      parts.push(typeof chunk === 'string' ? Buffer.from(chunk, chunks[at + 1] as BufferEncoding) : chunk);
    }
    return this.#write(request, parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts));
  }

  /** The bytes are not copied: who changes them before they are taken changes what is sent, as with libuv. */
  #write(request: Request | null, bytes: Buffer): number | Request {
    this.bytesWritten += bytes.length;
    noteWrite(bytes.length, false);
    if (this.#endpoint === null || this.#closed) return EPIPE;
    let taken = 0;
    if (this.#writes.length === 0) {
      taken = this.#endpoint.write(bytes);
      if (taken < 0) return taken;
      if (taken === bytes.length) return 0;
    }
    const queued = request ?? { writeStatus: null };
    this.#writes.push({ request: queued, bytes: bytes.subarray(taken) });
    this.writeQueueSize += bytes.length - taken;
    noteWrite(bytes.length, true);
    return request === null ? queued : 0;
  }

  writable(): void {
    this.#world.whenAwake('writable', () => this.#goOnWriting());
  }

  #goOnWriting(): void {
    if (this.#closed) return;
    const completed: { readonly request: Request; readonly status: number }[] = [];
    for (let first = this.#writes[0]; first !== undefined; first = this.#writes[0]) {
      const status = this.#writeOn(first);
      if (status === null) break;
      this.#writes.shift();
      completed.push({ request: first.request, status });
    }
    for (const { request, status } of completed) request.oncomplete?.call(request, status, this, undefined);
    this.#shutDownIfDue();
  }

  /** Returns how it ended; null while a part of it is left. */
  #writeOn(write: QueuedWrite): number | null {
    const taken = (this.#endpoint as Endpoint).write(write.bytes);
    this.writeQueueSize -= taken < 0 ? write.bytes.length : taken;
    if (taken < 0) return taken;
    write.bytes = write.bytes.subarray(taken);
    return write.bytes.length === 0 ? 0 : null;
  }

  shutdown(request: Request): number {
    this.#shutdown = request;
    this.#shutDownIfDue();
    return 0;
  }

  #shutDownIfDue(): void {
    const request = this.#shutdown;
    if (request === null || this.#ended || this.#writes.length > 0) return;
    this.#ended = true;
    this.#endpoint?.shutDown();
    this.#shutdown = null;
    this.#world.after(0, 'shut', () => request.oncomplete?.call(request, 0));
  }

  close(closed?: () => void): void {
    if (this.#closed) return;
    this.#endpoint?.close();
    this.#let(closed);
  }

  reset(closed?: () => void): number {
    if (this.#closed) return 0;
    // As libuv: no reset while FIN is on its way, and the handle stays open.
    if (this.#shutdown !== null) return EINVAL;
    this.#endpoint?.reset();
    this.#let(closed);
    return 0;
  }

  /** The thread that used it is gone, and the system closes what it had. Nobody is told. */
  kill(): void {
    this.#dialling?.cancel();
    if (this.#endpoint === null || this.#closed) return;
    this.#closed = true;
    this.#endpoint.user = NO_USER;
    this.#endpoint.close();
  }

  #let(closed: (() => void) | undefined): void {
    this.#closed = true;
    this.#dialling?.cancel();
    const cancelled = this.#writes.map(({ request }) => request);
    if (this.#shutdown !== null) cancelled.push(this.#shutdown);
    if (this.#connectRequest !== null) cancelled.push(this.#connectRequest);
    this.#writes = [];
    this.writeQueueSize = 0;
    this.#shutdown = null;
    this.#connectRequest = null;
    this.#world.after(0, 'closed', () => {
      for (const request of cancelled) request.oncomplete?.call(request, ECANCELED, this, request, true, true);
      closed?.call(this);
    });
  }
}

Object.setPrototypeOf(FakeHandle.prototype, TCP_PROTOTYPE);

/** Between whom a connection is, and what to do with a buffer after each read into it. */
export interface Names {
  localAddress: string;
  localPort: number;
  remoteAddress: string;
  remotePort: number;
  afterRead?: (buffer: Buffer, length: number) => void;
}
