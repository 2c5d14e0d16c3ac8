import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionOptions, TLSSocketOptions } from 'node:tls';
import { ClientFactory, type WireClient } from './client.ts';
import { type Gateway, type GatewaySettings, startGateway } from './gateway.ts';
import { eventually, settle } from './guard.ts';
import { ManualClock } from './manual-clock.ts';
import { WireUpstream } from './upstream.ts';

/** What stands between the two ends of a wire test; see {@link GatewaySettings}. */
export interface WireOptions extends Omit<GatewaySettings, 'upstreamPorts'> {
  /** How many scripted upstreams the backend has. */
  readonly upstreams?: number;
  /** Ports of further upstreams, which the test runs itself. */
  readonly otherPorts?: readonly number[];
  /** How the upstreams speak TLS. The gateway has to be told with `upstream: { tls: true }`. */
  readonly upstreamTls?: TLSSocketOptions;
  /** What the first client says to `tls.connect`, where it speaks TLS. */
  readonly clientTls?: ConnectionOptions;
  /** What every client sends before anything else, TLS included (latin1). */
  readonly preface?: string;
}

export interface WireContext {
  /** A client that is connected already. */
  readonly client: WireClient;
  readonly upstream: WireUpstream;
  /** Every upstream of the backend; the first one is `upstream`. */
  readonly upstreams: readonly WireUpstream[];
  readonly gateway: Gateway;
  /** The gateway's time: it stands still until the test moves it. */
  readonly clock: ManualClock;
}

type Script = (context: WireContext) => Promise<void>;

/**
 * A test with both ends of the wire in its hands: raw clients, the gateway in this process, scripted upstreams, and a
 * clock that only the test moves. Afterwards the gateway must have finished every exchange and let go of every socket.
 *
 *   client  --->  gateway (127.0.0.1, a free port)  --->  upstream, upstreams[1], ...
 */
export function wire(name: string, script: Script): void;
export function wire(name: string, options: WireOptions, script: Script): void;
export function wire(name: string, optionsOrScript: WireOptions | Script, maybeScript?: Script): void {
  const options = typeof optionsOrScript === 'function' ? {} : optionsOrScript;
  const script = typeof optionsOrScript === 'function' ? optionsOrScript : maybeScript;
  assert.ok(script !== undefined);
  test(name, () => runWire(options, script));
}

/** The body of a wire test, for one that has to set something up before the gateway starts. */
export async function runWire(options: WireOptions, script: Script): Promise<void> {
  const upstreams = await Promise.all(
    Array.from({ length: options.upstreams ?? 1 }, (_none, index) =>
      WireUpstream.listen(`upstream ${index + 1}`, options.upstreamTls),
    ),
  );
  const clock = new ManualClock();
  const { upstreams: _count, otherPorts = [], upstreamTls: _tls, clientTls, preface = '', ...settings } = options;
  const upstreamPorts = [...upstreams.map((each) => each.port), ...otherPorts];
  const secure = options.secure ?? process.env['PHOTON_WIRE_TLS'] === '1';
  const gateway = await startGateway({ ...settings, secure, upstreamPorts }, clock);
  clock.onTick(() => gateway.plane.tick());
  const factory = new ClientFactory(gateway.port, secure, preface);
  try {
    const client = await factory.connect({ tls: clientTls });
    await script({ client, upstream: upstreams[0] as WireUpstream, upstreams, gateway, clock });
    await expectAllFinished(factory, gateway);
    gateway.plane.close();
    for (const each of upstreams) await each.expectReleased();
    await eventually(
      'the sockets to be given back',
      () => gateway.sockets().every((count) => count === 0),
      () => gateway.sockets().join(' '),
    );
    for (const each of upstreams) assert.deepEqual(each.failures, []);
  } catch (error) {
    throw withLog(error, gateway);
  } finally {
    gateway.plane.close();
    for (const client of factory.clients) await client.dispose();
    for (const each of upstreams) await each.dispose();
  }
}

/** Without clients nothing may be left: no exchange, and no downstream connection. */
async function expectAllFinished({ clients }: ClientFactory, gateway: Gateway): Promise<void> {
  const { plane } = gateway;
  for (const client of clients) client.reset();
  const counts = () => `activeExchanges ${plane.activeExchanges}, openConnections ${plane.openConnections}`;
  await eventually(
    'exchanges and connections to end',
    () => plane.activeExchanges + plane.openConnections === 0,
    counts,
  );
  await settle();
  assert.equal(counts(), 'activeExchanges 0, openConnections 0');
  const inFlight = () => gateway.inFlight().join(' ');
  await eventually('all upstreams to be left alone', () => !/[^0 ]/.test(inFlight()), inFlight);
}

function withLog(error: unknown, gateway: Gateway): unknown {
  if (error instanceof Error && gateway.logLines.length > 0) {
    error.message += `\nlog of the gateway:\n${gateway.logLines.slice(-20).join('\n')}`;
  }
  return error;
}
