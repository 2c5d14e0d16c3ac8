import type { Socket } from 'node:net';
import type { DriverOwner } from './handle-driver.ts';

type Done = (error?: Error | null) => void;

/**
 * The first write that fails destroys a `Writable`, and with it what the peer had sent and nobody had read. From here on the owner
 * of this one hears of the failure instead, and the stream itself takes the write for done. A stream has one write under way at
 * a time, so that one `settled` serves all of them.
 */
export function reportFailedWrites(socket: Socket, owner: DriverOwner): void {
  const write = socket._write;
  const writev = socket._writev;
  let done: Done = () => {};
  const settled: Done = (error) => {
    if (error) owner.writeFailed((error as NodeJS.ErrnoException).code ?? error.name);
    done();
  };
  socket._write = (chunk, encoding, callback) => {
    done = callback;
    write.call(socket, chunk, encoding, settled);
  };
  socket._writev = (chunks, callback) => {
    done = callback;
    writev?.call(socket, chunks, settled);
  };
}
