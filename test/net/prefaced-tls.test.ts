import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { createSecureContext, TLSSocket } from 'node:tls';
import { monotonicClock } from '../../src/base/clock.ts';
import type { Connection } from '../../src/net/connection.ts';
import { IoContext } from '../../src/net/io-context.ts';
import { onreadTransport } from '../../src/net/onread-transport.ts';
import { plainTransport } from '../../src/net/plain-transport.ts';
import { streamHandlesSupported } from '../../src/net/stream-handle.ts';
import { TlsClient, type TlsClientMaterial } from '../../src/net/tls-client.ts';
import type { Transport } from '../../src/net/transport.ts';
import { Recorder, tcpTarget } from '../contract/transport-bench.ts';
import { testCertificate } from '../support/certificates.ts';
import { eventually, settle } from '../support/guard.ts';

const certificate = testCertificate('localhost');
const TRUSTING: TlsClientMaterial = { serverName: 'localhost', verify: true, ca: certificate.cert, certificate: null };
const PREFACE = 'what goes before\0\xff\r\n';

/** What a server does with a connection. */
type Serve = (socket: Socket) => void;

/** Reads the preface, then speaks TLS and sends back what comes. `seen` gets the preface. */
function echoBehind(length: number, seen: string[]): Serve {
  return (socket) => {
    socket.on('readable', function readPreface() {
      const preface: Buffer | null = socket.read(length);
      if (preface === null) return;
      socket.off('readable', readPreface);
      seen.push(preface.toString('latin1'));
      const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(certificate) });
      secure.on('error', () => {});
      secure.pipe(secure);
    });
  };
}

interface Scene {
  readonly ours: Connection;
  readonly heard: Recorder;
  readonly sockets: readonly Socket[];
  readonly faults: readonly unknown[];
  readonly io: IoContext;
}

async function run(
  transport: Transport,
  serve: Serve,
  script: (scene: Scene) => Promise<void>,
  { material = TRUSTING, host = '127.0.0.1' } = {},
): Promise<void> {
  const sockets: Socket[] = [];
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const faults: unknown[] = [];
  const io = new IoContext(monotonicClock, (error) => faults.push(error));
  const heard = new Recorder();
  const target = { ...tcpTarget(address.port), host, tls: new TlsClient(material) };
  const ours = transport.connect(io, target, heard, PREFACE);
  try {
    await script({ ours, heard, sockets, faults, io });
    ours.destroy();
    await heard.untilClosed();
    await settle();
    assert.equal(heard.closings, 1);
    assert.deepEqual(faults, []);
    await eventually(
      'the sockets of the server to close',
      () => sockets.every((socket) => socket.destroyed || socket.readableEnded || socket.resume().destroyed),
      () => '',
    );
    assert.equal(io.buffers.leased, 0);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

for (const transport of streamHandlesSupported ? [onreadTransport, plainTransport] : [plainTransport]) {
  describe(`with the ${transport.name} transport, TLS behind a preface`, () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      test(`begins when the preface is out, to ${host}, and carries what was written meanwhile`, async () => {
        const seen: string[] = [];
        await run(
          transport,
          echoBehind(PREFACE.length, seen),
          async ({ ours, heard }) => {
            ours.writeText('early ');
            ours.writeBytes('<', Buffer.from('abc'), 0, 3, '>');
            assert.equal(ours.pendingBytes > 0, true);
            await heard.untilText('early <abc>');
            assert.deepEqual(seen, [PREFACE]);
            heard.inBody = true;
            ours.writeText('x'.repeat(300_000));
            await heard.untilText(`early <abc>${'x'.repeat(300_000)}`);
            heard.inBody = false;
            assert.deepEqual(
              heard.story.filter((event) => event !== 'received'),
              ['connected'],
            );
            assert.ok(heard.events.includes('writable'));
            ours.writeText('y');
            await heard.untilText(`early <abc>${'x'.repeat(300_000)}y`);
            ours.endWriting();
            await heard.untilClosed();
            assert.equal(heard.events.at(-1), 'closed orderly');
          },
          { host },
        );
      });
    }

    test('is open only when the upstream is who it should be', async () => {
      const material = { ...TRUSTING, serverName: 'other.example' };
      await run(
        transport,
        echoBehind(PREFACE.length, []),
        async ({ ours, heard }) => {
          ours.writeText('secret');
          await heard.untilClosed();
          assert.deepEqual(heard.story, ['closed ERR_TLS_CERT_ALTNAME_INVALID']);
        },
        { material },
      );
    });

    test('fails with the connection when that is refused', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      assert.ok(address !== null && typeof address === 'object');
      server.close();
      await once(server, 'close');
      const io = new IoContext(monotonicClock, () => {});
      const heard = new Recorder();
      const target = { ...tcpTarget(address.port), tls: new TlsClient(TRUSTING) };
      const ours = transport.connect(io, target, heard, PREFACE);
      await heard.untilClosed();
      assert.deepEqual(heard.story, ['closed ECONNREFUSED']);
      assert.equal(ours.alive, false);
    });

    for (const how of ['end', 'resetAndDestroy'] as const) {
      test(`fails as a handshake when the upstream leaves (${how}) instead of shaking hands`, async () => {
        const leave: Serve = (socket) => socket.once('data', () => socket[how]());
        await run(transport, leave, async ({ ours, heard }) => {
          await eventually(
            'the handshake',
            () => ours.handshaking || heard.closings > 0,
            () => heard.story.join(),
          );
          assert.equal(ours.handshaking, true);
          await heard.untilClosed();
          assert.match(heard.story.join(), /^(?:ended,)?closed ECONNRESET$/);
        });
      });
    }

    for (const how of ['destroy', 'reset'] as const) {
      test(`${how} before the connection is open closes it, once`, () =>
        run(
          transport,
          () => {},
          async ({ ours, heard }) => {
            ours[how]();
            ours[how]();
            await heard.untilClosed();
            assert.deepEqual(heard.story, ['closed orderly']);
          },
        ));

      test(`${how} within the handshake closes it, once`, () =>
        run(
          transport,
          (socket) => socket.resume(),
          async ({ ours, heard }) => {
            ours.writeText('never');
            await eventually(
              'the handshake',
              () => ours.handshaking,
              () => '',
            );
            ours[how]();
            ours[how]();
            await heard.untilClosed();
            assert.deepEqual(heard.story, ['closed orderly']);
            assert.equal(ours.pendingBytes, 0);
          },
        ));
    }
  });
}
