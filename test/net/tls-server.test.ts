import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { TlsServer } from '../../src/net/tls-server.ts';
import { testAuthority, testCertificate } from '../support/certificates.ts';

const ticketKeys = randomBytes(48);
const certificates = [
  { hosts: [], ...testCertificate('localhost') },
  { hosts: ['api.example.com'], ...testCertificate('api') },
  { hosts: ['*.tenants.example.com'], ...testCertificate('tenants') },
];

const material = { certificates, ticketKeys, clientCertificates: null };

/** A server of two halves, as two workers would be, each with contexts of its own; connections go to them in turn. */
class TwoWorkers {
  readonly #workers = [new TlsServer(material), new TlsServer(material)];
  readonly server: Server = createServer((socket) => this.#accept(socket));
  accepted = 0;

  #accept(socket: Socket): void {
    const secure = this.#workers[this.accepted++ % 2]?.accept(socket);
    secure?.on('error', () => {});
    secure?.on('data', (bytes: Buffer) => secure.write(bytes));
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Resolves with an open connection, rejects when the handshake fails. */
  async open(options: ConnectionOptions): Promise<TLSSocket> {
    const socket = connect({ port: this.port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    await once(socket, 'secureConnect');
    return socket;
  }
}

describe('the TLS of a listener', () => {
  const workers = new TwoWorkers();
  before(async () => {
    workers.server.listen(0, '127.0.0.1');
    await once(workers.server, 'listening');
  });
  after(() => workers.server.close());

  for (const { name, subject, why } of [
    { name: 'api.example.com', subject: 'api.example.com', why: 'the very name' },
    { name: 'API.Example.COM', subject: 'api.example.com', why: 'names have no case' },
    { name: 'a.tenants.example.com', subject: 'tenants.example.com', why: 'one label below the wildcard' },
    { name: 'a.b.tenants.example.com', subject: 'localhost', why: 'two labels are not one' },
    { name: 'tenants.example.com', subject: 'localhost', why: 'no label is not one' },
    { name: 'unknown.example.com', subject: 'localhost', why: 'an unknown name gets the first' },
    { name: '__proto__', subject: 'localhost', why: 'a name that objects have' },
    { name: '', subject: 'localhost', why: 'no name gets the first' },
  ]) {
    test(`answers "${name}" as ${subject}: ${why}`, async () => {
      const socket = await workers.open({ servername: name });
      assert.equal(socket.getPeerCertificate().subject.CN, subject);
      socket.destroy();
    });
  }

  test('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await workers.open({ minVersion: version, maxVersion: version });
      assert.equal(socket.getProtocol(), version);
      socket.destroy();
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await assert.rejects(workers.open(old), { code: /^ERR_SSL_/ });
  });

  test('chooses http/1.1, and refuses who wants only something else', async () => {
    const socket = await workers.open({ ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.destroy();
    await assert.rejects(workers.open({ ALPNProtocols: ['h2'] }), { code: /^ERR_SSL_/ });
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`resumes a session of ${version} that another worker began`, async () => {
      const first = await workers.open({ minVersion: version, maxVersion: version, servername: 'api.example.com' });
      assert.ok(!first.isSessionReused());
      const ticket = once(first, 'session') as Promise<[Buffer]>;
      first.write('x');
      const [session] = version === 'TLSv1.3' ? await ticket : [first.getSession() as Buffer];
      first.destroy();
      for (let turn = 0; turn < 2; turn++) {
        const next = await workers.open({ session, servername: 'api.example.com', maxVersion: version });
        assert.ok(next.isSessionReused(), `connection ${turn + 2}`);
        next.destroy();
      }
    });
  }
});

describe('a session of a client with a certificate', () => {
  const { ca } = testAuthority();
  const alice = testCertificate('alice');
  const servers = {
    same: new TlsServer({ ...material, clientCertificates: { ca, required: true } }),
    other: new TlsServer({ ...material, clientCertificates: { ca: testCertificate('api').cert, required: false } }),
    none: new TlsServer(material),
  };
  let serving = servers.same;
  const listener = createServer((socket) => {
    const secure = serving.accept(socket);
    secure.on('error', () => {});
    secure.resume();
  });
  before(async () => {
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
  });
  after(() => listener.close());

  async function open(options: ConnectionOptions): Promise<{ readonly resumed: boolean; readonly session: Buffer }> {
    const { port } = listener.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...alice, ...options });
    socket.on('error', () => {});
    const ticket = once(socket, 'session') as Promise<[Buffer]>;
    await once(socket, 'secureConnect');
    const resumed = socket.isSessionReused();
    // Who resumes goes on with the ticket that it has.
    const [session] = resumed ? [Buffer.alloc(0)] : await ticket;
    socket.destroy();
    return { resumed, session };
  }

  for (const { to, resumed, why } of [
    { to: 'same', resumed: true, why: 'with the very authorities that let it in' },
    { to: 'other', resumed: false, why: 'with other authorities' },
    { to: 'none', resumed: false, why: 'where nobody asks for certificates' },
  ] as const) {
    test(`${resumed ? 'is' : 'is not'} resumed ${why}`, async () => {
      serving = servers.same;
      const { session } = await open({});
      serving = servers[to];
      assert.equal((await open({ session, cert: undefined, key: undefined })).resumed, resumed);
    });
  }
});

test('a certificate that OpenSSL cannot use is an error, and so is none', () => {
  const broken = { hosts: [], cert: 'no certificate', key: 'no key' };
  assert.throws(() => new TlsServer({ ...material, certificates: [broken] }));
  assert.throws(() => new TlsServer({ ...material, certificates: [] }), { message: /want at least one certificate/ });
});
