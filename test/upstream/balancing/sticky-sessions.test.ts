import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Balancer } from '../../../src/upstream/balancing/balancer.ts';
import { StickySessions } from '../../../src/upstream/balancing/sticky-sessions.ts';
import { isUsable, requestOf, type Server } from './servers.ts';

const serversAt = (...addresses: readonly string[]): Server[] =>
  addresses.map((key) => ({ key, weight: 1, inFlight: 0, usable: true }));

const servers = () => serversAt('10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80');

const firstOf = (candidates: readonly Server[]): Balancer<Server> => ({
  pick: (_request, eligible) => candidates.find(eligible) ?? null,
});

interface Settings {
  readonly cookie?: string;
  readonly ttlMs?: number | null;
  readonly secure?: boolean;
  readonly backend?: string;
}

function stickyOver(
  candidates: readonly Server[],
  { cookie = 'at', ttlMs = null, secure = false, backend = 'web' }: Settings = {},
) {
  return new StickySessions({ cookie, ttlMs, secure }, backend, candidates, firstOf(candidates));
}

function idOf(sticky: StickySessions<Server>, server: Server | undefined, cookie = 'at'): string {
  const value = sticky.cookieFor(requestOf(), server as Server) ?? '';
  return value.slice(`${cookie}=`.length, value.indexOf(';'));
}

const withCookie = (cookie: string) => requestOf({ fields: { cookie } });

describe('sticky sessions', () => {
  test('keep a client with the server that its cookie names', () => {
    const candidates = servers();
    const sticky = stickyOver(candidates);
    for (const server of candidates) {
      const request = withCookie(`a=b; at=${idOf(sticky, server)}; c=d`);
      assert.equal(sticky.pick(request, isUsable), server);
      assert.equal(sticky.cookieFor(request, server), null);
    }
  });

  test('name servers as they always have, whatever the machine and the other servers', () => {
    const [first] = servers();
    const expected = 'at=mOYyUNd2IPI2dzke; Path=/; HttpOnly; SameSite=Lax';
    assert.equal(stickyOver([first as Server]).cookieFor(requestOf(), first as Server), expected);
    const candidates = servers().reverse();
    assert.equal(stickyOver(candidates).cookieFor(requestOf(), candidates[2] as Server), expected);
  });

  test('name a server differently under another cookie, and in another backend', () => {
    const candidates = servers();
    const ids = [
      idOf(stickyOver(candidates), candidates[0]),
      idOf(stickyOver(candidates), candidates[1]),
      idOf(stickyOver(candidates, { cookie: 'other' }), candidates[0], 'other'),
      idOf(stickyOver(candidates, { backend: 'api' }), candidates[0]),
    ];
    assert.equal(new Set(ids).size, 4);
    for (const id of ids) assert.match(id, /^[A-Za-z0-9_-]{16}$/);
  });

  test('move a client on from one that is down, has no weight or is gone, and say so', () => {
    const candidates = servers();
    const [first, , third] = candidates as [Server, Server, Server];
    const id = idOf(stickyOver(candidates), third);
    const request = withCookie(`at=${id}`);
    third.usable = false;
    const weightless = candidates.map((each) => (each === third ? { ...each, usable: true, weight: 0 } : each));
    for (const left of [candidates, weightless, candidates.slice(0, 2)]) {
      const sticky = stickyOver(left);
      const picked = sticky.pick(request, isUsable);
      assert.equal(picked?.key, first.key);
      assert.match(sticky.cookieFor(request, picked as Server) ?? '', /^at=/);
    }
  });

  for (const { cookie, why } of [
    { cookie: 'at=', why: 'an empty one' },
    { cookie: 'at', why: 'no pair' },
    { cookie: 'at=10.0.0.3:80', why: 'an address is no id' },
    { cookie: 'at=__proto__', why: 'a name that objects have' },
    { cookie: `at=${'x'.repeat(60_000)}`, why: 'a very long one' },
    { cookie: 'at=\xff\x00\x01', why: 'bytes that no cookie has' },
    { cookie: ';=;at==;', why: 'nonsense' },
  ]) {
    test(`do not mind a cookie such as ${JSON.stringify(cookie.slice(0, 20))}: ${why}`, () => {
      const candidates = servers();
      const sticky = stickyOver(candidates);
      assert.equal(sticky.pick(withCookie(cookie), isUsable), candidates[0]);
      assert.match(sticky.cookieFor(withCookie(cookie), candidates[0] as Server) ?? '', /^at=/);
    });
  }

  test('round the life of a cookie up to whole seconds', () => {
    const candidates = servers();
    const value = stickyOver(candidates, { ttlMs: 1500, secure: true }).cookieFor(requestOf(), candidates[0] as Server);
    assert.match(value ?? '', /; Path=\/; Max-Age=2; HttpOnly; SameSite=Lax; Secure$/);
  });
});
