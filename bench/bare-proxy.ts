/**
 * What Node's sockets alone cost: a proxy that understands nothing. Every read is one whole message, which is passed on as text
 * with one line put in. It is the floor that Photon stands on, and good for nothing but small requests of a friendly client.
 *
 * Arguments: the port to listen on, the port of the origin.
 */

import { connect, createServer, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { latin1Text } from '../src/base/latin1.ts';

const [port, originPort] = process.argv.slice(2).map(Number) as [number, number];
const buffer = Buffer.allocUnsafeSlow(64 * 1024);
const idle: Side[] = [];

/** A socket and the one that its messages go to: none for an idle upstream. */
interface Side {
  socket: Socket;
  other: Side | null;
}

function onread(side: Side, received: (side: Side, text: string) => void): OnReadOpts {
  return {
    buffer,
    callback(bytesRead) {
      received(side, latin1Text(buffer, 0, bytesRead));
      return true;
    },
  };
}

function withLine(text: string): string {
  const lineEnd = text.indexOf('\r\n') + 2;
  return `${text.slice(0, lineEnd)}X-Request-ID: 0123456789abcdef01234567\r\n${text.slice(lineEnd)}`;
}

function request(downstream: Side, text: string): void {
  const upstream = idle.pop() ?? openUpstream();
  upstream.other = downstream;
  upstream.socket.write(withLine(text), 'latin1');
}

function reply(upstream: Side, text: string): void {
  const downstream = upstream.other;
  upstream.other = null;
  idle.push(upstream);
  downstream?.socket.write(withLine(text), 'latin1');
}

function openUpstream(): Side {
  const side = { other: null } as unknown as Side;
  side.socket = connect({ port: originPort, host: '127.0.0.1', noDelay: true, onread: onread(side, reply) });
  side.socket.on('error', () => {});
  return side;
}

createServer({ pauseOnConnect: true, noDelay: true }, (accepted) => {
  const side = { other: null } as unknown as Side;
  const inner = accepted as unknown as { _handle: unknown };
  const handle = inner._handle;
  inner._handle = null;
  side.socket = new Socket({ handle, onread: onread(side, request) } as SocketConstructorOpts);
  side.socket.on('error', () => {});
}).listen(port, '127.0.0.1', 4096);
