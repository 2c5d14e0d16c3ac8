import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type LogLine, PhotonProcess, temporaryDirectory } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

/** A gateway on a configuration file that the test changes. */
class Bench {
  readonly file: string;
  readonly photon: PhotonProcess;
  readonly upstreamPort: number;

  private constructor(t: TestContext, upstreamPort: number, file: string) {
    this.file = file;
    this.upstreamPort = upstreamPort;
    this.write('/one/**');
    this.photon = new PhotonProcess(t, ['--config', file], { XDG_RUNTIME_DIR: dirname(file) });
  }

  static async start(t: TestContext, upstream: Upstream, file?: string): Promise<Bench> {
    const bench = new Bench(t, upstream.port, file ?? join(temporaryDirectory(t), 'config.yaml'));
    await bench.photon.event('ready');
    return bench;
  }

  /** A document with one route for this path. */
  document(path: string, more: { readonly server?: object; readonly upstreams?: readonly object[] } = {}): string {
    return JSON.stringify({
      server: { http_addr: '127.0.0.1:0', workers: 2, ...more.server },
      load_balancing: {
        backends: { origin: { upstreams: more.upstreams ?? [{ address: `127.0.0.1:${this.upstreamPort}` }] } },
      },
      routes: [{ path, strip_prefix: path.slice(0, '/one'.length) }],
      access_log: { enabled: false },
    });
  }

  write(path: string): void {
    writeFileSync(this.file, this.document(path));
  }

  async statusOf(path: string): Promise<number> {
    return (await get({ port: await this.photon.port() }, path)).status;
  }

  /** The routes that serve are those of `/NAME/**`. */
  async expectServes(name: string): Promise<void> {
    assert.equal(await this.statusOf(`/${name}/x`), 200);
    assert.equal(await this.statusOf(`/${name === 'one' ? 'two' : 'one'}/x`), 404);
  }
}

test('a file that is written over is served from then on, and the log says what changed', async (t) => {
  const bench = await Bench.start(t, await Upstream.start(t));
  await bench.expectServes('one');
  bench.write('/two/**');
  const said = await bench.photon.event('reloaded');
  assert.deepEqual(
    { trigger: said['trigger'], routes: said['routes'], upstreamsKept: said['upstreamsKept'], blocks: said['blocks'] },
    { trigger: 'file', routes: { added: ['/two/**'], removed: ['/one/**'] }, upstreamsKept: 1, blocks: [] },
  );
  await bench.expectServes('two');
});

for (const { why, change } of [
  {
    why: 'renamed over',
    change: ({ file }: Bench, text: string) => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    },
  },
  {
    why: 'saved by an editor that moves the old one away and writes beside it',
    change: ({ file }: Bench, text: string) => {
      renameSync(file, `${file}~`);
      writeFileSync(`${file}.swp`, 'noise');
      writeFileSync(file, text);
      rmSync(`${file}.swp`);
    },
  },
  {
    why: 'gone for a moment',
    change: ({ file }: Bench, text: string) => {
      unlinkSync(file);
      writeFileSync(file, text);
    },
  },
]) {
  test(`a file is seen that is ${why}`, async (t) => {
    const bench = await Bench.start(t, await Upstream.start(t));
    change(bench, bench.document('/two/**'));
    await bench.photon.event('reloaded');
    await bench.expectServes('two');
  });
}

test('a link to a directory that is swapped, as Kubernetes mounts its files, is seen', async (t) => {
  const root = temporaryDirectory(t);
  const [first, second] = [join(root, '..first'), join(root, '..second')];
  const upstream = await Upstream.start(t);
  mkdirSync(first);
  mkdirSync(second);
  symlinkSync('..first', join(root, '..data'));
  symlinkSync(join('..data', 'config.yaml'), join(root, 'config.yaml'));
  const bench = await Bench.start(t, upstream, join(root, 'config.yaml'));
  writeFileSync(join(second, 'config.yaml'), bench.document('/two/**'));
  symlinkSync('..second', join(root, '..data_tmp'));
  renameSync(join(root, '..data_tmp'), join(root, '..data'));
  await bench.photon.event('reloaded');
  await bench.expectServes('two');
});

for (const { why, spoil, reason } of [
  { why: 'broken', spoil: ({ file }: Bench) => writeFileSync(file, 'server: ['), reason: /Cannot read the YAML/ },
  {
    why: 'cut in half',
    spoil: (bench: Bench) => writeFileSync(bench.file, bench.document('/two/**').slice(0, 60)),
    reason: /Cannot read the YAML/,
  },
  { why: 'gone', spoil: ({ file }: Bench) => unlinkSync(file), reason: /config\.yaml/ },
  { why: 'empty', spoil: ({ file }: Bench) => writeFileSync(file, ''), reason: /empty/ },
  {
    why: 'without its certificate',
    spoil: (bench: Bench) =>
      writeFileSync(
        bench.file,
        bench.document('/two/**', {
          server: { https_addr: '127.0.0.1:0', tls_cert: '/nonexistent.crt', tls_key: '/nonexistent.key' },
        }),
      ),
    reason: /Cannot read server\.tls_cert \/nonexistent\.crt: ENOENT/,
  },
  {
    why: 'with a log that cannot be opened',
    spoil: (bench: Bench) => {
      const document = JSON.parse(bench.document('/two/**'));
      document.access_log = { enabled: true, output: '/nonexistent/access.log' };
      writeFileSync(bench.file, JSON.stringify(document));
    },
    reason: /\/nonexistent\/access\.log/,
  },
  {
    why: 'with an address that is taken',
    spoil: (bench: Bench) =>
      writeFileSync(
        bench.file,
        bench.document('/two/**', { server: { http_addr: ['127.0.0.1:0', `127.0.0.1:${bench.upstreamPort}`] } }),
      ),
    reason: /the address is in use/,
  },
]) {
  test(`a file that is ${why} changes nothing and is said; a good one after it is served`, async (t) => {
    const bench = await Bench.start(t, await Upstream.start(t));
    spoil(bench);
    const said = await bench.photon.event('reload-failed');
    assert.match(String(said['reason']), reason);
    await bench.expectServes('one');
    bench.write('/two/**');
    await bench.photon.event('reloaded');
    await bench.expectServes('two');
    assert.deepEqual(bench.photon.events('worker-died'), []);
  });
}

test('SIGHUP reloads, and a file that says the same in other words changes nothing', async (t) => {
  const bench = await Bench.start(t, await Upstream.start(t));
  bench.photon.kill('SIGHUP');
  assert.equal((await bench.photon.event('reload-unchanged'))['trigger'], 'signal');
  writeFileSync(bench.file, `# a comment\n${JSON.stringify(JSON.parse(readFileSync(bench.file, 'utf8')), null, 2)}\n`);
  assert.equal((await bench.photon.event('reload-unchanged', 1))['trigger'], 'file');
  assert.deepEqual(bench.photon.events('reloaded'), []);
});

test('`photon reload` waits for the result, and its exit code says it', async (t) => {
  const bench = await Bench.start(t, await Upstream.start(t));
  const ask = () =>
    new PhotonProcess(t, ['--config', bench.file, 'reload'], { XDG_RUNTIME_DIR: dirname(bench.file) }).ended;
  const unchanged = await ask();
  assert.deepEqual([unchanged.code, unchanged.stderr], [0, '']);
  assert.match(unchanged.stdout, /^nothing has changed \(\d+ ms\)\n$/);
  writeFileSync(bench.file, 'server: [');
  await bench.photon.event('reload-failed');
  const live = new PhotonProcess(t, ['--config', bench.file, 'routes', '--live', '--format', 'json'], {
    XDG_RUNTIME_DIR: dirname(bench.file),
  });
  const routes = JSON.parse((await live.ended).stdout) as readonly { readonly id: string }[];
  assert.deepEqual(
    routes.map(({ id }) => id),
    ['/one/**'],
  );
  const failed = await ask();
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^photon: Cannot reload .*config\.yaml: Cannot read the YAML/);
  bench.photon.kill('SIGTERM');
  await bench.photon.ended;
  const nobody = await ask();
  assert.equal(nobody.code, 1);
  assert.match(
    nobody.stderr,
    /^photon: Cannot reach a running gateway at .*\.sock: ENOENT; if server\.upgrade_sock is set, it cannot be read: .*\n$/,
  );
});

test('listeners open and close with the file; one that stays loses nothing', async (t) => {
  const upstream = await Upstream.start(t);
  const bench = await Bench.start(t, upstream);
  const port = await bench.photon.port();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  assert.equal(await statusThrough(agent, port), 200);
  const { server } = JSON.parse(bench.document('/one/**'));
  const both = { ...server, http_addr: ['127.0.0.1:0', '[::1]:0'] };
  writeFileSync(bench.file, bench.document('/one/**', { server: both }));
  await bench.photon.event('reloaded');
  const { address } = await bench.photon.event('listening', 1);
  const second = { host: '::1', port: Number(String(address).split(':').at(-1)) };
  assert.equal((await get(second, '/one/x')).status, 200);
  assert.equal(await statusThrough(agent, port), 200);
  bench.write('/one/**');
  await bench.photon.event('reloaded', 1);
  await bench.photon.event('listener-closed');
  await assert.rejects(get(second, '/one/x'), { code: 'ECONNREFUSED' });
  assert.equal(await statusThrough(agent, port), 200);
  assert.equal(Object.values(agent.freeSockets).flat().length, 1);
});

function statusThrough(agent: Agent, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: '/one/x', agent }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject).end();
  });
}

test('requests and uploads under way end as they began, and upstream connections are kept', async (t) => {
  const upstream = await Upstream.start(t);
  const bench = await Bench.start(t, upstream);
  const port = await bench.photon.port();
  const held = get({ port }, '/one/held');
  const response = await upstream.holds();
  const upload = connect(port, '127.0.0.1');
  upload.write('POST /one/length HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhello');
  bench.write('/two/**');
  await bench.photon.event('reloaded');
  upload.write('world');
  const uploaded = await new Promise<string>((resolve) => {
    let text = '';
    upload.setEncoding('latin1').on('data', (part: string) => {
      text += part;
    });
    upload.once('close', () => resolve(text));
  });
  assert.match(uploaded, /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n10$/);
  response.end('late');
  assert.equal((await held).body, 'late');
  await bench.expectServes('two');
});

test('a worker that dies after a reload comes back with the new configuration', async (t) => {
  const bench = await Bench.start(t, await Upstream.start(t));
  bench.write('/two/**');
  await bench.photon.event('reloaded');
  for (const row of [0, 1]) {
    bench.photon.crashWorker(row);
    await bench.photon.event('worker-replaced', row);
  }
  for (let turn = 0; turn < 8; turn++) await bench.expectServes('two');
});

test('what takes effect with the next start only is said', async (t) => {
  const bench = await Bench.start(t, await Upstream.start(t));
  writeFileSync(bench.file, bench.document('/two/**', { server: { workers: 3 } }));
  const said: LogLine = await bench.photon.event('reloaded');
  assert.deepEqual(said['needRestart'], ['server.workers']);
});
