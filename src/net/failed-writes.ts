import type { Socket } from 'node:net';
import type { DriverOwner } from './handle-driver.ts';

type Done = (error?: Error | null) => void;

/**
 * The first write that fails destroys a `Writable`, and with it bytes of the peer that have not been read. From here on the failure of this
 * one goes to the owner instead, and for the stream itself the write has succeeded. A stream has one write under way at a time, so that one
 * `settled` serves all of them.
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
