import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { type Connection, WRITE_HIGH_WATER_BYTES } from '../../src/net/connection.ts';
import type { Sockets } from '../../src/net/sockets.ts';
import { TlsClient } from '../../src/net/tls-client.ts';
import type { Transport } from '../../src/net/transport.ts';
import { testCertificate } from '../support/certificates.ts';
import { eventually, settle } from '../support/guard.ts';
import { type Opened, Recorder, TransportBench, tcpTarget } from './transport-bench.ts';

const MIB = 1024 * 1024;
const DIRECTIONS = ['incoming', 'secure', 'outgoing'] as const;

/** Writes until the high water is reached; the peer does not read. Returns how many bytes were written. */
async function fill(ours: Connection): Promise<number> {
  const chunk = Buffer.alloc(WRITE_HIGH_WATER_BYTES, 'x');
  let sent = 0;
  while (ours.pendingBytes < WRITE_HIGH_WATER_BYTES && sent < 64 * MIB) {
    ours.writeBytes('', chunk, 0, chunk.length, '');
    sent += chunk.length;
    await settle(10);
  }
  assert.ok(ours.pendingBytes >= WRITE_HIGH_WATER_BYTES, `${sent} bytes vanished into the system`);
  return sent;
}

/**
 * What every transport has to do, whatever it is made of. `simulated`: the sockets of the other side, on a network that has neither TLS nor
 * several addresses, Unix sockets and descriptors.
 */
export function transportContract(transport: Transport, simulated?: Sockets): void {
  const run = (script: (bench: TransportBench) => Promise<void>) => TransportBench.run(transport, script, simulated);
  const onSystem = simulated === undefined ? test : test.skip;
  const directions = simulated === undefined ? DIRECTIONS : DIRECTIONS.filter((each) => each !== 'secure');

  describe(`the ${transport.name} transport${simulated === undefined ? '' : ' on a simulated network'}`, () => {
    for (const { why, change } of [
      { why: 'refuses', change: { host: '127.0.0.9', alternative: '127.0.0.1' } },
      { why: 'is of a family that is not there', change: { host: '2001:db8::1', alternative: '127.0.0.1' } },
      { why: 'accepts, whatever the other does', change: { host: '127.0.0.1', alternative: '2001:db8::1' } },
    ]) {
      onSystem(`of two addresses the second is tried where the first one ${why}`, () =>
        run(async (bench) => {
          const { ours, heard, peer } = await bench.open('outgoing', undefined, { ...bench.plainTarget(), ...change });
          ours.writeText('hello');
          await peer.expectText('hello');
          await peer.send('there');
          await heard.untilText('there');
          peer.end();
          await heard.until('ended');
          ours.endWriting();
          await heard.untilClosed();
          assert.deepEqual(heard.story, ['connected', 'received', 'ended', 'closed orderly']);
        }),
      );
    }

    for (const preface of ['', 'PROXY UNKNOWN\r\n']) {
      onSystem(`TLS too goes to the second of two addresses${preface === '' ? '' : ', behind a preface'}`, () =>
        run(async (bench) => {
          const server = createServer().listen(0, '127.0.0.1');
          await once(server, 'listening');
          const heard = new Recorder();
          const tls = new TlsClient({ serverName: 'localhost', verify: false, ca: null, certificate: null });
          const { port } = server.address() as { port: number };
          const target = { ...tcpTarget(port), host: '2001:db8::1', alternative: '127.0.0.1', tls };
          const arrival = once(server, 'connection');
          const ours = transport.connect(bench.io, target, heard, preface);
          ours.writeText('hello');
          const [carrier] = (await arrival) as [Socket];
          server.close();
          if (preface !== '') await once(carrier, 'readable');
          assert.equal(preface === '' ? '' : String(carrier.read(preface.length)), preface);
          const peer = new TLSSocket(carrier, { isServer: true, ...testCertificate('localhost') });
          const [bytes] = (await once(peer, 'data')) as [Buffer];
          assert.equal(String(bytes), 'hello');
          peer.end('there');
          await heard.untilText('there');
          await heard.until('ended');
          ours.destroy();
          await heard.untilClosed();
          assert.deepEqual(heard.story, ['connected', 'received', 'ended', 'closed orderly']);
        }),
      );
    }

    onSystem('two addresses that both refuse are one failure', () =>
      run(async (bench) => {
        const heard = new Recorder();
        bench.transport.connect(bench.io, { ...tcpTarget(1), alternative: '::1' }, heard);
        await heard.untilClosed();
        assert.deepEqual(heard.story, ['closed ECONNREFUSED']);
      }),
    );

    for (const direction of directions) {
      const openings = direction === 'outgoing' ? ['connected'] : [];

      const on = (name: string, script: (opened: Opened, bench: TransportBench) => Promise<void>) => {
        test(`on an ${direction} connection: ${name}`, () =>
          run(async (bench) => script(await bench.open(direction), bench)));
      };

      on('bytes come in their order, then the end, then the close', async ({ ours, heard, peer }) => {
        for (const text of ['a', 'bc', '\0\xff\r\n', 'd'.repeat(200_000)]) await peer.send(text);
        peer.end();
        await heard.until('ended');
        assert.equal(heard.text, `abc\0\xff\r\n${'d'.repeat(200_000)}`);
        ours.endWriting();
        await heard.untilClosed();
        await settle();
        assert.deepEqual(heard.story, [...openings, 'received', 'ended', 'closed orderly']);
      });

      on('after the peer’s end everything can still be written', async ({ ours, heard, peer }) => {
        peer.end();
        await heard.until('ended');
        ours.writeText('late \xe9');
        ours.writeBytes('<', Buffer.from('abcdef'), 1, 4, '>');
        await peer.expectText('late \xe9<bcd>');
        ours.endWriting();
        assert.equal(await peer.expectClosed(), 'end');
        await heard.untilClosed();
        assert.deepEqual(heard.story, [...openings, 'ended', 'closed orderly']);
      });

      on('after our own end the peer can still send', async ({ ours, heard, peer }) => {
        ours.writeText('bye');
        ours.endWriting();
        ours.writeText('never');
        ours.writeBytes('never', Buffer.from('never'), 0, 5, 'never');
        await peer.expectText('bye');
        await eventually(
          'FIN',
          () => peer.inbox.ending !== null,
          () => peer.inbox.describe(),
        );
        await peer.send('still here');
        await heard.untilText('still here');
        peer.end();
        await heard.untilClosed();
        assert.deepEqual(heard.story, [...openings, 'received', 'ended', 'closed orderly']);
        assert.equal(peer.inbox.ending, 'end');
      });

      on('a reset by the peer is told as the failure, once', async ({ heard, peer }) => {
        await peer.send('x');
        await heard.untilText('x');
        peer.reset();
        await heard.untilClosed();
        await settle();
        assert.deepEqual(heard.story, [...openings, 'received', 'closed ECONNRESET']);
      });

      on('a reset of ours is one to the peer', async ({ ours, heard, peer }) => {
        ours.reset();
        ours.reset();
        await heard.untilClosed();
        await eventually(
          'the reset',
          () => peer.inbox.ending !== null,
          () => peer.inbox.describe(),
        );
        assert.equal(peer.inbox.ending, 'reset');
        assert.deepEqual(heard.story, [...openings, 'closed orderly']);
      });

      on('destroying it closes it once, however often it is told', async ({ ours, heard, peer }) => {
        heard.meanwhile = () => ours.destroy();
        ours.destroy();
        ours.destroy();
        ours.reset();
        await heard.untilClosed();
        ours.destroy();
        ours.reset();
        ours.endWriting();
        ours.writeText('x');
        ours.writeBytes('', Buffer.from('x'), 0, 1, '');
        ours.pause();
        ours.resume();
        assert.equal(ours.pendingBytes, 0);
        await peer.expectClosedAfter();
        assert.deepEqual(heard.story, [...openings, 'closed orderly']);
      });

      for (const first of ['endWriting', 'pause'] as const) {
        for (const second of ['destroy', 'reset'] as const) {
          on(`${second} after ${first} closes it`, async ({ ours, heard, peer }) => {
            ours[first]();
            ours[second]();
            await heard.untilClosed();
            await peer.expectClosedAfter();
            assert.deepEqual(heard.story, [...openings, 'closed orderly']);
          });
        }
      }

      for (const { why, ending, after, expected } of [
        { why: 'is a reset where the message has not ended', ending: 'destroy', after: 'nothing', expected: 'reset' },
        { why: 'is a reset where its end is unwritten', ending: 'destroy', after: 'unwritten end', expected: 'reset' },
        { why: 'is the end where all of it has gone', ending: 'destroy', after: 'end', expected: 'end' },
        {
          why: 'that resets is one although its end is unwritten',
          ending: 'reset',
          after: 'unwritten end',
          expected: 'reset',
        },
      ] as const) {
        on(`a close of what ends a message with the connection ${why}`, async ({ ours, heard, peer }) => {
          ours.endsMessage = true;
          ours.writeText('begins');
          await peer.expectText('begins');
          if (after === 'unwritten end') {
            peer.pause();
            await fill(ours);
          }
          if (after !== 'nothing') ours.endWriting();
          ours[ending]();
          await heard.untilClosed();
          await settle();
          peer.resume();
          await peer.expectClosedAfter();
          assert.equal(peer.inbox.ending, expected);
        });
      }

      on('an end that was asked for with bytes unwritten comes behind them', async ({ ours, heard, peer }) => {
        peer.pause();
        const sent = await fill(ours);
        ours.endWriting();
        ours.writeText('never');
        await settle();
        assert.ok(ours.pendingBytes > 0);
        peer.resume();
        await peer.inbox.take(sent, 'everything');
        assert.equal(await peer.expectClosed(), 'end');
        await heard.untilClosed();
        assert.equal(heard.story.at(-1), 'closed orderly');
      });

      on('a slow peer makes bytes pend, and when it has taken all that is said', async ({ ours, heard, peer }) => {
        peer.pause();
        const sent = await fill(ours);
        assert.ok(ours.untakenBytes > 0 && ours.untakenBytes <= ours.pendingBytes);
        heard.events.length = 0;
        await settle();
        assert.deepEqual(heard.events, []);
        peer.resume();
        await heard.until('writable');
        assert.equal(ours.pendingBytes, 0);
        await peer.inbox.take(sent, 'everything');
        assert.deepEqual(heard.events, ['writable']);
      });

      on('when a slow peer has taken the little that pends, that is said too', async ({ ours, heard, peer }) => {
        peer.pause();
        const piece = Buffer.alloc(MIB / 64, 'x');
        let sent = 0;
        while (ours.untakenBytes === 0 && sent < 64 * MIB) {
          ours.writeBytes('', piece, 0, piece.length, '');
          sent += piece.length;
          await settle(10);
        }
        assert.ok(ours.pendingBytes > 0 && ours.pendingBytes < WRITE_HIGH_WATER_BYTES, `${ours.pendingBytes} pend`);
        heard.events.length = 0;
        peer.resume();
        await heard.until('writable');
        assert.equal(ours.pendingBytes, 0);
        await peer.inbox.take(sent, 'everything');
      });

      for (const [what, write] of Object.entries({
        text: (ours: Connection) => ours.writeText('x'.repeat(WRITE_HIGH_WATER_BYTES)),
        bytes: (ours: Connection) =>
          ours.writeBytes('a', Buffer.alloc(WRITE_HIGH_WATER_BYTES - 2, 'x'), 0, WRITE_HIGH_WATER_BYTES - 2, 'b'),
      })) {
        on(`whenever the high water is reached by ${what}, writable follows`, async ({ ours, heard, peer }) => {
          for (let turn = 0; turn < 20; turn++) {
            heard.events.length = 0;
            write(ours);
            const pending = ours.pendingBytes;
            await peer.inbox.take(WRITE_HIGH_WATER_BYTES, 'a turn');
            if (pending >= WRITE_HIGH_WATER_BYTES) await heard.until('writable');
            await eventually(
              'nothing to pend',
              () => ours.pendingBytes === 0,
              () => `${ours.pendingBytes}`,
            );
          }
        });
      }

      on('nothing is heard while it is paused, and everything afterwards', async ({ ours, heard, peer }) => {
        heard.meanwhile = (event) => {
          if (event === 'received') ours.pause();
        };
        await peer.send('x');
        await heard.untilText('x');
        peer.socket.write('y'.repeat(100_000));
        peer.end();
        await settle();
        assert.equal(heard.text, 'x');
        assert.ok(!heard.events.includes('ended'));
        heard.meanwhile = () => {};
        ours.resume();
        await heard.until('ended');
        assert.equal(heard.text, `x${'y'.repeat(100_000)}`);
      });

      on('pausing and resuming at every read loses nothing', async ({ ours, heard, peer }) => {
        heard.meanwhile = (event) => {
          if (event !== 'received') return;
          ours.pause();
          heard.inBody = !heard.inBody;
          setImmediate(() => ours.resume());
        };
        const sent = pattern(7, 3 * MIB);
        peer.socket.write(sent);
        peer.end();
        await heard.until('ended');
        assert.ok(Buffer.concat(heard.chunks).equals(sent));
      });

      for (const at of ['received', 'ended', 'writable', ...openings]) {
        test(`on an ${direction} connection: a receiver that throws when it hears "${at}" loses this connection only`, () =>
          run(async (bench) => {
            const other = await bench.open(direction);
            const prepare = () => {
              const recorder = new Recorder();
              recorder.meanwhile = (event) => {
                if (event === at) throw new Error(`a bug at ${at}`);
              };
              return recorder;
            };
            const { ours, heard, peer } = await bench.open(direction, prepare);
            if (at === 'received') await peer.send('x');
            if (at === 'ended') peer.end();
            while (at === 'writable' && ours.pendingBytes < WRITE_HIGH_WATER_BYTES && heard.closings === 0) {
              ours.writeText('x'.repeat(MIB));
            }
            await heard.untilClosed();
            await peer.expectClosedAfter();
            assert.deepEqual(bench.faults.splice(0).map(String), [`Error: a bug at ${at}`]);
            await other.peer.send('alive');
            await other.heard.untilText('alive');
          }));
      }

      on('a receiver that throws when it hears of the close is reported', async ({ ours, heard }, bench) => {
        heard.meanwhile = () => {
          throw new Error('a bug at the close');
        };
        ours.destroy();
        await heard.untilClosed();
        assert.deepEqual(bench.faults.splice(0).map(String), ['Error: a bug at the close']);
      });
    }

    for (const mode of Object.keys(MODES) as (keyof typeof MODES)[]) {
      test(`bytes handed on while they are read arrive unchanged at slow readers: ${mode}`, () =>
        run((bench) => relayToSlowReaders(bench, MODES[mode])));
    }

    test('buffers come back when connections end with bytes unwritten', () =>
      run(async (bench) => {
        const recorders = () => Object.assign(new Recorder(), { inBody: true });
        for (const ending of ['reset', 'destroy', 'endWriting', 'peer'] as const) {
          const { ours, heard, peer } = await bench.open('incoming', recorders);
          heard.onBytes = (bytes, start, end) => ours.writeBytes('', bytes, start, end, '');
          peer.pause();
          peer.socket.write(Buffer.alloc(16 * MIB));
          await eventually(
            'bytes to pend',
            () => ours.pendingBytes > MIB,
            () => `${ours.pendingBytes}`,
          );
          assert.ok(bench.io.buffers.leased > 0 || transport.name === 'plain');
          if (ending === 'peer') peer.reset();
          else ours[ending]();
          if (ending === 'endWriting') peer.reset();
          await heard.untilClosed();
        }
        await eventually(
          'the buffers to come back',
          () => bench.io.buffers.leased === 0,
          () => `${bench.io.buffers.leased} are out`,
        );
      }));

    test('what is written before the connection is open arrives', () =>
      run(async (bench) => {
        const heard = new Recorder();
        const target = bench.sockets.createServer({}, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
        await once(target, 'listening');
        const { port } = target.address() as { port: number };
        const ours = transport.connect(bench.io, tcpTarget(port), heard);
        ours.writeText('early ');
        ours.writeBytes('<', Buffer.from('bytes'), 0, 5, '>');
        ours.endWriting();
        await heard.untilClosed();
        assert.equal(heard.text, 'early <bytes>');
        assert.deepEqual(heard.story, ['connected', 'received', 'ended', 'closed orderly']);
        target.close();
      }));

    test('who wrote more than the high-water mark before the connection was open hears that it may go on', () =>
      run(async (bench) => {
        const heard = new Recorder();
        const target = bench.sockets.createServer({}, (socket) => socket.resume()).listen(0, '127.0.0.1');
        await once(target, 'listening');
        const { port } = target.address() as { port: number };
        const ours = transport.connect(bench.io, tcpTarget(port), heard);
        ours.writeText('x'.repeat(WRITE_HIGH_WATER_BYTES));
        assert.ok(ours.pendingBytes >= WRITE_HIGH_WATER_BYTES);
        await heard.until('writable');
        assert.equal(ours.pendingBytes, 0);
        ours.destroy();
        await heard.untilClosed();
        target.close();
      }));

    test('a connection that cannot be made is told as closed, with the reason', () =>
      run(async (bench) => {
        const gone = bench.sockets.createServer({}, () => {}).listen(0, '127.0.0.1');
        await once(gone, 'listening');
        const { port } = gone.address() as { port: number };
        gone.close();
        await once(gone, 'close');
        const refused = new Recorder();
        const ours = transport.connect(bench.io, tcpTarget(port), refused);
        ours.writeText('never');
        await refused.untilClosed();
        assert.deepEqual(refused.story, ['closed ECONNREFUSED']);
      }));

    onSystem('a Unix socket that is not there is told as closed, with the reason', () =>
      run(async (bench) => {
        const absent = new Recorder();
        transport.connect(bench.io, { ...tcpTarget(0), path: '/nonexistent/socket' }, absent);
        await absent.untilClosed();
        assert.deepEqual(absent.story, ['closed ENOENT']);
      }),
    );

    for (const hearsOut of [true, false]) {
      const wish = hearsOut ? 'is heard by who wants it' : 'is not heard by who does not';
      // A stream that is paused reads on, up to its limit: it would meet the reset before the write does.
      const where = simulated !== undefined && transport.name === 'plain' ? test.skip : test;
      where(`what the peer said before a reset that a write meets first ${wish}`, () =>
        run(async (bench) => {
          const { ours, heard, peer } = await bench.open('outgoing');
          heard.hearsOut = hearsOut;
          if (simulated !== undefined) ours.pause();
          // All in one turn: nothing is read in between.
          peer.socket.write('last words');
          peer.reset();
          // A simulated reset takes an event to arrive.
          if (simulated !== undefined) await settle();
          ours.writeText('more of the request');
          if (bench.transport.name === 'onread') assert.equal(ours.alive, false);
          ours.writeBytes('', Buffer.from('and more'), 0, 8, '');
          if (simulated !== undefined) ours.resume();
          await heard.untilClosed();
          assert.equal(heard.text, hearsOut ? 'last words' : '');
          assert.deepEqual(heard.story, [
            'connected',
            'writingFailed',
            ...(hearsOut ? ['received'] : []),
            'closed ECONNRESET',
          ]);
        }),
      );
    }

    onSystem('what an upstream said over TLS before a reset that a write meets first is heard too', () =>
      run(async (bench) => {
        const server = createServer().listen(0, '127.0.0.1');
        await once(server, 'listening');
        const heard = new Recorder();
        heard.hearsOut = true;
        const tls = new TlsClient({ serverName: 'localhost', verify: false, ca: null, certificate: null });
        const { port } = server.address() as { port: number };
        const arrival = once(server, 'connection');
        const ours = transport.connect(bench.io, { ...tcpTarget(port), tls }, heard);
        const [carrier] = (await arrival) as [Socket];
        server.close();
        carrier.setNoDelay(true);
        const peer = new TLSSocket(carrier, { isServer: true, ...testCertificate('localhost') });
        peer.on('error', () => {});
        await heard.until('connected');
        await settle();
        peer.write('last words');
        carrier.resetAndDestroy();
        ours.writeText('more of the request');
        await heard.untilClosed();
        assert.equal(heard.text, 'last words');
        assert.deepEqual(heard.story, ['connected', 'writingFailed', 'received', 'closed ECONNRESET']);
      }),
    );

    for (const ending of ['destroy', 'reset'] as const) {
      test(`${ending} while it connects closes it`, () =>
        run(async (bench) => {
          const heard = new Recorder();
          const ours = transport.connect(bench.io, bench.plainTarget(), heard);
          ours[ending]();
          await heard.untilClosed();
          await settle();
          assert.deepEqual(heard.story, ['closed orderly']);
        }));
    }

    onSystem('it tells who the peer is, an IPv4 address as one even on a socket for both families', () =>
      run(async (bench) => {
        await bench.closeServers();
        bench.server.listen(0, '::');
        await once(bench.server, 'listening');
        const { ours, peer } = await bench.open('incoming');
        assert.equal(ours.remoteAddress, '127.0.0.1');
        assert.equal(ours.remotePort, peer.socket.localPort);
        assert.equal(ours.localAddress, '127.0.0.1');
        assert.equal(ours.localPort, bench.port);
        peer.reset();
      }),
    );

    onSystem('on a Unix socket there is no address to tell', () =>
      run(async (bench) => {
        await bench.closeServers();
        const directory = mkdtempSync(join(tmpdir(), 'photon-'));
        const path = join(directory, 'socket');
        try {
          bench.server.listen({ path });
          await once(bench.server, 'listening');
          const heard = new Recorder();
          const ours = transport.connect(bench.io, { ...tcpTarget(0), path }, heard);
          ours.writeText('hello');
          await eventually(
            'the bytes',
            () => bench.accepted[0]?.heard.text === 'hello',
            () => '',
          );
          for (const each of [ours, bench.accepted[0]?.ours]) {
            assert.deepEqual([each?.remoteAddress, each?.remotePort], ['unix:', 0]);
            assert.deepEqual([each?.localAddress, each?.localPort], ['unix:', 0]);
          }
          ours.reset();
          await heard.untilClosed();
        } finally {
          rmSync(directory, { recursive: true });
        }
      }),
    );

    test('closing the server waits for the connections that are open, and then completes', () =>
      run(async (bench) => {
        const { ours, heard, peer } = await bench.open('incoming');
        let closed = false;
        bench.server.close(() => {
          closed = true;
        });
        await peer.send('x');
        await heard.untilText('x');
        assert.ok(!closed);
        ours.destroy();
        await eventually(
          'the server to close',
          () => closed,
          () => '',
        );
      }));

    onSystem('two thousand rude connections leave no descriptor, no connection and no buffer behind', () =>
      run(async (bench) => {
        const prepare = () => Object.assign(new Recorder(), { inBody: bench.accepted.length % 2 === 0 });
        await bench.open('incoming', prepare);
        const before = openDescriptors();
        for (let round = 0; round < 20; round++) await rudeRound(bench, round);
        await eventually(
          'all to be closed',
          () => bench.accepted.every(({ heard }, at) => at === 0 || heard.closings === 1),
          () => `${bench.accepted.filter(({ heard }) => heard.closings === 0).length} are open`,
        );
        await eventually(
          'all descriptors to be closed',
          () => openDescriptors() <= before,
          () => `${openDescriptors()} descriptors, ${before} before`,
        );
        assert.equal(bench.accepted.length, 2001);
        const count = await new Promise((resolve) => bench.server.getConnections((_error, n) => resolve(n)));
        assert.equal(count, 1);
      }),
    );
  });
}

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

/** A hundred connections that end in one rude way of theirs and one of ours, each pair of ways in turn. */
async function rudeRound(bench: TransportBench, round: number): Promise<void> {
  const ways = 4;
  const before = bench.accepted.length;
  const sockets = Array.from({ length: 100 }, () =>
    connect({ port: bench.port, host: '127.0.0.1', allowHalfOpen: true }),
  );
  sockets.forEach((socket, at) => {
    socket.on('error', () => {});
    socket.once('connect', () => {
      const way = (at + round) % ways;
      if (way === 0) socket.resetAndDestroy();
      if (way === 1) socket.end();
      if (way === 2) socket.write(Buffer.alloc(100_000), () => socket.resetAndDestroy());
      if (way === 3) socket.end('x', () => socket.destroy());
    });
  });
  await eventually(
    'a hundred connections',
    () => bench.accepted.length === before + 100,
    () => `${bench.accepted.length - before}`,
  );
  bench.accepted.slice(before).forEach(({ ours }, at) => {
    const way = Math.floor(at / ways) % ways;
    ours.writeText('hello');
    if (way === 0) ours.endWriting();
    if (way === 1) ours.destroy();
    if (way === 2) ours.reset();
    ours.writeText('hello');
  });
  await settle(20);
  for (const { ours } of bench.accepted.slice(before)) ours.destroy();
  for (const socket of sockets) socket.destroy();
  await eventually(
    'all to be closed',
    () => sockets.every((each) => each.closed),
    () => '',
  );
}

/** How a receiver hands on what it reads. */
interface Relay {
  inBody(read: number): boolean;
  /** What to hand on. */
  keep(bytes: Buffer, start: number, end: number): Buffer;
  readonly prefixBytes: number;
}

const asIs = (bytes: Buffer) => bytes;

const MODES = {
  'out of the shared buffer': { inBody: () => false, keep: asIs, prefixBytes: 12 },
  'out of the shared buffer, behind a prefix that does not fit': { inBody: () => false, keep: asIs, prefixBytes: 9000 },
  'out of buffers of its own': { inBody: () => true, keep: asIs, prefixBytes: 12 },
  'out of both in turns': { inBody: (read) => read % 3 !== 0, keep: asIs, prefixBytes: 12 },
  'out of buffers that the receiver made': {
    inBody: (read) => read % 2 === 0,
    keep: (bytes) => Buffer.from(bytes),
    prefixBytes: 0,
  },
} as const satisfies Readonly<Record<string, Relay>>;

const RELAYS = 5;
const RELAYED_BYTES = 6 * MIB;

/** What each peer sends goes to the next one, in pieces that tell their length; nobody reads before all is sent. */
async function relayToSlowReaders(bench: TransportBench, relay: Relay): Promise<void> {
  const all: Opened[] = [];
  for (let at = 0; at < RELAYS; at++) all.push(await bench.open(at % 2 === 0 ? 'incoming' : 'outgoing'));
  all.forEach(({ heard, peer }, at) => {
    let reads = 0;
    const next = all[(at + 1) % RELAYS] as Opened;
    heard.onBytes = (bytes, start, end) => {
      heard.inBody = relay.inBody(++reads);
      const prefix = `${end - start}:`.padStart(relay.prefixBytes, ' ');
      next.ours.writeBytes(prefix, relay.keep(bytes, start, end), start, end, ';');
    };
    peer.pause();
  });
  const sent = all.map((_opened, at) => pattern(at, RELAYED_BYTES));
  await Promise.all(
    all.map(async ({ peer }, at) => {
      peer.socket.end(sent[at] as Buffer);
      await once(peer.socket, 'finish');
    }),
  );
  await Promise.all(all.map(({ heard }) => heard.until('ended')));
  assert.ok(
    all.some(({ ours }) => ours.pendingBytes > MIB),
    'nobody was slow: nothing was tested',
  );
  for (const { ours, peer } of all) {
    ours.endWriting();
    peer.resume();
  }
  for (const [at, { peer }] of all.entries()) {
    const got = pieces(await peer.inbox.takeToEnd('everything'));
    assert.ok(got.equals(sent[(at + RELAYS - 1) % RELAYS] as Buffer), `reader ${at} got other bytes`);
  }
}

/** The contents of `length:content;` pieces. */
function pieces(bytes: Buffer): Buffer {
  const contents: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const colon = bytes.indexOf(':', at);
    const length = Number(bytes.toString('latin1', at, colon));
    assert.ok(length > 0, `no length at ${at}`);
    contents.push(bytes.subarray(colon + 1, colon + 1 + length));
    at = colon + 1 + length;
    assert.equal(bytes[at++], 0x3b, 'no end of a piece');
  }
  return Buffer.concat(contents);
}

/** Bytes that are different for every `seed`, at every place (xorshift32). */
function pattern(seed: number, length: number): Buffer {
  const words = new Uint32Array(length / 4);
  let state = seed * 2_654_435_761 + 1;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return Buffer.from(words.buffer);
}
