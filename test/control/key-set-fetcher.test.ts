import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { fetchText } from '../../src/control/fetch-text.ts';
import { KeySetFetcher } from '../../src/control/key-set-fetcher.ts';
import type { FetchedKeySet } from '../../src/messages/to-worker.ts';
import { GUARD_MS } from '../support/guard.ts';
import { ManualClock } from '../support/manual-clock.ts';

const URL = 'https://issuer.example/keys';
const EMPTY = '{"keys":[]}';
const NEWER = '{"keys":[ ]}';

/** A fetcher whose fetches are answered by hand. */
function scene() {
  const clock = new ManualClock();
  const fetches: PromiseWithResolvers<string>[] = [];
  const published: FetchedKeySet[] = [];
  const events: string[] = [];
  const log = {
    info: (event: string) => events.push(event),
    warn: (event: string) => events.push(event),
    error: (event: string) => events.push(event),
  };
  const read = () => {
    const fetch = Promise.withResolvers<string>();
    fetches.push(fetch);
    return fetch.promise;
  };
  const fetcher = new KeySetFetcher(log, (keySet) => published.push(keySet), { clock, read });
  clock.onTick(() => fetcher.tick());
  const answer = async (text: string) => {
    fetches.at(-1)?.resolve(text);
    await clock.advance(0);
  };
  const fail = async () => {
    fetches.at(-1)?.reject(new Error('nobody is there'));
    await clock.advance(0);
  };
  return { clock, fetches, published, events, fetcher, answer, fail };
}

describe('the keys of issuers', () => {
  test('are fetched before any worker asks, and published', async () => {
    const { fetcher, fetches, published, answer } = scene();
    fetcher.use([URL]);
    assert.equal(fetches.length, 1);
    await answer(EMPTY);
    assert.deepEqual(published, [{ url: URL, text: EMPTY, failed: false }]);
    assert.deepEqual(fetcher.current, [{ url: URL, text: EMPTY, failed: false }]);
    fetcher.close();
  });

  test('are fetched anew every five minutes', async () => {
    const { fetcher, fetches, published, answer, clock } = scene();
    fetcher.use([URL]);
    await answer(EMPTY);
    await clock.advance(299_000);
    assert.equal(fetches.length, 1);
    await clock.advance(1000);
    assert.equal(fetches.length, 2);
    await answer(NEWER);
    assert.equal(published.at(-1)?.text, NEWER);
    fetcher.close();
  });

  test('are fetched at most once in ten seconds, however often and by whomever they are wanted', async () => {
    const { fetcher, fetches, published, answer, clock } = scene();
    fetcher.use([URL]);
    await answer(EMPTY);
    for (let second = 0; second < 30; second++) {
      for (let n = 0; n < 100; n++) fetcher.want(URL);
      await answer(EMPTY);
      await clock.advance(1000);
    }
    assert.equal(fetches.length, 3);
    assert.equal(published.length, 1 + 30 * 100 - 2 * 99, 'every question is answered, those during a fetch together');
    fetcher.close();
  });

  test('stay as they were while the issuer is down, or answers something else', async () => {
    const { fetcher, published, answer, fail, clock, events } = scene();
    fetcher.use([URL]);
    await answer(EMPTY);
    await clock.advance(300_000);
    await fail();
    assert.deepEqual(published.at(-1), { url: URL, text: EMPTY, failed: true });
    await clock.advance(60_000);
    await answer('<html>');
    assert.equal(published.at(-1)?.text, EMPTY);
    await clock.advance(60_000);
    await answer(NEWER);
    assert.deepEqual(published.at(-1), { url: URL, text: NEWER, failed: false });
    assert.deepEqual(events, ['key-set-fetched', 'key-set-kept', 'key-set-kept', 'key-set-fetched']);
    fetcher.close();
  });

  test('that nobody ever had are asked for every ten seconds', async () => {
    const { fetcher, published, answer, fail, fetches, clock, events } = scene();
    fetcher.use([URL]);
    await fail();
    assert.deepEqual(published, [{ url: URL, text: null, failed: true }]);
    await clock.advance(10_000);
    assert.equal(fetches.length, 2);
    await answer(EMPTY);
    assert.equal(published.at(-1)?.text, EMPTY);
    assert.deepEqual(events, ['key-set-missing', 'key-set-fetched']);
    fetcher.close();
  });

  test('that a configuration names no more are forgotten, and a question for others is answered all the same', async () => {
    const { fetcher, published, answer, fetches } = scene();
    fetcher.use([URL]);
    await answer(EMPTY);
    fetcher.use([]);
    fetcher.want(URL);
    assert.deepEqual(published.at(-1), { url: URL, text: null, failed: false });
    assert.equal(fetches.length, 1);
    fetcher.close();
  });

  test('are kept over a change of the configuration that names them still', async () => {
    const { fetcher, answer, fetches } = scene();
    fetcher.use([URL]);
    await answer(EMPTY);
    fetcher.use([URL]);
    assert.deepEqual(fetcher.current, [{ url: URL, text: EMPTY, failed: false }]);
    assert.equal(fetches.length, 1);
    fetcher.close();
  });
});

describe('a text is fetched', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.closeAllConnections();
  });

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    server.unref();
    servers.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  }

  const fetched = (url: string, timeoutMs = GUARD_MS) =>
    fetchText(url, { timeoutMs, maxBytes: 1000 }, new AbortController().signal);

  test('whole', async () => {
    assert.equal(await fetched(await serve((_request, response) => response.end('{"ü":1}'))), '{"ü":1}');
  });

  const BAD: readonly { why: string; listener: RequestListener; error: RegExp; timeoutMs?: number }[] = [
    { why: 'it hangs before the head', listener: () => {}, error: /time/i, timeoutMs: 300 },
    {
      why: 'it hangs within the body',
      listener: (_request, response) => response.write('{'),
      error: /time/i,
      timeoutMs: 300,
    },
    { why: 'another status', listener: (_request, response) => response.writeHead(500).end('{}'), error: /500/ },
    {
      why: 'it leads elsewhere',
      listener: ({ url }, response) =>
        url === '/keys' ? response.writeHead(302, { Location: '/other' }).end() : response.end('{}'),
      error: /fetch failed/,
    },
    {
      why: 'ten megabytes',
      listener: (_request, response) => response.end(Buffer.alloc(10 * 1024 * 1024, 0x20)),
      error: /larger than 1000 bytes/,
    },
    { why: 'no UTF-8', listener: (_request, response) => response.end(Buffer.from([0xff])), error: /encoded data/ },
    { why: 'it closes', listener: (request) => request.socket.destroy(), error: /fetch failed/ },
  ];
  for (const { why, listener, error, timeoutMs } of BAD) {
    test(`or not: ${why}`, async () => {
      await assert.rejects(fetched(await serve(listener), timeoutMs), error);
    });
  }
});
